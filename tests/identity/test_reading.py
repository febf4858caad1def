"""What messages mean while identity is being proven, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.identity.claims import Claim
from bot.identity.digits import MASK
from bot.identity.reading import asks, read, wants_proof

STARTS = [
    ("verify me", "验证身份"),
    ("Verify me, please!", "请验证我的身份。"),
    ("I want to prove who I am", "我想证明我是谁"),
    ("can I verify my identity?", "可以验证我的身份吗"),
    ("VERIFY MYSELF", "验证一下身份"),
    ("please identify me", "我要验证身份"),
    ("ok verify me now", "身份验证"),
    ("how can I verify my identity?", "请问怎么验证身份"),
    ("could I confirm my identity?", "可以验证身份吗？"),
    ("I want to verify my identity", "我想验证一下我的身份"),
    ("please verify my identity", "验证一下我的身份"),
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
    (("UID: user_ab12", "账号是user_ab12。"), Claim("uid", "user_ab12")),
    (("ab10001", "ab10001。"), Claim("uid", "ab10001")),
    (("10001, my account was hacked", "10001，我的账户被盗了"), UID),
    (("sorry, my UID should be 10001", "对不起，UID应该是10001"), UID),
    (("I do not know it", "我不记得了"), None),
    (("what are the fees?", "手续费多少？"), None),
    (("order 10001 is missing", "订单 10001 不见了"), None),
    (("500", "五百"), None),
    (("500u", "500u。"), None),
    (("trc20", "TRC20"), None),
    (("2024-05-01", "2024-05-01。"), None),
    (("it is 500", "是500"), None),
    (("my account 500 USDT short", "账户500u不见了"), None),
    (("50000 USDT were stolen", "50000个USDT被盗"), None),
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
    (("12 34 56", "1 2 3 4 5 6"), (MASK, MASK)),
    (("code123456", "验证码123.456"), (f"code{MASK}", f"验证码{MASK}")),
    (("123456thx", "_123456_"), (f"{MASK}thx", f"_{MASK}_")),
    (("123456. I was hacked", "123456，我被盗了"), (f"{MASK}. I was hacked", f"{MASK}，我被盗了")),
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


GROUPS = {
    "12 34 56 78": {"123456", "345678"},
    "my code is123456please": {"123456"},
    "１２．３４．５６": {"123456"},
    "123–456": {"123456"},
    "0.123456 BTC": {"123456"},
    "since 2024-05-01 and 2024/05/02": set(),
    "138-0013-8000 or +44 20 7946 0958": set(),
    "ab123456@example.com": set(),
    "123  456": set(),
    "1234567": set(),
    "RD-ABCD1-23456": set(),
    "0x" + "a123456b" * 8: set(),
    "0x" + "a123456b" * 5: set(),
    "UID 123456": set(),
    "UID 123456 or 654321": {"654321"},
}


@pytest.mark.parametrize("text", GROUPS)
def test_what_is_compared_with_the_code_that_was_sent(text: str) -> None:
    assert read(text).groups == GROUPS[text]


ANSWERS = [
    ("123456", "１２３４５６"),
    ("Hi, my code is 123456, thank you very much!", "您好，我的验证码是123456，谢谢您！"),
    ("123456\n\nBest regards\nEmma Clarke\n+44 20 7946 0958", "123456\n\n此致\n敬礼\n林晓雯\n手机：13800138000"),
    ("123456\n\nSent from my phone", "123456\n\n发自我的手机"),
    ("123456\n\nOn Monday the desk wrote:\n> Write the code", "123456\n\n客服写道：\n> 请发送验证码"),
    ("sorry, my UID is 10001", "不好意思，UID应该是10001"),
    ("verify me, UID 10001, thanks", "验证身份，UID：10001，谢谢"),
    ("it is emma@example.com, thanks", "邮箱写错了，正确的是 emma@example.com"),
]
MORE = [
    ("482913. My account was hacked, freeze it now please!", "482913。我的账户被盗了，请马上冻结！"),
    ("code 123456, help", "验证码123456，我账户里的五百个USDT昨晚被盗了，请马上冻结我的账户，谢谢"),
    ("482913\n\nBy the way, 500 USDT were stolen, freeze it", "482913\n\n账户被盗"),
    ("482913\n\nAccount Hacked", "482913\n\n钱没了"),
    ("482913\nStolen", "482913\n余额不对"),
    ("482913\nHijacked", "482913，邮箱不是我的"),
    ("482913, this is not my account", "482913，我的账户呢"),
    ("482913\n\nRegards\nEmma\nPS freeze my account", "482913\n\n谢谢\n林晓雯\n另外请冻结账户"),
    ("verify me, UID 10001, my account was hacked", "我的UID是10001，账户昨晚被盗了，请立即冻结"),
    ("emma@example.com my money is gone", "emma@example.com 钱没了"),
]


@pytest.mark.parametrize("texts", ANSWERS)
def test_courtesy_signature_and_quotation_are_no_question(texts: tuple[str, str]) -> None:
    for text in texts:
        assert read(text).whole, text


@pytest.mark.parametrize("texts", MORE)
def test_whatever_else_is_said_is_not_swallowed(texts: tuple[str, str]) -> None:
    for text in texts:
        assert not read(text).whole, text


def test_the_subject_of_a_first_mail_is_said_too() -> None:
    assert not read("verify me", subject="My account was hacked").whole
    assert read("10001", subject="Re: 验证身份").rest
    assert read("10001", subject="验证身份").whole
    assert not read("我的账户被盗了", subject="验证身份").whole


QUESTIONS = [("where is my withdrawal", "被盗了"), ("UID 10001, I was hacked", "UID 10001，被盗了"), ("help", "提现")]
NO_QUESTIONS = [("yes", "否"), ("ok, thanks", "好的，谢谢"), ("UID 10001", "我的UID是10001"), (MASK, f"验证码{MASK}")]


@pytest.mark.parametrize("texts", QUESTIONS)
def test_a_short_question_may_wait_for_the_proof(texts: tuple[str, str]) -> None:
    assert all(asks(text) for text in texts)


@pytest.mark.parametrize("texts", [*NO_QUESTIONS, ("verify me", "验证身份"), ("never mind", "算了")])
def test_what_belongs_to_the_proof_is_not_what_waits(texts: tuple[str, str]) -> None:
    assert not any(asks(text) for text in texts)


@pytest.mark.parametrize("text", NO_CODES)
def test_other_numbers_are_no_codes_and_stay_as_they_are(text: str) -> None:
    said = read(text)
    assert (said.code, said.masked) == (None, text)


@pytest.mark.parametrize(
    "text",
    [
        "never mind",
        "Forget it.",
        "cancel",
        "no need, thanks",
        "never mind, thanks",
        "不想验证了",
        "算了",
        "不用了，谢谢",
        "取消吧",
    ],
)
def test_who_does_not_want_to_any_more(text: str) -> None:
    assert read(text).never_mind


@given(st.text(max_size=400))
def test_any_text_is_read_and_a_code_never_survives_the_mask(text: str) -> None:
    said = read(text)
    assert said.code is None or (len(said.code) == 6 and said.code not in said.masked)
    assert wants_proof(text, None) == said.starts


@pytest.mark.parametrize(
    "text", ["1" * 100_000, "verify me " * 10_000, "验证身份" * 20_000, "a-" * 50_000, " " * 100_000, "1 2 " * 25_000]
)
def test_long_texts_are_read_at_once(text: str) -> None:
    assert read(text).code is None
