"""Which things does a text name?"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding.entities import AT_MOST, find_entities

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
EVM_HASH = "0x88df016429689c079f3b2f6ad39fa052532c56795b733da78a91ebe340a40e0f"
EVM = "0x52908400098527886E0F7030069857D2E4169EE7"
TRON = "TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE"
BTC_OLD = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
BTC_NEW = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
SOL_TX = "3CUncQCTTogfvNB2i5TEzC6d5BaBu44QDCoyojhKDjhu81s2YY6UKf1yK1MPTzPsZRe2dgfYFPTEVFzhqJR1uT2P"

IDENTIFIERS = [
    ("any news on rd-7kwhm-3xtpa?", [("case_number", "RD-7KWHM-3XTPA")]),
    ("RD 7kwhm 3xtpa please", [("case_number", "RD-7KWHM-3XTPA")]),
    ("我的单号是RD-7KWHM-3XTPA，进度如何", [("case_number", "RD-7KWHM-3XTPA")]),
    ("ＲＤ－７ＫＷＨＭ－３ＸＴＰＡ", [("case_number", "RD-7KWHM-3XTPA")]),
    ("rd hello world hello", []),
    ("My UID is 12345678", [("uid", "12345678")]),
    ("我的UID：12345678充值没到", [("uid", "12345678")]),
    ("用户ID 87654321", [("uid", "87654321")]),
    ("用戶編號87654321", [("uid", "87654321")]),
    ("account id: 5550001", [("uid", "5550001")]),
    ("order number A20241101-77", [("order_id", "A20241101-77")]),
    ("订单号20241101778没放币", [("order_id", "20241101778")]),
    ("订单号20261103X77A被取消", [("order_id", "20261103X77A")]),
    ("訂單編號：P2P889900，賣家不放幣", [("order_id", "P2P889900")]),
    ("withdrawal id WD-5512009 is stuck", [("order_id", "WD-5512009")]),
    ("order please, where is it", []),
    ("I forgot the memo 104555872", [("memo", "104555872")]),
    ("destination tag: 88120", [("memo", "88120")]),
    ("忘记填标签了，标签是1099283", [("memo", "1099283")]),
    ("the memo was missing", []),
    ("write to anna.b@mail.example.org", [("email", "anna.b@mail.example.org")]),
    ("邮箱zhang_wei@example.cn收不到验证码", [("email", "zhang_wei@example.cn")]),
    ("电话 13812345678", [("phone", "13812345678")]),
    ("手机号+86 138 1234 5678", [("phone", "+8613812345678")]),
    ("call +44 20 7946 0958", [("phone", "+442079460958")]),
    ("my phone number is 0412 345 678", [("phone", "0412345678")]),
    ("(415) 555-0134 is my number", [("phone", "4155550134")]),
    ("聯繫方式：0912-345-678", [("phone", "0912345678")]),
]

CHAINS = [
    (f"tx {EVM_HASH} ok", "tx_hash", EVM_HASH, "EVM"),
    (f"哈希是{EVM_HASH[2:]}请查", "tx_hash", EVM_HASH[2:], None),
    (f"https://etherscan.io/tx/{EVM_HASH}", "tx_hash", EVM_HASH, "EVM"),
    (f"交易{SOL_TX}一直没确认", "tx_hash", SOL_TX, "SOLANA"),
    (f"转到{EVM}了", "address", EVM, "EVM"),
    (f"我的{EVM}到账了吗", "address", EVM, "EVM"),
    (f"钱包地址：{EVM_HASH}", "address", EVM_HASH, None),
    (f"转到{TRON}了", "address", TRON, "TRON"),
    (f"to {BTC_OLD}.", "address", BTC_OLD, "BITCOIN"),
    (f"to {BTC_NEW},", "address", BTC_NEW, "BITCOIN"),
    (f"to {BTC_NEW.upper()}", "address", BTC_NEW.upper(), "BITCOIN"),
]
CARDANO = "addr1qxekfd4nmd77xv0yphjhuy9pemww5wckhqc7p5v9j9sutcmdams2m78yrq7ftx2rmywvuszwvcseju9n69mfaykl7jwsz4xnhl"
ADDRESSES = {
    "36RMRPQfn5bAn1yvQmcARLs4QXCbeW3EcP": "BITCOIN",
    "bc1pkdjtdv7m0h3nreqdu4lppgwwmn4rk94cx8sdrpv3v8z78cnm2pyq3wjj7g": "BITCOIN",
    "D8GNznh6aBpkbLPkgro4FK5Cg5ve4USDD1": "DOGECOIN",
    "LZ5fQJ7BbZiziuhskxLGyvP9XBjHgzyn3R": "LITECOIN",
    "ltc1qkdjtdv7m0h3nreqdu4lppgwwmn4rk94cl56a96": "LITECOIN",
    "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh": "XRP",
    "D5H3spd8nP6LhaanCCfmmAFbSyY9pkeVhYtpZdejekMm": "SOLANA",
    "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5": "POLKADOT",
    "EQCzZLaz233jMeQN5X4Qoc7c6jsWuDHg0YWRYcXj4ntQSPRB": "TON",
    "GCZWJNVT3N66GMPEBXSX4EFBZ3OOUOYWXAY6BUMFSFQ4LY7CPNIEQRO6": "STELLAR",
    "cosmos1kdjtdv7m0h3nreqdu4lppgwwmn4rk94cdj7je8": "COSMOS",
    "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a": "BITCOIN CASH",
    CARDANO: "CARDANO",
}
NO_ADDRESSES = [
    "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTj",
    "ThisIsJustALongWordWithoutAnyDigit",
    "abcdefghijklmnopqrstuvwxyzabcdefgh",
    "antidisestablishmentarianismwithout",
    "EQCzZLaz233jMeQN5X4Qoc7c6jsWuDHg0YWRYcXj4ntQSPRC",
]

AMOUNTS = [
    ("I sent $1,200.50 on a whim", [("amount", "1200.5 USD")]),
    ("充了500U没到", [("amount", "500 USDT")]),
    ("被骗3万u", [("amount", "30000 USDT")]),
    ("被騙三萬塊", [("amount", "30000 CNY")]),
    ("亏了3w u", [("amount", "30000 USDT")]),
    ("1.5k USDT", [("amount", "1500 USDT")]),
    ("1.25万元", [("amount", "12500 CNY")]),
    ("一万二千美元", [("amount", "12000 USD")]),
    ("两千五U到现在没到", [("amount", "2500 USDT")]),
    ("0.3个ETH", [("amount", "0.3 ETH")]),
    ("2000块", [("amount", "2000 CNY")]),
    ("500多U", [("amount", "500 USDT")]),
    ("USDT 500 was taken", [("amount", "500 USDT")]),
    ("lost 250€ and 40$", [("amount", "250 EUR"), ("amount", "40 USD")]),
    ("1.200,50 € gone", [("amount", "1200.5 EUR")]),
    ("0,005 BTC", [("amount", "0.005 BTC")]),
    ("₹1,00,000 stuck", [("amount", "100000 INR")]),
    ("2 million dollars", [("amount", "2000000 USD")]),
    ("HK$800被扣", [("amount", "800 HKD")]),
    ("人民币500", [("amount", "500 CNY")]),
    ("5 sol and 10 ton", [("amount", "5 SOL"), ("amount", "10 TON")]),
    ("三个比特币", [("amount", "3 BTC")]),
    ("a fee of 5 USDT is too much", [("fee", "5 USDT")]),
    ("$35 fee to withdraw", [("fee", "35 USD")]),
    ("they took 0.003 ETH in gas", [("fee", "0.003 ETH")]),
    ("手续费要12U", [("fee", "12 USDT")]),
    ("扣了我5U手續費", [("fee", "5 USDT")]),
    ("提现100U收了8U的手续费", [("amount", "100 USDT"), ("fee", "8 USDT")]),
    ("0.1% fee", [("fee", "0.1 %")]),
    ("手续费0.2%", [("fee", "0.2 %")]),
    ("it fell by 30%", []),
    ("app version 4.12.1 crashes", []),
    ("I want to talk 2 u", []),
    ("这一块做得不好，一刀切，二元期权", []),
    ("2026元旦", []),
    ("500 people and 3 screens", []),
    ("3 links and 5 near misses, 8 try", []),
]

NAMES = [
    ("USDT on TRC-20", [("asset", "USDT"), ("network", "TRC20")]),
    ("比特币走的波场", [("asset", "BTC"), ("network", "TRON")]),
    ("比特幣現金", [("asset", "BCH")]),
    ("乙太坊主網", [("network", "ETHEREUM")]),
    ("以太坊主网", [("network", "ETHEREUM")]),
    ("以太坊没到账", [("asset", "ETH")]),
    ("bought ethereum, sent it via Ethereum", [("asset", "ETH"), ("network", "ETHEREUM")]),
    ("Bitcoin Cash, not bitcoin", [("asset", "BCH"), ("asset", "BTC")]),
    ("BTC/USDT pair", [("asset", "BTC"), ("asset", "USDT")]),
    ("BNB Smart Chain or 币安智能链", [("network", "BSC"), ("network", "BSC")]),
    ("sent by Lightning Network", [("network", "LIGHTNING")]),
    ("NEAR and SOL are frozen", [("asset", "NEAR"), ("asset", "SOL")]),
    ("click the link near the top, etc.", []),
    ("DO NOT LINK YOUR CARD, NEVER GO NEAR IT", []),
    ("a ton of bugs, lightning fast, optimism", []),
    ("see https://bitcoin.example/usdt", []),
    ("UID88231201提现500USDT到TRC20没到账", [("uid", "88231201"), ("amount", "500 USDT"), ("network", "TRC20")]),
    ("", []),
]


def found_in(text: str) -> list[tuple[str, str]]:
    return [(found.kind, found.value) for found in find_entities(text, NOW)]


@pytest.mark.parametrize(("text", "expected"), [*IDENTIFIERS, *AMOUNTS, *NAMES])
def test_entities(text: str, expected: list[tuple[str, str]]) -> None:
    assert found_in(text) == expected


@pytest.mark.parametrize(
    ("text", "kind", "value", "chain"),
    [*CHAINS, *((f"发到{value}没到", "address", value, chain) for value, chain in ADDRESSES.items())],
)
def test_the_chain_is_told_by_form_and_checksum(text: str, kind: str, value: str, chain: str | None) -> None:
    assert [(one.kind, one.value, one.chain) for one in find_entities(text, NOW)] == [(kind, value, chain)]


@pytest.mark.parametrize("token", NO_ADDRESSES)
def test_what_only_looks_like_an_address(token: str) -> None:
    assert found_in(f"see {token} now") == []


@pytest.mark.parametrize("address", [TRON[:-1] + "x", BTC_OLD[:-1] + "Z", BTC_NEW[:-1] + "x"])
def test_a_mistyped_address_is_one_of_no_chain(address: str) -> None:
    """The slip may be what the complaint is about."""
    (found,) = find_entities(f"sent to {address}", NOW)
    assert (found.kind, found.value, found.chain) == ("address", address, None)


def test_offsets_point_into_the_text_as_given() -> None:
    text = "请查ＵＳＤＴ，UID 12345678，三天前，谢谢"
    assert [text[found.start : found.end] for found in find_entities(text)] == ["ＵＳＤＴ", "12345678", "三天前"]


def test_a_list_of_thousands_is_cut() -> None:
    assert len(find_entities("USDT " * 5000)) == AT_MOST


PIECES = st.sampled_from(
    [
        "0x", EVM, TRON, "年", "月", "3", "三", "天前", "个", "半", "last ", "Tuesday", " May ", "2026-11-03", "$", "%",
        ",", ".", "万", "手续费", "fee ", "USDT", " ", "UID", "order ", "memo ", "+", "-", "99999", "\ud800", "\x00",
        "０", "²", "٣", "NEAR ", "点", ":",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=600) | st.lists(PIECES, max_size=60).map("".join),
    st.datetimes(timezones=st.just(UTC)),
)
def test_any_text_at_any_time(text: str, now: datetime) -> None:
    found = find_entities(text, now)
    assert all(0 <= one.start < one.end <= len(text) and one.value for one in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
    assert find_entities(text, now) == found


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text",
    [
        "0" * 100_000, "1 " * 50_000, "1," * 50_000, "0x" * 50_000, "T" * 100_000, "年" * 100_000, " " * 100_000,
        "3天" * 50_000, "三" * 100_000, "一万" * 50_000, "may " * 25_000, "3-" * 50_000, "a@" * 50_000, "1." * 50_000,
        "比特币" * 33_000, "NEAR " * 20_000, "$1" * 50_000, "\x00" * 100_000, "\ud83d" * 100_000, "👩‍👩‍👧" * 20_000,
        "order " * 16_000, "memo " * 20_000, "a day " * 16_000, "3 Nov " * 16_000, "1/1/" * 25_000, "RD-" * 33_000,
        "手续费" * 33_000, "z" * 128 + "." + "1" * 128, (TRON[:-1] + " ") * 3_000, ("1" * 44 + " ") * 2_000,
    ],
    ids=lambda text: ascii(text[:6]),
)  # fmt: skip
def test_the_worst_text_takes_seconds_at_most(text: str) -> None:
    assert len(find_entities(text, NOW)) <= AT_MOST


def test_threads_do_not_disturb_each_other() -> None:
    texts = [f"转了{number}个比特币 via Ethereum word{number}" for number in range(200)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(found_in, texts)) == [found_in(text) for text in texts]


def test_the_vocabulary_does_not_grow_with_what_people_write() -> None:
    from bot.understanding.entities import names

    found_in("warm up")
    before = len(names._pipeline().vocab.strings)
    for number in range(50):
        found_in(f"never{number} seen{number} before 没见过{number}")
    assert len(names._pipeline().vocab.strings) == before


def test_rasa_needs_no_spacy() -> None:
    """Its environment has none: nothing that classifies may import this package."""
    program = "import sys, bot.understanding.classifier as _; sys.exit('bot.understanding.entities' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_spacy_is_loaded_when_asked_for_and_not_before() -> None:
    program = """
import sys
from bot.understanding.entities import prepare
assert "spacy" not in sys.modules
prepare()
assert "spacy" in sys.modules
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
