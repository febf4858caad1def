"""Is a post that did not speak to us a complaint about us? The policy, case by case, and what is done then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from actions.commands import Command, HandToPerson, OpenCase, SetAside
from actions.decide import about_incidents, decide, wanted_look_up
from actions.memory import Memory
from actions.overheard import Heard, Ruling, ruling
from actions.turn import Turn, read_turn

COMPLAINT, PERSON, ASIDE = Ruling.COMPLAINT, Ruling.PERSON, Ruling.SET_ASIDE
TABLE: Mapping[str, tuple[Heard, Ruling]] = {
    "praise": (Heard(likely=0.15, other=0.25, idle=0.43, of_oneself=True), ASIDE),
    "advertising": (Heard(likely=0.05, other=0.41, idle=0.45), ASIDE),
    "news without a class": (Heard(likely=0.10, other=0.25, idle=0.50), ASIDE),
    "news that looks like a class": (Heard(likely=0.23, other=0.08, idle=0.15), PERSON),
    "news of a theft": (Heard(likely=0.14, other=0.16, idle=0.35, grave=True, trouble=True), PERSON),
    "praise of somebody whom we know": (Heard(likely=0.08, other=0.40, idle=0.50, known=True), ASIDE),
    "surely nothing, but something is wrong": (Heard(likely=0.08, other=0.40, idle=0.50, trouble=True), PERSON),
    "surely nothing, but grave": (Heard(likely=0.08, other=0.40, idle=0.50, grave=True), PERSON),
    "recognised as nothing at all": (Heard(likely=0.02, other=0.05, idle=0.06), PERSON),
    "nearly as likely a complaint": (Heard(likely=0.24, other=0.27, idle=0.56), PERSON),
    "a complaint": (Heard(likely=0.49, other=0.14, idle=0.14, trouble=True), COMPLAINT),
    "a complaint told of oneself": (Heard(likely=0.30, other=0.10, idle=0.14, of_oneself=True), COMPLAINT),
    "a grave one of a weak class": (Heard(likely=0.12, other=0.10, idle=0.13, grave=True), COMPLAINT),
    "a weak class": (Heard(likely=0.13, other=0.10, idle=0.19, trouble=True), PERSON),
    "a question about the way": (Heard(likely=0.29, other=0.1, idle=0.17, trouble=True, asks=True), PERSON),
    "a class, and nobody's trouble": (Heard(likely=0.29, other=0.1, idle=0.17), PERSON),
    "borderline of a stranger": (Heard(likely=0.10, other=0.10, idle=0.18), PERSON),
    "borderline of somebody whom we know": (Heard(likely=0.10, other=0.10, idle=0.18, known=True), COMPLAINT),
    "a question of somebody whom we know": (Heard(likely=0.29, other=0.1, idle=0.17, asks=True, known=True), COMPLAINT),
    "a picture without words": (Heard(), PERSON),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_policy(name: str) -> None:
    heard, expected = TABLE[name]
    assert ruling(heard) is expected


@pytest.mark.parametrize("heard", [heard for heard, _ in TABLE.values()])
def test_nothing_that_sounds_wrong_is_ever_set_aside(heard: Heard) -> None:
    for more in ({"grave": True}, {"trouble": True}):
        assert ruling(Heard(**{**vars(heard), **more})) is not ASIDE


def turn(text: str, shares: Mapping[str, float], signals: Mapping[str, Any] | None = None, **metadata: Any) -> Turn:
    ranking = [{"name": name, "confidence": share} for name, share in shares.items()]
    said = {"signals": signals or {}, "overheard": True, **metadata}
    return read_turn({"text": text, "intent": ranking[0], "intent_ranking": ranking, "metadata": said}, {})


def done(turn: Turn) -> tuple[Command, ...]:
    return decide("action_matter", turn).commands


def test_praise_is_set_aside_and_nothing_is_said() -> None:
    assert done(turn("I love it", {"not_a_complaint": 0.4, "withdrawal_issue": 0.1})) == (
        SetAside(reasons=("no_complaint",)),
    )


def test_a_complaint_is_a_case_with_a_person_and_no_question() -> None:
    stuck = turn("my withdrawal is stuck", {"withdrawal_issue": 0.5}, {"features": ["missing"]}, live=True)
    opened, hand = done(stuck)
    assert isinstance(opened, OpenCase)
    assert isinstance(hand, HandToPerson)
    assert (opened.label, opened.reasons, hand.reasons) == ("withdrawal_issue", ("overheard",), ("overheard",))


def test_what_may_be_one_goes_to_a_person_without_a_case() -> None:
    [hand] = done(turn("fees are crazy", {"not_a_complaint": 0.27, "fees_limits": 0.24}, urgent=True))
    assert isinstance(hand, HandToPerson)
    assert hand.reasons == ("overheard_unclear",)


def test_a_borderline_post_of_somebody_with_a_case_is_about_that_case() -> None:
    case = {"number": "RD-33333-33333", "status": "open", "label": "deposit_issue"}
    opened, hand = done(turn("still waiting", {"greet": 0.1, "app_technical": 0.09}, known=True, case=case))
    assert isinstance(opened, OpenCase)
    assert (opened.label, type(hand)) == ("deposit_issue", HandToPerson)


def test_it_is_judged_by_its_own_words() -> None:
    """What its author said before, which was grave, does not make the praise a complaint."""
    praise = turn("all good now, great service", {"not_a_complaint": 0.5, "support_quality": 0.1}, known=True)
    before = Memory(matter="withdrawal_issue", features=("missing", "moved"), days=9)
    said = decide("action_matter", Turn(**{**vars(praise), "memory": before}))
    assert [type(command) for command in said.commands] == [SetAside]
    assert said.memory.features == before.features


def test_nothing_is_looked_up_for_who_does_not_speak_to_us() -> None:
    stuck = turn("my withdrawal is stuck", {"withdrawal_issue": 0.5}, account={"uid": "7", "proven_by": "code"})
    assert wanted_look_up("action_matter", stuck) is None
    assert not about_incidents("action_matter", stuck)


def test_who_speaks_to_us_is_answered_as_always() -> None:
    spoken = turn("I love it", {"not_a_complaint": 0.4, "withdrawal_issue": 0.1}, overheard=False)
    assert SetAside not in [type(command) for command in done(spoken)]
