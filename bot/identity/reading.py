"""What does a message say to somebody who asks for proof of identity? Pure, in both languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.identity.claims import Claim, Named, find_claim, is_alone
from bot.identity.digits import MASK, Group, cut, groups, masked
from bot.identity.phrases import is_never_mind, start_of
from bot.identity.remainder import is_question, left_over
from bot.understanding.entities import Entity, find_entities
from bot.understanding.folding import fold_in_place

BUTTON: Final = "prove"
NEVER_MIND: Final = "never_mind"
READ_AT_MOST: Final = 2_000
"""Characters in which an account or a code that was not sent is looked for."""
_NO_CODES: Final = ("email", "case_number", "tx_hash", "address", "phone")
"""Digits in these are part of something longer, and no guess."""
_SIX: Final = re.compile(
    r"(?:^|\n|(?:code|otp|码|数字)(?: is|是|为)?[ :]*)[ \t]*(?P<code>[0-9]{3}[ -]?[0-9]{3})"
    r"(?![A-Za-z0-9_@%]|[.,-][0-9])",
    re.IGNORECASE,
)
"""Six digits that answer "type the code" though more is said: at the beginning of a line, or named a code."""
_REPLY: Final = re.compile(r"^(?:(?:re|fwd?|aw|回复|答复|转发)\s*[:：]\s*)+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a message may mean while identity is being proven; the state of the conversation decides what it does."""

    starts: bool = False
    never_mind: bool = False
    claim: Claim | None = None
    offered: bool = False
    """The claim is the answer to "which account?", and not an address or number mentioned in a story."""
    labelled: bool = False
    """The claim is an address, or said to be a UID: it cannot be a code or an amount."""
    code: str | None = None
    """Six digits that are meant as a code, right or wrong."""
    masked: str = ""
    """The text without that code, if there is one."""
    groups: frozenset[str] = frozenset()
    """Every different six digits that may be the code that was sent, whatever is around them."""
    rest: str = ""
    """What is said beside all that and wants an answer of its own; "" when nothing does."""

    @property
    def whole(self) -> bool:
        return not self.rest


def read(text: str, payload: str | None = None, subject: str = "") -> Said:
    """`payload` is a pressed button, `subject` that of a first mail."""
    if payload is not None:
        return Said(starts=payload == BUTTON, never_mind=payload == NEVER_MIND, masked=text)
    start, by_subject = _start(text), _start(subject) is not None
    body = text if start is None else cut(text, [(0, start.start("rest"))])
    entities = find_entities(body)
    named = find_claim(body[:READ_AT_MOST], entities)
    answer = named is not None and (named.leads or is_alone(body, named))
    found = groups(body, _passed_over(named if answer else None, entities))
    spans = [(group.start, group.end) for group in found]
    spans += [named.span] if named is not None and (answer or named.labelled) else []
    rest = left_over(cut(body, spans).replace(MASK, " ")) or _of_subject(subject, by_subject)
    code = None if _is_name(named, found) else _code(body, found, entities, rest)
    claim = named.claim if named is not None else _claimed_in(subject, by_subject)
    return Said(
        starts=start is not None or by_subject,
        never_mind=is_never_mind(text),
        claim=claim,
        offered=answer or (named is None and claim is not None),
        labelled=named is None or named.labelled,
        code=code,
        masked=text if code is None else masked(text, code),
        groups=frozenset(group.code for group in (*found, *groups(subject))),
        rest=rest,
    )


def wants_proof(text: str, payload: str | None, subject: str = "") -> bool:
    """The cheap question asked of every message."""
    if payload is not None:
        return payload == BUTTON
    return _start(text) is not None or (bool(subject) and _start(subject) is not None)


def asks(text: str, subject: str = "") -> bool:
    """Whether the message is, at least in part, about something else than proving who writes."""
    said = read(text, None, subject)
    return not said.never_mind and is_question(said.rest)


def _start(text: str) -> re.Match[str] | None:
    """The wish to prove it, alone or with the account after it; else the message is about something else."""
    match = start_of(text)
    if match is None or not left_over(match.group("rest")):
        return match
    rest = match.group("rest")
    named = find_claim(rest, find_entities(rest))
    return match if named is not None and named.leads else None


def _passed_over(answer: Named | None, entities: Sequence[Entity]) -> list[tuple[int, int]]:
    """A UID that is said to be one is no guess, also when it has six digits."""
    spans = [(entity.start, entity.end) for entity in entities if entity.kind in _NO_CODES]
    return spans + ([answer.span] if answer is not None and answer.labelled else [])


def _of_subject(subject: str, starts: bool) -> str:
    return "" if starts else left_over(_REPLY.sub("", subject))


def _claimed_in(subject: str, starts: bool) -> Claim | None:
    named = find_claim(subject, find_entities(subject)) if starts else None
    return None if named is None else named.claim


def _is_name(named: Named | None, found: Sequence[Group]) -> bool:
    """The digits are the end of something like "a123456"."""
    return named is not None and any(named.start < group.start < named.end for group in found)


def _code(text: str, found: Sequence[Group], entities: Sequence[Entity], rest: str) -> str | None:
    """Six digits that stand alone, or are handed over as a code before something else is told."""
    if len({group.code for group in found}) != 1 or any(_is_something_else(group, entities) for group in found):
        return None
    if not rest:
        return found[0].code
    matches = _SIX.finditer(fold_in_place(text[:READ_AT_MOST]))
    places = {match.start("code") for match in matches}
    return found[0].code if any(group.start in places for group in found) else None


def _is_something_else(group: Group, entities: Sequence[Entity]) -> bool:
    """An amount of money, an order, a telephone number."""
    return any(entity.start < group.end and group.start < entity.end for entity in entities)
