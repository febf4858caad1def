"""Every sentence and button that the actions may choose exists, with the placeholders that they fill."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import actions
from actions.backoffice.contract import DepositStatus, KycStatus, RestrictionKind, WithdrawalStatus
from actions.commands import BUTTONS
from actions.forms import FACTS, NAMED
from actions.matter import PROVE
from actions.matters import FLOWS, flow_of
from bot.understanding.labels import CLASSES, COMPLAINTS
from bot.wording import load

WORDS = load()
MOVEMENT = {"amount", "asset", "network", "time", "tx"}


ACTIONS = Path(actions.__file__).parent
TOLD_VALUES = {"noted": {"fact", "value"}, "form_left": {"number"}, "case_stays": {"number"}, "facts_wanted": {"list"}}


def test_every_sentence_that_the_actions_name_exists() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in ACTIONS.glob("*.py"))
    named = set(re.findall(r'Say\(key="([\w.]+)"', source)) | {
        flow.sentence for flow in FLOWS.values() if flow.sentence
    }
    keys = {key if "." in key else f"bot.{key}" for key in named}
    assert len(keys) > 25
    assert {key for key in keys if not WORDS.knows(key)} == set()


@pytest.mark.parametrize("fact", sorted(FACTS))
def test_every_fact_has_a_question_and_a_name(fact: str) -> None:
    assert WORDS.placeholders(f"bot.ask_{fact}") == WORDS.placeholders(f"bot.fact_{fact}") == frozenset()
    assert any(fact in flow.facts for flow in FLOWS.values())


@pytest.mark.parametrize("name", sorted(NAMED))
def test_what_is_noted_has_a_name(name: str) -> None:
    assert WORDS.knows(f"bot.fact_{name}")


@pytest.mark.parametrize("label", sorted(set(COMPLAINTS) - {"feature_feedback"}))
def test_every_matter_can_be_spoken_of(label: str) -> None:
    assert WORDS.knows(f"bot.topic_{label}")
    assert len(flow_of(label).facts) <= 4
    assert set(flow_of(label).facts) <= FACTS.keys()


@pytest.mark.parametrize("label", sorted(CLASSES))
def test_a_tip_exists_where_the_flow_says_so_and_asks_for_nothing(label: str) -> None:
    assert WORDS.knows(f"bot.tip_{label}") == flow_of(label).tip
    for language in ("en", "zh") if flow_of(label).tip else ():
        tip = WORDS.say(f"bot.tip_{label}", language)
        assert not re.search(r"[?？]|send us|write to us|发给我们|告诉我们|提供给", tip)


@pytest.mark.parametrize(("key", "values"), sorted(TOLD_VALUES.items()))
def test_sentences_are_filled_with_what_the_actions_give(key: str, values: set[str]) -> None:
    assert WORDS.placeholders(f"bot.{key}") == values


@pytest.mark.parametrize("kind", [kind for kind in RestrictionKind if kind != "unknown"])
def test_restrictions_use_what_the_records_give(kind: str) -> None:
    assert WORDS.placeholders(f"bot.restriction_status_{kind}") == {"time"}


@pytest.mark.parametrize("status", [*WithdrawalStatus, "none"])
def test_withdrawal_sentences_use_what_the_records_give(status: str) -> None:
    if status != "unknown":
        assert WORDS.placeholders(f"bot.withdrawal_status_{status}") <= MOVEMENT


@pytest.mark.parametrize("status", [*DepositStatus, "none"])
def test_deposit_sentences_use_what_the_records_give(status: str) -> None:
    if status != "unknown":
        assert WORDS.placeholders(f"bot.deposit_status_{status}") <= MOVEMENT | {"seen", "needed"}


@pytest.mark.parametrize("status", KycStatus)
def test_identity_sentences_need_nothing(status: str) -> None:
    if status != "unknown":
        name = "not_started" if status == "none" else status
        assert WORDS.placeholders(f"bot.kyc_status_{name}") == frozenset()


def test_every_button_has_a_title() -> None:
    keys = [f"bot.button_{name}" for name in (*BUTTONS, PROVE)] + [f"bot.button_class_{label}" for label in CLASSES]
    assert [key for key in keys if not WORDS.knows(key)] == []


def test_the_document_shows_the_flows_as_they_are() -> None:
    text = (ACTIONS.parent / "docs" / "dialogue.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", text, re.MULTILINE)
    shown = {label: (told, facts) for label, told, facts in rows if label in FLOWS}
    assert shown.keys() == {label for label, flow in FLOWS.items() if not flow.sentence}
    for label, (told, facts) in shown.items():
        flow = flow_of(label)
        assert facts == ", ".join(flow.facts)
        assert [flow.look_up or "", flow.article or "", flow.advice or ""] == [
            (re.search(pattern, told) or [""] * 2)[1]
            for pattern in (r"records \((\w+)\)", r"article `(\w+)`", r"advice `(\w+)`")
        ]
        assert ("person" in told, "at once" in told) == (flow.person, flow.at_once)
