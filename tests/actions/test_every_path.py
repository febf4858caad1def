"""No dead ends: whatever the class, the user, the channel and the answers, a path ends in an answer, a case or a close.

The conversations are not listed but searched: from every first message every row of answers is followed, over all
states that the bot can be in, and the longest way without an end is measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import product

import pytest

from actions.commands import Command, HandIfSilent, HandToPerson, OpenCase, Resolve
from actions.decide import decide, wanted_look_up
from actions.decision import Decision
from actions.lookup import Finding, Unavailable, Unreadable
from actions.matter import Found
from actions.matters import CLASSES, FLOWS
from actions.memory import Memory
from actions.turn import Turn
from tests.actions.short import action_of

ANSWERS = {
    "en": {"yes": "yes", "no": "no", "never_mind": "never mind", "nlu_fallback": "purple monkey dishwasher"},
    "zh": {"yes": "是的", "no": "不是", "never_mind": "算了", "nlu_fallback": "紫色猴子洗碗机"},
}
FINDINGS: dict[str | None, tuple[Found, ...]] = {
    None: (None,),
    "withdrawal": tuple(Finding(what="withdrawal", status=each) for each in ("in_review", "failed", "unknown", "none")),
    "deposit": tuple(Finding(what="deposit", status=each) for each in ("credited", "not_credited", "none")),
    "kyc": (Finding(what="kyc", status="rejected"),),
    "restriction": tuple(Finding(what="restriction", status=each) for each in ("none", "account_frozen", "unknown")),
}
LONGEST_WAY = 3
"""Answers after the first message until something is settled: a person is never further away."""


@dataclass(frozen=True, kw_only=True)
class Start:
    label: str
    proven: bool
    escalate: bool
    live: bool
    language: str

    def turn(self) -> Turn:
        return Turn(
            intent=self.label,
            text="about it",
            uid="u1" if self.proven else None,
            escalate=self.escalate,
            reasons=("money_missing",) if self.escalate else (),
            live=self.live,
            language=self.language,
            can_prove=True,
        )


STARTS = [
    Start(label=label, proven=proven, escalate=escalate, live=live, language=language)
    for label, proven, escalate, live, language in product(
        sorted(FLOWS), (True, False), (True, False), (True, False), ("en", "zh")
    )
]


def is_end(commands: tuple[Command, ...]) -> bool:
    """A confirmed answer, a case or a polite close."""
    return any(isinstance(command, Resolve | OpenCase | HandToPerson) for command in commands)


def firsts(start: Start) -> list[Decision]:
    """What the first message is answered with, whatever the records say."""
    turn = start.turn()
    what = wanted_look_up("action_matter", turn)
    found = FINDINGS[what] if what is None else (*FINDINGS[what], Unavailable(), Unreadable())
    return [decide("action_matter", turn, each) for each in found]


def answered(memory: Memory, start: Start, intent: str, *, case_open: bool) -> Decision:
    turn = replace(
        start.turn(),
        intent=intent,
        text=ANSWERS[start.language][intent],
        escalate=False,
        reasons=(),
        case_open=case_open,
        case_number="RD-7KWHM-3XTPA" if case_open else None,
        memory=memory,
    )
    return decide(action_of(intent), turn)


def state_of(memory: Memory) -> str:
    return json.dumps(memory.changes(Memory()), sort_keys=True)


@pytest.mark.parametrize("start", STARTS, ids=lambda s: f"{s.label}-{s.proven}-{s.escalate}-{s.live}-{s.language}")
def test_every_first_message_is_answered_and_nothing_is_left_hanging(start: Start) -> None:
    for decision in firsts(start):
        assert decision.commands
        if FLOWS[start.label].sentence is None:
            assert is_end(decision.commands) or decision.memory.awaiting in ("helped", "open_case")
        insist_that_no_case_is_forgotten(decision)


def insist_that_no_case_is_forgotten(decision: Decision) -> None:
    """A case that was opened goes to a person, now or when the user falls silent."""
    kinds = [type(command) for command in decision.commands]
    if OpenCase in kinds or decision.memory.unhanded:
        assert HandToPerson in kinds or kinds[-1] is HandIfSilent


@pytest.mark.parametrize("start", STARTS, ids=lambda s: f"{s.label}-{s.proven}-{s.escalate}-{s.live}-{s.language}")
def test_every_row_of_answers_ends_soon(start: Start) -> None:
    known: dict[str, int] = {}

    def way(memory: Memory, path: tuple[str, ...]) -> int:
        """How many more answers there can be before an end; a circle without one has no length."""
        state = state_of(memory)
        assert state not in path, f"{start} goes round in a circle: {path}"
        if state not in known:
            longest = 0
            for intent in ANSWERS[start.language]:
                decision = answered(memory, start, intent, case_open=False)
                assert decision.commands
                insist_that_no_case_is_forgotten(decision)
                rest = 0 if is_end(decision.commands) else way(decision.memory, (*path, state))
                longest = max(longest, 1 + rest)
            known[state] = longest
        return known[state]

    for decision in firsts(start):
        if not is_end(decision.commands):
            assert way(decision.memory, ()) <= LONGEST_WAY


@pytest.mark.parametrize("label", sorted(CLASSES))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_form_ends_with_a_person(label: str, language: str) -> None:
    """Questions about an open case are no end in themselves: whatever is answered, a person has it in the end."""
    start = Start(label=label, proven=False, escalate=True, live=True, language=language)
    seen: set[str] = set()

    def follow(memory: Memory, depth: int) -> None:
        assert depth <= 12, f"after twelve answers about {label} there is still no person"
        if state_of(memory) in seen:
            return
        seen.add(state_of(memory))
        for intent in ANSWERS[language]:
            decision = answered(memory, start, intent, case_open=True)
            insist_that_no_case_is_forgotten(decision)
            if not any(isinstance(command, HandToPerson | Resolve) for command in decision.commands):
                follow(decision.memory, depth + 1)

    for decision in firsts(start):
        if not any(isinstance(command, HandToPerson) for command in decision.commands):
            follow(decision.memory, 0)
