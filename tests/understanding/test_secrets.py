"""What of a message must reach nobody, and that nothing else of it is touched."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mnemonic import Mnemonic

from bot.understanding.entities import find_entities
from bot.understanding.reading import read
from bot.understanding.secrets import KINDS, find_secrets, redact
from bot.understanding.secrets.cards import is_card
from bot.understanding.secrets.view import HIDDEN
from tests.understanding.secrets_cases import EN, HARMLESS, HEX, SHOWN, WIF, XPRV, ZH

SECONDS = 5
LONG = 100_000
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize(("kind", "text", "secret"), SHOWN)
def test_a_secret_is_removed(kind: str, text: str, secret: str) -> None:
    assert secret in text
    redacted = redact(text)
    assert kind in redacted.kinds
    assert secret not in redacted.text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert redact(text).text == text


def test_both_languages_are_looked_at_alike() -> None:
    for cases in ([text for _, text, _ in SHOWN], HARMLESS):
        assert min(sum(bool(CHINESE.search(text)) for text in cases), sum(text.isascii() for text in cases)) > 25


@pytest.mark.parametrize(("kind", "text", "secret"), SHOWN)
def test_redacting_twice_is_redacting_once(kind: str, text: str, secret: str) -> None:
    once = redact(text).text
    assert redact(once).text == once


def test_the_words_in_place_of_a_secret_are_in_the_language_of_the_message() -> None:
    assert redact("我的密码是 Hunter2!，帮我看看").text == "我的密码是 [已隐去密码]!，帮我看看"
    assert redact("my password is Hunter2, have a look").text == "my password is [password removed], have a look"
    assert redact(ZH).text == "[已隐去助记词]"


def test_the_graver_kind_comes_first_and_names_what_overlaps() -> None:
    text = f"password is hunter2, code 482913, card 4111 1111 1111 1111, private key {HEX}"
    assert redact(text).kinds == ("private_key", "card_number", "password", "one_time_code")
    [secret] = find_secrets(f"password: {WIF}")
    assert secret.kind == "private_key"


def test_what_the_desk_works_with_survives_beside_a_secret() -> None:
    text = f"RD-7KWHM-3XTPA: 2,500 USDT from uid 12345678, txid 0x{HEX[::-1]}, phone 13812345678, password is hunter2"
    before, after = find_entities(text), find_entities(redact(text).text)
    assert [(entity.kind, entity.value) for entity in before] == [(entity.kind, entity.value) for entity in after]


def test_a_card_needs_its_issuer_its_length_and_its_check_digit() -> None:
    assert is_card("4111111111111111")
    assert not is_card("4111111111111112")
    assert not is_card("411111111111111")
    assert not is_card("9111111111111111")


WALLETS = [
    (name, words) for name in ("english", "chinese_simplified", "chinese_traditional") for words in (12, 15, 18, 21, 24)
]


@st.composite
def phrases(draw: st.DrawFn) -> str:
    language, words = draw(st.sampled_from(WALLETS))
    entropy = draw(st.binary(min_size=words * 4 // 3, max_size=words * 4 // 3))
    between = draw(st.sampled_from([" ", "\n", ", ", " - ", "、"]))
    return Mnemonic(language).to_mnemonic(entropy).replace(" ", between)


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, str]:
    """A secret as people write it, and what of it must not be found afterwards."""
    number = draw(st.integers(10**5, 10**6 - 1))
    # Of digits alone a key does not exist but by a chance of one in 10**13; all zeros is none at all.
    hexadecimal = draw(st.binary(min_size=32, max_size=32).filter(lambda key: not key.hex().isdigit())).hex()
    token = draw(st.from_regex(r"\A[A-Z]{2}[a-z]{8}[0-9]{3}[A-Za-z0-9]{27}\Z"))
    word = draw(st.from_regex(r"\A[A-Z][a-z]{4,8}[0-9]{2,4}\Z"))
    phrase = draw(phrases())
    forms = [
        (phrase, phrase),
        (WIF, WIF),
        (XPRV, XPRV),
        ("4111 1111 1111 1111", "1111 1111 1111"),
        *((f"{label}{hexadecimal}", hexadecimal) for label in ("private key: ", "我的私钥是")),
        *((f"{label}{token}", token) for label in ("api secret: ", "API密钥：")),
        *((f"{label}{number}", str(number)) for label in ("verification code: ", "验证码是", "谷歌验证码 ")),
        *((f"{label}{word}", word) for label in ("password is ", "密码：", "my pw is ")),
    ]
    return draw(st.sampled_from(forms))


ANY_TEXT = st.text(max_size=60)


@given(before=ANY_TEXT, secret=planted(), after=ANY_TEXT)
@settings(max_examples=400, deadline=None)
def test_no_surroundings_save_a_planted_secret(before: str, secret: tuple[str, str], after: str) -> None:
    """Set off by an empty line and a sentence: what touches it may be part of another word, or make an amount of it."""
    written, must_go = secret
    assert must_go not in redact(f"{before}\n{written}\n\nThank you. {after}").text


@given(st.text(alphabet=st.characters(), max_size=400))
@settings(max_examples=400, deadline=None)
def test_nothing_that_can_be_typed_breaks_it(text: str) -> None:
    secrets = find_secrets(text)
    assert all(secret.kind in KINDS and 0 <= secret.start < secret.end <= len(text) for secret in secrets)
    assert all(one.end <= other.start for one, other in pairwise(secrets))
    once = redact(text).text
    assert redact(once).text == once


ATTACKS = [
    *("1", "4", "4 ", "4111 1111 1111 1111 ", "a1", "a1 ", "a1b2c3d4e5f6g7h8 ", "[1,2,", f" {WIF}", "key: abc2 "),
    *(
        "zoo ",
        "abandon ",
        "the zoo zoo zoo zoo zoo zoo zoo zoo ",
        "a_",
        "助记词",
        "种子旦",
        "旦 ",
        "旦,",
        "eyJaaaaaaaaaaaa.",
    ),
    *(
        "password is ",
        "password for ",
        "密码是",
        "code is::: ",
        "otp 12345 ",
        "验证码就是：",
        "1234 is my ",
        "1234这是",
    ),
    *("private key ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----- a"),
    *("\0", "\ufdfa", "\u200b", " ", "\n", "\ue000", "\U000e0001"),
]


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("piece", ATTACKS, ids=range(len(ATTACKS)))
def test_a_long_message_is_searched_in_time(piece: str) -> None:
    text = (piece * (LONG // len(piece) + 1))[:LONG]
    assert len(redact(text).text) <= 3 * LONG


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize(
    "text", ["7" * 10_000, "7 " * 10_000, "\x00\x1b[2J\x7f" * 2_000, "投诉" * 50_000, f"{EN} " * 1_500]
)
def test_reading_takes_what_redacting_leaves(text: str) -> None:
    assert read(redact(text).text).as_metadata()


def test_every_kind_has_words_in_both_languages_that_are_no_secret() -> None:
    for kind in KINDS:
        assert all(redact(f"my {words} 是 {words}").kinds == () for words in HIDDEN[kind].values())
