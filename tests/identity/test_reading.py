"""What messages mean while identity is being proven, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.identity.reading import MASK, Claim, read, wants_proof

STARTS = [
    ("verify me", "验证身份"),
    ("Verify me, please!", "请验证我的身份。"),
    ("I want to prove who I am", "我想证明我是谁"),
    ("can I verify my identity?", "可以验证我的身份吗"[:-1]),
    ("VERIFY MYSELF", "验证一下身份"),
    ("please identify me", "我要验证身份"),
    ("ok verify me now", "身份验证"),
]
NO_STARTS = [
    ("verify my withdrawal", "验证一下我的提现"),
    ("why was my identity verification rejected", "身份验证一直失败"),
    ("verify me, and tell me why my money is gone", "验证身份之前先告诉我钱去哪了"),
    ("you verified me last year", "去年已经验证过身份了"),
    ("", " "),
]


@pytest.mark.parametrize("texts", STARTS)
def test_who_wants_to_prove_it_is_understood(texts: tuple[str, str]) -> None:
    for text in texts:
        assert wants_proof(text, None), text
        assert read(text).starts
        assert read(text).claim is None


@pytest.mark.parametrize("texts", NO_STARTS)
def test_who_speaks_of_something_else_is_not_held_up(texts: tuple[str, str]) -> None:
    for text in texts:
        assert not wants_proof(text, None), text


def test_the_button_and_the_subject_of_a_mail_begin_it_too() -> None:
    assert wants_proof("Prove who I am", "prove")
    assert not wants_proof("verify me", "yes")
    assert wants_proof("10001", None, subject="验证身份")
    assert read("10001", subject="verify me").claim == Claim("uid", "10001")


UID, EMAIL = Claim("uid", "10001"), Claim("email", "emma.clarke@example.com")
CLAIMS = [
    (("10001", "10001。"), UID),
    (("my UID is 10001", "我的UID是10001"), UID),
    (("UID: 10001", "UID：１０００１"), UID),
    (("account 10001", "账号10001"), UID),
    (("10001\n\nBest regards\nEmma", "10001\n\n谢谢\n林晓雯"), UID),
    (("emma.clarke@example.com", "邮箱是emma.clarke@example.com"), EMAIL),
    (("it is emma.clarke@example.com, thanks", "注册邮箱 emma.clarke@example.com，谢谢"), EMAIL),
    (("verify me, UID 10001", "验证身份，UID：10001"), UID),
    (("verify me emma.clarke@example.com", "验证身份 emma.clarke@example.com"), EMAIL),
    (("user_ab12", "user_ab12。"), Claim("uid", "user_ab12")),
    (("I do not know it", "我不记得了"), None),
    (("what are the fees?", "手续费多少？"), None),
    (("order 10001 is missing", "订单 10001 不见了"), None),
]


@pytest.mark.parametrize(("texts", "claim"), CLAIMS)
def test_which_account_is_meant(texts: tuple[str, str], claim: Claim | None) -> None:
    for text in texts:
        assert read(text).claim == claim, text


CODES = [
    (("123456", "１２３４５６"), (MASK, MASK)),
    (("123 456", "123-456"), (MASK, MASK)),
    (("my code is 123456.", "验证码是123456。"), (f"my code is {MASK}.", f"验证码是{MASK}。")),
    (("here you go: 123456 thanks", "给您，123456，谢谢"), (f"here you go: {MASK} thanks", f"给您，{MASK}，谢谢")),
    (("123456\n\nEmma", "123456\n\n林晓雯"), (f"{MASK}\n\nEmma", f"{MASK}\n\n林晓雯")),
]


@pytest.mark.parametrize(("texts", "masked"), CODES)
def test_a_code_is_found_and_hidden(texts: tuple[str, str], masked: tuple[str, str]) -> None:
    for text, wanted in zip(texts, masked, strict=True):
        said = read(text)
        assert (said.code, said.masked) == ("123456", wanted)


NO_CODES = [
    "I sent 500000 SHIB yesterday",
    "我昨天转了500000 SHIB",
    "$123456",
    "123,456.00",
    "order 123456 is missing",
    "订单号 123456 不见了",
    "1234567",
    "12345",
    "123456 and 654321",
    "0x123456",
    "a123456",
    "rates of 0.123456",
    "I wrote to you on the day before yesterday already, my reference was 123456 and nobody ever answered me",
]


@pytest.mark.parametrize("text", NO_CODES)
def test_other_numbers_are_no_codes_and_stay_as_they_are(text: str) -> None:
    said = read(text)
    assert (said.code, said.masked) == (None, text)


@pytest.mark.parametrize(
    "text", ["never mind", "Forget it.", "cancel", "no need, thanks"[:7], "算了", "不用了，谢谢", "取消吧"]
)
def test_who_does_not_want_to_any_more(text: str) -> None:
    assert read(text).never_mind


@given(st.text(max_size=400))
def test_any_text_is_read_and_a_code_never_survives_the_mask(text: str) -> None:
    said = read(text)
    assert said.code is None or (len(said.code) == 6 and said.code not in said.masked)
    assert wants_proof(text, None) == said.starts


@pytest.mark.parametrize(
    "text", ["1" * 100_000, "verify me " * 10_000, "验证身份" * 20_000, "a-" * 50_000, " " * 100_000]
)
def test_long_texts_are_read_at_once(text: str) -> None:
    assert read(text).code is None
