"""Which account does a message name, and is that said as an answer or only in passing? Pure, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.identity.digits import cut
from bot.identity.remainder import left_over
from bot.understanding.entities import Entity
from bot.understanding.folding import fold_in_place

_LABEL: Final = (
    r"(?:uid|user ?id|account(?: number| id)?|id|用户 ?id|用户编号|账户|账号|帐户|帐号|编号)"
    r"(?: number| should be| is|应该是|应为|是|为|号码|号){0,2}[ :#=]*"
)
_SHAPE: Final = re.compile(
    rf"(?P<label>{_LABEL})?(?<![a-z0-9_.,@$€£¥-])(?P<value>(?:[a-z]{{1,3}}[-_]?)?[0-9]{{5,20}})"
    r"(?![a-z0-9_@-]|[.,][0-9])",
    re.IGNORECASE,
)
"""As exchanges number their users: five digits or more. A bare "500" or "trc20" is an answer to something else."""
_SAID: Final = re.compile(
    rf"(?P<label>{_LABEL})(?<![a-z0-9_.-])(?P<value>(?=[a-z_-]{{0,16}}[0-9])[a-z0-9_-]{{3,64}})(?![a-z0-9_.-])",
    re.IGNORECASE,
)
"""Any name with a digit in it, when it is said to be the account's."""
_ENDS: Final = re.compile(r"\s*(?:$|[\n,.;:!?，。；：！？])")


@dataclass(frozen=True)
class Claim:
    """Which account somebody says is theirs: kind "uid" or "email"."""

    kind: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Named:
    """A claim and its place in the text. `labelled`: it cannot be mistaken for another number."""

    claim: Claim
    start: int
    end: int
    labelled: bool
    leads: bool
    """The message begins with it: it is the answer, whatever is told after it."""

    @property
    def span(self) -> tuple[int, int]:
        return self.start, self.end


def find_claim(text: str, entities: Sequence[Entity]) -> Named | None:
    """`entities` are those of `text`. An address counts anywhere, a number where it is said to be a UID, a bare
    one where it stands alone or at the beginning."""
    for kind in ("email", "uid"):
        for entity in entities:
            if entity.kind == kind:
                return _named(text, kind, entity.value, entity.start, entity.end, labelled=True)
    return next(_numbers(text, entities), None)


def _numbers(text: str, entities: Sequence[Entity]) -> Iterator[Named]:
    folded = fold_in_place(text)
    shaped = [match for match in _SHAPE.finditer(folded) if not _is_something_else(match, entities)]
    for match in sorted(shaped, key=lambda match: match.group("label") is None):
        found = _matched(text, folded, match)
        if found.labelled or is_alone(text, found) or (found.leads and _ENDS.match(folded, found.end)):
            yield found
    for match in _SAID.finditer(folded):
        found = _matched(text, folded, match)
        if is_alone(text, found):
            yield found


def is_alone(text: str, named: Named) -> bool:
    return not left_over(cut(text, [named.span]))


def _matched(text: str, folded: str, match: re.Match[str]) -> Named:
    start, end = match.span("value")
    return _named(text, "uid", folded[start:end], start, end, labelled=match.group("label") is not None)


def _named(text: str, kind: str, value: str, start: int, end: int, *, labelled: bool) -> Named:
    leads = not left_over(text[:start])
    return Named(claim=Claim(kind, value), start=start, end=end, labelled=labelled, leads=leads)


def _is_something_else(match: re.Match[str], entities: Sequence[Entity]) -> bool:
    start, end = match.span("value")
    return any(entity.start < end and start < entity.end for entity in entities)
