"""What becomes of a mail whose subject calls it a complaint (投诉)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.commands import HandToPerson, OpenCase
from actions.decide import decide
from actions.lookup import Finding, Unavailable, Unreadable
from actions.matter import Found
from actions.memory import Memory
from actions.turn import Turn
from tests.actions.short import names

URGENT = Turn(intent="withdrawal_issue", urgent=True)
IN_REVIEW = Finding(what="withdrawal", status="in_review", facts={"withdrawal_id": "w1"})
FAILED = Finding(what="withdrawal", status="failed")


@pytest.mark.parametrize(
    ("action", "turn", "found", "wanted"),
    [
        pytest.param(
            "action_matter",
            replace(URGENT, intent="fees_limits"),
            None,
            ["answer:fees", "open_case:fees_limits", "say:facts_wanted", "hand_to_person"],
            id="an article answers, and a person gets the case",
        ),
        pytest.param(
            "action_matter",
            URGENT,
            None,
            [
                "answer:withdrawal_pending",
                "say:sign_in_hint",
                "open_case:withdrawal_issue",
                "say:facts_wanted",
                "hand_to_person",
            ],
            id="whoever is not signed in still hears how to see more",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, uid="u1"),
            IN_REVIEW,
            ["say:withdrawal_status_in_review", "open_case:withdrawal_issue", "say:facts_wanted", "hand_to_person"],
            id="the records answer, and a person gets the case",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, uid="u1"),
            FAILED,
            ["say:withdrawal_status_failed", "open_case:withdrawal_issue", "say:facts_wanted", "hand_to_person"],
            id="what needs a person anyway is one case",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, uid="u1"),
            Finding(what="withdrawal", status="none"),
            ["say:withdrawal_status_none", "open_case:withdrawal_issue", "say:facts_wanted", "hand_to_person"],
            id="a case is not offered but opened",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, uid="u1"),
            Unavailable(),
            ["say:backoffice_down", "open_case:withdrawal_issue", "say:facts_wanted", "hand_to_person"],
            id="records that are down do not keep the person away",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, uid="u1"),
            Unreadable(),
            ["open_case:withdrawal_issue", "say:facts_wanted", "hand_to_person"],
            id="records that cannot be read",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, articles={"withdrawal_issue": "how_to_withdraw"}),
            None,
            ["answer:how_to_withdraw", "say:did_this_help"],
            id="a question about the way is only answered",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, intent="feature_feedback"),
            None,
            ["open_case:feature_feedback", "hand_to_person"],
            id="feedback that is called a complaint",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, intent="out_of_scope"),
            None,
            ["open_case:unclassified", "hand_to_person"],
            id="a person declines a complaint",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, intent="not_a_complaint"),
            None,
            ["open_case:unclassified", "hand_to_person"],
            id="a complaint is not thanked for kind words",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, intent="spam"),
            None,
            ["say:not_for_us"],
            id="advertising stays advertising",
        ),
        pytest.param(
            "action_matter",
            replace(URGENT, intent="fees_limits", case_open=True),
            None,
            ["answer:fees", "say:did_this_help"],
            id="the subject of a mail that follows says nothing new",
        ),
        pytest.param(
            "action_misunderstood",
            replace(URGENT, intent="nlu_fallback"),
            None,
            ["open_case:unclassified", "hand_to_person"],
            id="a complaint that is not understood goes to a person at once",
        ),
        pytest.param(
            "action_misunderstood",
            replace(URGENT, intent="nlu_fallback", case_open=True),
            None,
            ["open_case:unclassified"],
            id="words that nobody understands join the case",
        ),
        pytest.param(
            "action_person",
            replace(URGENT, intent="person"),
            None,
            ["open_case:unclassified", "hand_to_person"],
            id="a person with a case",
        ),
        pytest.param(
            "action_greet", replace(URGENT, intent="greet"), None, ["say:greeting"], id="a greeting holds no matter"
        ),
        pytest.param(
            "action_thanks", replace(URGENT, intent="thanks"), None, ["say:welcome"], id="thanks in the same thread"
        ),
        pytest.param(
            "action_yes",
            replace(URGENT, intent="yes", memory=Memory(awaiting="helped")),
            None,
            ["resolve", "say:solved_tip"],
            id="yes in the same thread",
        ),
    ],
)
def test_what_the_subject_calls_a_complaint(action: str, turn: Turn, found: Found, wanted: list[str]) -> None:
    decision = decide(action, turn, found)
    assert names(decision.commands) == wanted
    for command in decision.commands:
        if isinstance(command, OpenCase):
            assert command.severity == "high"
            assert ("case_wanted" in command.reasons) is not turn.case_open
        if isinstance(command, HandToPerson):
            assert "case_wanted" in command.reasons
            assert decision.memory.awaiting is None


@pytest.mark.parametrize(
    ("heard", "urgent", "ranked"),
    [
        ("low", False, "low"),
        ("normal", False, "normal"),
        ("low", True, "normal"),
        ("normal", True, "high"),
        ("high", True, "high"),
        ("critical", True, "critical"),
    ],
)
def test_a_complaint_by_its_subject_is_ranked_one_step_up(heard: str, urgent: bool, ranked: str) -> None:
    turn = Turn(intent="fees_limits", escalate=True, severity=heard, urgent=urgent)
    opened = decide("action_matter", turn).commands[0]
    assert isinstance(opened, OpenCase)
    assert opened.severity == ranked


def test_the_facts_of_the_records_go_into_the_case_of_a_complaint() -> None:
    opened = decide("action_matter", replace(URGENT, uid="u1"), IN_REVIEW).commands[1]
    assert isinstance(opened, OpenCase)
    assert opened.facts == {"withdrawal_id": "w1"}
