"""Proposals: which column of a header could stand for one of ours, by synonyms and by likeness of names.

A proposal is shown and asked for, never taken.
"""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from training.ingest.headers.folding import fold
from training.ingest.headers.synonyms import synonyms

_LIKE, _MISSPELT = 0.7, 0.88
"""Likeness of two names from which one may be a misspelling of the other, and from which it is one."""
_PHONE = re.compile("phone|telef|mobil|handy|gsm|тел|تلفن|موبایل|هاتف|جوال")
_IN_BRACKETS = re.compile(
    r"[(\[{].*?[)\]}]|(?:\b(?:in|en|w)\s+)?(?:(?:\b|_)(?i:EUR|USD|GBP|CHF|PLN|RUB|TRY)\b|[€$£¥₽₺﷼])"
)
"""What says more about a column than its name: `Preis (EUR)`, `Order Date [UTC]`, `price_eur`."""


@dataclass(frozen=True)
class Proposal:
    """A column that could stand for one of ours.

    Attributes:
        column: its name.
        why: in words, after its name.
        score: above 2 where the whole name is a synonym, above 1 where it begins or ends with one, else the likeness.
        others: other columns of which as much could be said.
    """

    column: str
    why: str
    score: float
    others: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether it is worth naming where nothing has to be found: a synonym, or one letter beside a name."""
        return self.score > 2 or _MISSPELT <= self.score < 1


def propose_columns(
    header: Sequence[str], wanted: Mapping[str, Sequence[str]], file: str = "synonyms"
) -> dict[str, Proposal]:
    """A column for each of ours that is wanted, as far as there is one; each column for one of ours at most.

    Only the column of titles stands for `product_id` as well where nothing else does.

    Args:
        header: the columns that are not taken yet.
        wanted: our column → names that are expected for it.
        file: of synonyms (`training.ingest.headers.synonyms`).
    """
    found = [
        (proposal.score, ours, proposal)
        for ours, names in wanted.items()
        for column in header
        if (proposal := _compare(column, ours, names, file))
    ]
    found.sort(key=lambda each: -each[0])
    chosen: dict[str, Proposal] = {}
    for _, ours, proposal in found:
        if ours not in chosen and all(proposal.column != other.column for other in chosen.values()):
            chosen[ours] = proposal
    proposals = {ours: _with_others(chosen, ours, found) for ours in wanted if ours in chosen}
    title = proposals.get("title")
    if "product_id" in wanted and "product_id" not in chosen and title and title.plain and file == "synonyms":
        proposals["product_id"] = replace(title, why="a name, as nothing looks like a number of products", score=1.0)
    return proposals


def first_filled(proposal: Proposal) -> str:
    """The column; one of e-mail addresses with that of phone numbers behind it: `Email|Phone`."""
    phones = [other for other in proposal.others if _PHONE.search(fold(other))]
    return f"{proposal.column}|{phones[0]}" if phones and "mail" in fold(proposal.column) else proposal.column


def _with_others(chosen: Mapping[str, Proposal], ours: str, found: Collection[tuple[float, str, Proposal]]) -> Proposal:
    used = {proposal.column for proposal in chosen.values()}
    best = chosen[ours]
    others = [each.column for _, name, each in found if name == ours and each.score > 2 and each.column not in used]
    return Proposal(best.column, best.why, best.score, tuple(others))


def _compare(column: str, ours: str, names: Sequence[str], file: str) -> Proposal | None:
    folded, known = fold(column), synonyms(file).get(ours, {})
    if not folded:
        return None
    bare, expected = fold(_IN_BRACKETS.sub("", column)), set(map(fold, names))
    if expected & {folded, bare}:
        why, score = ("in other letters", 3.0) if folded in expected else ("its name with a remark", 2.6)
        return Proposal(column, why, score)
    if fold(column.rpartition(".")[2]) in {*expected, fold(ours)}:
        return Proposal(column, "its name behind that of a table", 2.9)
    for word, lost in ((folded, 0.0), (bare, 0.5)):
        if word in known:
            rank, language = known[word]
            return Proposal(column, language, 3 - lost - rank / 1000)
    ends = [word for word in known if len(word) > 3 and (folded.startswith(word) or folded.endswith(word))]
    if ends:
        longest = max(ends, key=len)
        language = known[longest][1]
        article = "an" if language[0] in "AEIOU" else "a"
        return Proposal(column, f"holds {article} {language} word", 1 + len(longest) / len(folded) / 2)
    like = max((_likeness(folded, fold(name)) for name in (*names, ours)), default=0.0)
    return Proposal(column, "a name like it", like) if like >= _LIKE else None


def _likeness(one: str, other: str) -> float:
    """From 0 to 1; 0 where it is below _LIKE, which is soon known of most names."""
    matcher = difflib.SequenceMatcher(None, one, other)
    near = matcher.real_quick_ratio() >= _LIKE and matcher.quick_ratio() >= _LIKE
    return matcher.ratio() if near else 0.0
