"""What is new in a reply, and what users write that only looks like history."""

from __future__ import annotations

import pytest

from channels.mail.quotes import new_words

STRIPPED = {
    "gmail": "Still missing.\n\nOn Sun, Nov 22, 2026 at 9:00 AM Desk <c@x.example> wrote:\n\n> old",
    "gmail over two lines": "Still missing.\n\nOn Sun, Nov 22, 2026 at 9:00 AM Long Name <\nc@x.example> wrote:\n> old",
    "gmail unquoted": "Still missing.\n\nOn Sun, Nov 22, 2026 at 9:00 AM Desk <c@x.example> wrote:\n\nold words",
    "apple": "Still missing.\n\nOn Nov 22, 2026, at 9:00 AM, Desk wrote:\n\n> old",
    "thunderbird, answer below": "On 22.11.26 09:00, Desk wrote:\n> old\n\nStill missing.",
    "answers between": "On 22.11.26 09:00, Desk wrote:\n> one?\nStill missing.\n> two?",
    "outlook": "Still missing.\n\n-----Original Message-----\nFrom: Desk\nSent: today\nold",
    "outlook block": "Still missing.\n\nFrom: Desk\nSent: Sunday\nTo: me\nSubject: Re: x\n\nold",
    "outlook bold": "Still missing.\n\n*From:* Desk\n*Sent:* Sunday\n*Subject:* x\n\nold",
    "outlook rule": "Still missing.\n\n" + "_" * 32 + "\nFrom: Desk\nTo: me\nSubject: x\n\nold",
    "163": 'Still missing.\n\n\nAt 2026-11-22 09:00:00, "Desk" <c@x.example> wrote:\n\nold',
    "signature": "Still missing.\n-- \nLi Lei\nShanghai",
    "phone": "Still missing.\n\nSent from my iPhone",
    "phone zh": "Still missing.\n\n发自我的小米手机",
    "qq": "Still missing.\n\n------------------ 原始邮件 ------------------\n发件人: x\n旧",
    "163 zh": "Still missing.\n\n在 2026年11月22日 09:00，客服 <c@x.example> 写道：\n> 旧",
    "ios zh": "Still missing.\n\n> 在 2026年11月22日，上午9:00，客服 <c@x.example> 写道：\n> \n> 旧",
    "gmail zh": "Still missing.\n\n客服 <c@x.example> 于2026年11月22日周日 09:00写道：\n\n> 旧",
    "gmail zh over two lines": "Still missing.\n\n客服 <c@x.example> 于2026年11月22日周日\n09:00写道：\n\n> 旧",
    "gmail tw": "Still missing.\n\n客服 <c@x.example> 於 2026年11月22日 週日 上午9:00寫道：\n\n> 舊",
    "foxmail": "Still missing.\n\n发件人： 客服\n发送时间： 2026-11-22 09:00\n收件人： 我\n主题： Re: x\n旧",
    "outlook tw": "Still missing.\n\n寄件者: 客服\n寄件日期: 2026年11月22日\n收件者: 我\n主旨: x\n\n舊",
    "alimail": "Still missing.\n\n------------------回复的原邮件------------------\n发件人：客服\n旧",
}


@pytest.mark.parametrize("name", STRIPPED)
def test_history_is_stripped(name: str) -> None:
    assert new_words(STRIPPED[name]) == "Still missing."


KEPT = [
    "On 3 May your agent wrote:\nwe will refund you.\nNothing came.",
    "客服写道：\n会退款。\n但是没有。",
    "From: 0xabc\nTo: 0xdef\nDate: 2026-11-22\nAmount: 5 ETH\nIt never arrived.",
    "I asked three things:\n- the fee\n- the hash\n- the date",
    "从 A 转到 B：\n收件人: 0xdef\n金额: 100 USDT\n没有到账。",
    "My UID is:\n10023",
    "Thanks,\nI still have no answer.",
    "谢谢，\n但是钱还没有到。",
    "a > b and b > c",
    "5 -- 6 days",
    "",
]


@pytest.mark.parametrize("text", KEPT)
def test_users_own_words_stay(text: str) -> None:
    assert new_words(text) == text


@pytest.mark.parametrize(
    "text", ["> only old words", "--\nLi Lei", "Sent from my iPhone", "-----Original Message-----"]
)
def test_when_nothing_would_be_left_all_is_kept(text: str) -> None:
    assert new_words(text) == text


@pytest.mark.parametrize(
    "line",
    [
        "-" * 100_000,
        "- " * 50_000 + "x",
        "On " + "@" * 100_000,
        "<" * 100_000 + "wrote:",
        "发件人" * 30_000,
        ">" * 99_999,
    ],
)
@pytest.mark.timeout(5)
def test_cost_is_linear(line: str) -> None:
    assert new_words(f"{line}\n{line} wrote:\n" * 3)
