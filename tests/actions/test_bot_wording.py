"""Every sentence and button that the actions may choose exists, with the placeholders that they fill."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from actions import decide, matters
from actions.backoffice.contract import DepositStatus, KycStatus, WithdrawalStatus
from actions.commands import BUTTONS
from bot.understanding.labels import CLASSES
from bot.wording import load

WORDS = load()
MOVEMENT = {"amount", "asset", "network", "time", "tx"}


def test_every_sentence_that_decide_names_exists() -> None:
    source = Path(decide.__file__).read_text(encoding="utf-8")
    keys = set(re.findall(r'Say\(key="(\w+)"', source)) | set(matters.SENTENCES.values())
    assert len(keys) > 10
    assert {key for key in keys if not WORDS.knows(f"bot.{key}")} == set()


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
    keys = [f"bot.button_{name}" for name in (*BUTTONS, decide.PROVE)] + [
        f"bot.button_class_{label}" for label in CLASSES
    ]
    assert [key for key in keys if not WORDS.knows(key)] == []
