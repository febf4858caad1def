"""What the trained model makes of posts that only hold our name. None of those that complain may be set aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.overheard import Ruling, heard, ruling
from actions.turn import read_turn
from bot.understanding.archive import classifier_of
from bot.understanding.judge import Judge
from bot.understanding.reading import read
from tests.understanding.nlu_data import ROOT

MODEL: Path = ROOT / "models" / "bot.tar.gz"
RANKED = 10
"""So many labels Rasa passes on."""
NO_COMPLAINTS = (
    "Big thanks to the Demo Exchange team, great service",
    "Join Demo Exchange with my referral code X7 and get $50 bonus!!!",
    "Good morning crypto family! Demo Exchange to the moon",
    "Bitcoin pumps to 100k, Demo Exchange and others see inflows",
    "演示交易所真好用，提现秒到账，点赞",
    "用我的邀请码注册演示交易所，送 50U",
    "比特币突破十万美元，演示交易所成交量创新高",
)
COMPLAINTS = (
    "Demo Exchange stole my money, withdrawal of 3 BTC pending for two weeks, no answer from support",
    "my withdrawal from Demo Exchange is stuck",
    "Demo Exchange froze my account for no reason",
    "Demo Exchange support is useless, 5 tickets and nobody answers",
    "演示交易所冻结了我的账户，客服不理人",
    "演示交易所提现三天没到账，骗子",
)
BORDERLINE = (
    "Demo Exchange fees are crazy high",
    "anyone else having problems with demo exchange today?",
    "Same thing happened to me on Demo Exchange",
    "still nothing from demo exchange",
    "BREAKING: Demo Exchange hacked, $100M stolen, police investigate",
    "演示交易所垃圾",
    "求助：演示交易所怎么提币？",
)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(classifier_of(MODEL))


def ruled(judge: Judge, text: str) -> Ruling:
    judged = judge.judge(text)
    ranking = [{"name": name, "confidence": share} for name, share in judged.classification.ranking[:RANKED]]
    intent = {**ranking[0], "escalate": judged.escalate}
    metadata = {**read(text).as_metadata(), "overheard": True}
    message = {"text": text, "intent": intent, "intent_ranking": ranking, "metadata": metadata}
    return ruling(heard(read_turn(message, {})))


@pytest.mark.parametrize("text", NO_COMPLAINTS)
def test_praise_greetings_and_advertising_are_set_aside(judge: Judge, text: str) -> None:
    assert ruled(judge, text) is Ruling.SET_ASIDE


@pytest.mark.parametrize("text", COMPLAINTS)
def test_complaints_become_cases(judge: Judge, text: str) -> None:
    assert ruled(judge, text) is Ruling.COMPLAINT


@pytest.mark.parametrize("text", BORDERLINE)
def test_what_may_be_one_goes_to_a_person(judge: Judge, text: str) -> None:
    assert ruled(judge, text) is Ruling.PERSON
