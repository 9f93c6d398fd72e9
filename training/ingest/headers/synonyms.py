"""Synonyms of our columns in many languages."""

import tomllib
from functools import cache
from importlib.resources import files

from training.ingest.headers.folding import spellings

LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
    "pl": "Polish",
    "tr": "Turkish",
    "ru": "Russian",
    "fa": "Persian",
    "ar": "Arabic",
    "ja": "Japanese",
    "zh": "Chinese",
    "sv": "Swedish",
    "cs": "Czech",
    "uk": "Ukrainian",
    "ko": "Korean",
    "el": "Greek",
    "hu": "Hungarian",
    "da": "Danish",
    "nb": "Norwegian",
    "fi": "Finnish",
    "ro": "Romanian",
    "he": "Hebrew",
    "id": "Indonesian",
    "vi": "Vietnamese",
}


_SHARED = ("product_id", "title", "category")


@cache
def synonyms(file: str = "synonyms") -> dict[str, dict[str, tuple[int, str]]]:
    """Our column → folded synonym → (its rank in its language from 0, the language's name).

    Args:
        file: `synonyms` for purchase files, `products` for product files, `side` for lists of customers and events.
    """
    if file == "products":
        purchases = synonyms()
        shared = {ours: purchases[ours] for ours in _SHARED} | {"price": purchases["unit_price"]}
        own = _read(file)
        return {ours: {**own.get(ours, {}), **shared.get(ours, {})} for ours in {**shared, **own}}
    if file == "side":
        purchases = synonyms()
        return {ours: purchases[ours] for ours in ("customer_id", "product_id")} | _read(file)
    return _read(file)


def _read(file: str) -> dict[str, dict[str, tuple[int, str]]]:
    tables = tomllib.loads((files(__package__) / f"{file}.toml").read_text("utf-8"))
    found: dict[str, dict[str, tuple[int, str]]] = {}
    for ours, languages in tables.items():
        for language, names in languages.items():
            for rank, name in enumerate(names):
                for spelling in spellings(name):
                    found.setdefault(ours, {}).setdefault(spelling, (rank, LANGUAGES[language]))
    return found
