"""What is read out of Rasa's latest message, and that nothing in it can be forged or crash the reading."""

from __future__ import annotations

from typing import Any

import pytest

from actions.memory import Memory
from actions.turn import Turn, read_turn

MESSAGE: dict[str, Any] = {
    "text": "充值没到账",
    "intent": {"name": "deposit_issue", "confidence": 0.8, "also": ["fees_limits"]},
    "intent_ranking": [{"name": "deposit_issue"}, {"name": "greet"}],
    "entities": [{"entity": "uid", "value": "someone-else"}],
    "metadata": {
        "entities": [
            {"kind": "asset", "value": "BTC", "start": 0, "end": 3},
            {"kind": "asset", "value": "ETH", "start": 4, "end": 7},
        ],
        "signals": {
            "escalate": True,
            "hand_over": False,
            "severity": "high",
            "reasons": ["legal"],
            "features": ["missing", "moved"],
            "days": 3,
        },
        "articles": {"deposit_issue": "how_to_deposit", "fees_limits": None},
        "account": {"uid": "u1", "name": "A", "proven_by": "app_token"},
        "case": {"number": "C-1", "status": "open", "label": "deposit_issue", "facts": {"asset": "BTC"}},
        "live": True,
        "language": "zh",
        "epoch": 4,
        "inbox_id": 7,
        "urgent": True,
        "can_prove": True,
    },
}
SLOTS = {"awaiting": "helped", "matter": "deposit_issue", "misunderstood": 1.0}


def test_a_full_message_is_read() -> None:
    assert read_turn(MESSAGE, SLOTS) == Turn(
        intent="deposit_issue",
        ranking=("deposit_issue", "greet"),
        shares={"deposit_issue": 0.0, "greet": 0.0},
        entities={"asset": ("BTC", "ETH")},
        articles={"deposit_issue": "how_to_deposit"},
        escalate=True,
        severity="high",
        reasons=("legal",),
        uid="u1",
        case_open=True,
        urgent=True,
        can_prove=True,
        features=("missing", "moved"),
        days=3.0,
        also=("fees_limits",),
        case_number="C-1",
        case_label="deposit_issue",
        case_facts={"asset": "BTC"},
        live=True,
        language="zh",
        epoch=4,
        inbox_id=7,
        text="充值没到账",
        confidence=0.8,
        memory=Memory(awaiting="helped", matter="deposit_issue", misunderstood=1),
    )


def test_a_bare_message_is_read_as_not_understood() -> None:
    assert read_turn({}, {}) == Turn(intent="nlu_fallback")


@pytest.mark.parametrize("account", [None, {}, {"uid": "u1"}, {"uid": "u1", "proven_by": None}, "u1", ["u1"]])
def test_only_a_proven_account_counts(account: Any) -> None:
    assert read_turn({"metadata": {"account": account}}, {}).uid is None


@pytest.mark.parametrize("case", [None, {"number": "C-1", "status": "resolved"}, {"number": "C-1"}])
def test_only_an_open_case_takes_more_facts(case: Any) -> None:
    assert not read_turn({"metadata": {"case": case}}, {}).case_open


@pytest.mark.parametrize("nonsense", [None, [], "x", 7, {"signals": 1, "entities": [None, {"kind": "asset"}, 3]}])
def test_nonsense_is_read_as_nothing_known(nonsense: Any) -> None:
    assert read_turn({"metadata": nonsense}, {}) == Turn(intent="nlu_fallback")


@pytest.mark.parametrize(
    ("learned", "signals", "escalate", "calm"),
    [
        (True, {}, True, False),
        (False, {}, False, False),
        (False, {"features": ["how_to"]}, False, True),
        (None, {"features": ["how_to"]}, False, False),
        (False, {"features": ["how_to"], "escalate": True, "reasons": ["theft"]}, True, False),
    ],
)
def test_what_was_learned_adds_to_the_rules_and_never_takes_away(
    learned: bool | None, signals: dict[str, Any], escalate: bool, calm: bool
) -> None:
    intent = {"name": "account_security_theft"} | ({} if learned is None else {"escalate": learned})
    turn = read_turn({"intent": intent, "metadata": {"signals": signals}}, {})
    assert (turn.escalate, turn.calm) == (escalate, calm)
    assert bool(turn.reasons) == escalate


def test_a_pressed_button_has_no_text() -> None:
    assert read_turn({"text": "/yes", "intent": {"name": "yes"}}, {}).text == ""
