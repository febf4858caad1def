"""`redress classify`: JSON lines in, JSON lines out, no server and no secrets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.understanding.labels import CLASSES

FIELDS = ["id", "label", "confidence", "escalate", "hand_over", "reasons", "language", "entities"]


def classify(lines: str, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, answers and what was complained about."""
    command = [sys.executable, "-m", "bot.cli", "classify", *arguments]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def as_lines(*texts: str) -> str:
    return "\n".join(json.dumps({"id": number, "text": text}) for number, text in enumerate(texts, 1))


def test_messages_of_both_languages_are_told_apart() -> None:
    code, answers, _ = classify(
        as_lines(
            "someone hacked my account and withdrew all my btc, please help",
            "我的账户被冻结了两个星期，客服一直不回",
            "how do I reset my google authenticator?",
            "提现500 USDT到TRC20三天了还没到账",
        )
    )
    assert code == 0
    assert [list(answer) for answer in answers] == [FIELDS] * 4
    assert [answer["label"] for answer in answers] == [
        "account_security_theft",
        "account_frozen_risk_control",
        "login_2fa_recovery",
        "withdrawal_issue",
    ]
    assert [answer["escalate"] for answer in answers] == [True, True, False, True]
    assert [answer["language"] for answer in answers] == ["en", "zh", "en", "zh"]
    assert "theft" in answers[0]["reasons"]
    assert {"amount", "network"} <= {entity["kind"] for entity in answers[3]["entities"]}


def test_many_messages_come_back_in_their_order() -> None:
    code, answers, _ = classify(as_lines(*["withdrawal pending", "谢谢"] * 75))
    assert code == 0
    assert [answer["id"] for answer in answers] == list(range(1, 151))
    assert {answer["label"] for answer in answers} <= set(CLASSES)


def test_a_bad_line_is_named_and_the_others_are_answered() -> None:
    code, answers, _ = classify(
        '{"id": 1, "text": "hello"}\nnonsense\n[1]\n{"id": 4, "text": 5}\n{"id": 5, "text": ""}\n'
    )
    assert code == 1
    assert [answer["id"] for answer in answers] == [1, None, None, None, 5]
    assert [answer["error"][:6] for answer in answers if "error" in answer] == ["line 2", "line 3", "line 4"]


def test_a_secret_does_not_come_back() -> None:
    secret = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    _, answers, complaint = classify(as_lines(f"my seed phrase is {secret} and my wallet is empty"))
    assert "sausage" not in json.dumps(answers) + complaint


@pytest.mark.parametrize("broken", [False, True])
def test_without_a_readable_model_it_says_so_and_how_to_get_one(broken: bool, tmp_path: Path) -> None:
    model = tmp_path / "bot.tar.gz"
    if broken:
        model.write_bytes(b"\x1f\x8b\x08" + bytes(100))
    code, answers, complaint = classify(as_lines("hello"), "--model", str(model))
    assert (code, answers) == (1, [])
    assert str(model) in complaint
    assert "redress train" in complaint
