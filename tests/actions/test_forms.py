"""What of a message tells a fact, and what is left to ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.forms import FACTS, LONGEST, answer_to, known, missing, told_by
from actions.memory import SKIPPED
from tests.actions.short import heard

HASH = "0x" + "3f9a12" * 10 + "c07d"


@pytest.mark.parametrize(
    ("label", "text", "told"),
    [
        ("deposit_issue", "I sent 500 USDT on TRC20", {"amount": "500 USDT", "asset": "USDT", "network": "TRC20"}),
        ("deposit_issue", "我充了3万u，走的波场", {"amount": "30000 USDT", "asset": "USDT", "network": "TRON"}),
        ("deposit_issue", f"txid {HASH}", {"tx_hash": HASH}),
        ("trading_order_issue", "my BTC-USDT order", {"pair": "BTC-USDT"}),
        ("trading_order_issue", "I think it is 24/7 and/or open/close", {}),
        ("p2p_dispute", "he does not answer", {}),
    ],
)
def test_what_a_message_tells_unasked(label: str, text: str, told: dict[str, str]) -> None:
    found = told_by(heard(text, label), label)
    assert {name: value for name, value in found.items() if name in told} == told
    assert told or not set(found) & {"pair", "story"}


@pytest.mark.parametrize(
    "text",
    [
        "not paid for 3 days",
        "三天了还没发",
        "since November 20 nothing",
        "11月20日开始就没有了",
        "昨天开始的",
        "since yesterday",
    ],
)
def test_whoever_names_a_time_is_not_asked_since_when(text: str) -> None:
    assert "since" not in missing(
        "login_2fa_recovery", told_by(heard(text, "login_2fa_recovery"), "login_2fa_recovery")
    )


@pytest.mark.parametrize(
    "text",
    [
        "I paid the seller at noon, he says nothing came and now he has blocked me, the order was closed",
        "我中午已经付款给卖家了，他说没收到，现在把我拉黑了，订单也被关闭了，申诉没人理",
    ],
)
def test_whoever_tells_a_story_is_not_asked_what_happened(text: str) -> None:
    assert "story" in told_by(heard(text, "p2p_dispute"), "p2p_dispute")


@pytest.mark.parametrize(
    ("asked", "text", "answer"),
    [
        ("amount", "about 1,200 I think", "1,200"),
        ("amount", "两三百吧", None),
        ("amount", "500 USDT", "500 USDT"),
        ("asset", "300 BTC", "BTC"),
        ("asset", "Kaspa", "Kaspa"),
        ("network", "trc 20", "TRC20"),
        ("network", "币安智能链", "BSC"),
        ("network", "Kaspa mainnet", "Kaspa mainnet"),
        ("tx_hash", HASH, HASH),
        (
            "tx_hash",
            "5VfYD8Q2mLJ6Lwzq7sP3nTkE1cVb9XoRhGdAiUuKWy4ZtM2x",
            "5VfYD8Q2mLJ6Lwzq7sP3nTkE1cVb9XoRhGdAiUuKWy4ZtM2x",
        ),
        ("tx_hash", "TQ5NMqJjhpQGK7YJbESKNjcw1Wk5d6pE2x", None),
        ("tx_hash", "the one of yesterday", None),
        ("movement", "W20261120-77", "W20261120-77"),
        ("movement", HASH, HASH),
        ("order_id", "订单号 8877665544", "8877665544"),
        ("order_id", "it is 8877665544", "8877665544"),
        ("order_id", "没有看到", None),
        ("notice", "Face not recognised, try again", "Face not recognised, try again"),
        ("who", "自称是你们客服，加了我微信", "自称是你们客服，加了我微信"),
    ],
)
def test_what_a_message_answers(asked: str, text: str, answer: str | None) -> None:
    assert answer_to(asked, heard(text, "nlu_fallback")) == answer


@pytest.mark.parametrize(
    ("held", "left"),
    [
        ({}, ("asset", "amount", "movement")),
        ({"asset": "BTC"}, ("amount", "movement")),
        ({"amount": "5 BTC", "asset": "BTC", "order_id": "77"}, ()),
        ({"amount": "5 BTC", "asset": "BTC", "tx_hash": HASH}, ()),
        ({"asset": SKIPPED, "amount": SKIPPED}, ("movement",)),
    ],
)
def test_what_is_held_is_not_asked_for(held: dict[str, str], left: tuple[str, ...]) -> None:
    assert missing("withdrawal_issue", held) == left


def test_what_the_user_cannot_say_goes_into_no_case() -> None:
    assert known({"asset": "BTC", "network": SKIPPED}) == {"asset": "BTC"}


@given(st.sampled_from(sorted(FACTS)), st.text(max_size=500))
def test_any_text_is_an_answer_of_bounded_length_or_none(asked: str, text: str) -> None:
    answer = answer_to(asked, heard(text, "nlu_fallback"))
    assert answer is None or 0 < len(answer) <= max(LONGEST, len(text))
