"""Encodings of text: UTF-8 where the bytes allow it, else the likeliest of those that shops' programs write."""

import codecs
import re
import unicodedata

from recommender.errors import UsageError

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order mark → encoding; UTF-32's begins with UTF-16's, so the order counts."""
_CANDIDATES = (
    *("cp1252", "cp1251", "cp1250", "iso8859_2", "cp1254", "cp1253", "cp1255", "cp1256", "cp1257", "mac_roman"),
    *("koi8_r", "iso8859_5", "cp850", "cp866", "shift_jis", "gb2312", "big5", "euc_kr"),
)
"""Of two that fit as well, the first."""
_WIDER = {"shift_jis": "cp932", "gb2312": "gb18030", "euc_kr": "cp949"}
"""What programs write under these names holds more letters; the narrow one tells better whether it is the right one."""
_LETTERS = {
    1.0: "äöüßéèêëàâçîïôûùñáíóúãõåæøœÄÖÜÉÈÊÀÂÇÎÔÑÁÍÓÚÃÕÅÆØŒ",
    0.87: "ğışİĞŞ",
    0.85: "ąćęłńśźżčďěňřšťůýžőűăâșțţĄĆĘŁŃŚŹŻČĎĚŇŘŠŤŮÝŽŐŰėįųūāēīķļņģ",
    0.95: "оеаинтсрвлкмОЕАИНТСРВЛКМαοιετσνηρκΑΟΙΕΤΣΝΗΡΚاليمونرتبهיוהלאמרתשב",
    0.6: "€£°§²³½–—…’‘“”„«»®™·×،؛؟\u00a0\u200c\u200d",  # noqa: RUF001
}
"""How likely these are in the texts of shops; other letters of their scripts are a little less so."""
_SCORES = {letter: score for score, letters in _LETTERS.items() for letter in letters}
_ORDINAL = re.compile(r"\W*[A-Za-z]{1,2}\.?[ºª]\W*")
"""`Nº` in Spanish and Portuguese, which would be `Nş` in the encoding of central Europe."""
_CJK = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC", "HALFWIDTH", "FULLWIDTH")


def known_encoding(name: str) -> str:
    """`name` as Python calls it. Raises UsageError where there is no such encoding of text."""
    try:
        found = codecs.lookup(name)
        "".encode(found.name)
    except LookupError:
        raise UsageError(f"{name!r} is no encoding; give one such as utf-8, windows-1252 or windows-1251") from None
    return found.name


def encoding_of_head(head: bytes) -> str | None:
    """The encoding that a byte order mark or the zero bytes of UTF-16 tell; None where they tell nothing."""
    if marked := next((name for mark, name in _MARKS.items() if head.startswith(mark)), None):
        return marked
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) <= max(1, len(head) // 16) or min(even, odd) > max(even, odd) // 4:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def guess_encoding(sample: bytes) -> str:
    """The likeliest encoding of lines that are not UTF-8."""
    found = max(_CANDIDATES, key=lambda name: round(_likelihood(sample, name), 2))
    return _WIDER.get(found, found)


def _likelihood(sample: bytes, encoding: str) -> float:
    """How much the letters beyond ASCII look like words, at most 1; -1 where the bytes are not of this encoding."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return -1.0
    words = [word for word in re.findall(r"[^\s,;|\t\"0-9]+", text) if not word.isascii()]
    scores = [score for word in words for score in _score_letters(word)]
    return sum(scores) / len(scores) if scores else -1.0


def _score_letters(word: str) -> list[float]:
    """A score for each letter beyond ASCII."""
    if _ORDINAL.fullmatch(word):
        return [1.0]
    letters = "".join(filter(str.isalpha, word))
    scripts = {_script(letter) for letter in letters}
    beyond = [letter for letter in word if not letter.isascii()]
    # Latin words are mostly ASCII: what is not is another script in the wrong encoding
    strange = "LATIN" in scripts and 2 * len(beyond) > len(letters)
    cased = letters in {letters.lower(), letters.upper(), letters.capitalize()}
    # no Western word begins so; Czech ones do, in another encoding
    foreign = word[0] in "èÈìÌ" or word == "Kè" or re.search("õ(?![e])|ø.*[íýáúùìè]|[íýáúùìè].*ø", word) is not None
    inner = {letter for letter in word[1:-1] if not letter.isalpha() and letter != "’" and len(letters) > 1}  # noqa: RUF001
    penalty = 0.5 * strange + 0.5 * (not cased) + 0.4 * foreign + len(scripts) * (len(scripts) > 1)
    return [_score(letter) - penalty - 0.8 * (letter in inner) for letter in beyond]


def _score(letter: str) -> float:
    script = _script(letter)
    if letter in _SCORES:
        return _SCORES[letter]
    if not letter.isalpha() or script == "LATIN":
        return -0.5
    return 0.65 if script == "CJK" else 0.8


def _script(letter: str) -> str:
    script = unicodedata.name(letter, "?").split()[0].split("-")[0]
    return "CJK" if script in _CJK else script
