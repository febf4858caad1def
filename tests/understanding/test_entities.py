"""Which things does a text name?"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.entities import AT_MOST, find_entities

EVM_HASH = "0x88df016429689c079f3b2f6ad39fa052532c56795b733da78a91ebe340a40e0f"
EVM = "0x52908400098527886E0F7030069857D2E4169EE7"
TRON = "TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE"
BTC_OLD = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
BTC_NEW = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("any news on rd-7kwhm-3xtpa?", [("case_number", "RD-7KWHM-3XTPA")]),
        ("RD 7kwhm 3xtpa please", [("case_number", "RD-7KWHM-3XTPA")]),
        ("我的单号是RD-7KWHM-3XTPA，进度如何", [("case_number", "RD-7KWHM-3XTPA")]),
        ("ＲＤ－７ＫＷＨＭ－３ＸＴＰＡ", [("case_number", "RD-7KWHM-3XTPA")]),
        ("rd hello world hello", []),
        ("My UID is 12345678", [("uid", "12345678")]),
        ("我的UID：12345678充值没到", [("uid", "12345678")]),
        ("用户ID 87654321", [("uid", "87654321")]),
        ("order number A20241101-77", [("order_id", "A20241101-77")]),
        ("订单号20241101778没放币", [("order_id", "20241101778")]),
        ("order please, where is it", []),
        (f"tx {EVM_HASH} ok", [("tx_hash", EVM_HASH)]),
        (f"哈希是{EVM_HASH[2:]}请查", [("tx_hash", EVM_HASH[2:])]),
        (f"转到{EVM}了", [("address", EVM)]),
        (f"转到{TRON}了", [("address", TRON)]),
        (f"to {BTC_OLD}.", [("address", BTC_OLD)]),
        (f"to {BTC_NEW},", [("address", BTC_NEW)]),
        ("I sent $1,200.50 today", [("amount", "1200.50 USD")]),
        ("充了500U没到", [("amount", "500 USDT")]),
        ("被骗3万u", [("amount", "30000 USDT")]),
        ("1.5k USDT", [("amount", "1500 USDT")]),
        ("1.25万元", [("amount", "12500 CNY")]),
        ("0.3个ETH", [("amount", "0.3 ETH")]),
        ("2000块", [("amount", "2000 CNY")]),
        ("USDT on TRC-20", [("asset", "USDT"), ("network", "TRC20")]),
        ("比特币走的波场", [("asset", "BTC"), ("network", "TRON")]),
        ("以太坊主网", [("network", "ETHEREUM")]),
        ("write to anna.b@mail.example.org", [("email", "anna.b@mail.example.org")]),
        ("电话 13812345678", [("phone", "13812345678")]),
        ("call +44 20 7946 0958", [("phone", "+442079460958")]),
        ("24/7 since 2019, 3 times", []),
        ("", []),
    ],
)
def test_entities(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(found.kind, found.value) for found in find_entities(text)] == expected


def test_offsets_point_into_the_text_as_given() -> None:
    text = "请查ＵＳＤＴ，UID 12345678，谢谢"
    assert [text[found.start : found.end] for found in find_entities(text)] == ["ＵＳＤＴ", "12345678"]


def test_a_list_of_thousands_is_cut() -> None:
    assert len(find_entities("USDT " * 5000)) == AT_MOST


@given(st.text(max_size=2000) | st.text(alphabet="0123456789.,xabcfRDT -@$k万", max_size=2000))
def test_entities_never_overlap_and_lie_inside(text: str) -> None:
    found = find_entities(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
