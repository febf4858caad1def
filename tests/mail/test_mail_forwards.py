"""Forwards keep what they forward; answers between quoted lines stay, in their order."""

from __future__ import annotations

import pytest

from channels.mail.html_text import to_text
from channels.mail.parse import parse
from channels.mail.quotes import is_forward, new_words
from tests.mail.harness import mail_bytes

HEADERS = "From: Desk <c@x.example>\nSent: Sunday\nTo: me\nSubject: x"
HEADERS_ZH = "发件人：客服 <c@x.example>\n发送时间：2026年11月22日 9:00\n收件人：我\n主题：提现"
HEADERS_TW = "寄件者: 客服 <c@x.example>\n寄件日期: 2026年11月22日 上午 9:00\n收件者: 我\n主旨: 提現"

MARKED = {
    "gmail": f"---------- Forwarded message ---------\n{HEADERS}",
    "gmail tw": f"---------- 轉寄的郵件 ---------\n{HEADERS_TW}",
    "apple": f"Begin forwarded message:\n\n{HEADERS}",
    "apple zh": f"开始转发的邮件：\n\n{HEADERS_ZH}",
    "apple tw": f"開始轉寄郵件：\n\n{HEADERS_TW}",
    "thunderbird": f"-------- Forwarded Message --------\n{HEADERS}",
    "thunderbird zh": f"-------- 转发的消息 --------\n{HEADERS_ZH}",
    "163": f"-------- 转发邮件信息 --------\n{HEADERS_ZH}",
    "163 mobile": f"---- 转发的邮件 ----\n{HEADERS_ZH}",
    "alimail": f"------------------转发邮件------------------\n{HEADERS_ZH}",
}
BODY = "Pay 100 USDT here.\n> an older line\n\n--\nThe thief"


@pytest.mark.parametrize("name", MARKED)
@pytest.mark.parametrize("note", ["Is this yours?", "这是你们发的吗？"])
def test_a_marked_forward_is_kept_whole(name: str, note: str) -> None:
    forwarded = f"{MARKED[name]}\n\n{BODY}"
    assert new_words(f"{note}\n\nSent from my iPhone\n\n{forwarded}") == f"{note}\n\n{forwarded}"


SHARED = {
    "outlook": f"________________________________\n{HEADERS}",
    "outlook zh": f"-----原始邮件-----\n{HEADERS_ZH}",
    "outlook tw": f"-----原始郵件-----\n{HEADERS_TW}",
    "qq": f"------------------ 原始邮件 ------------------\n{HEADERS_ZH}",
    "foxmail": HEADERS_ZH,
    "english": f"-----Original Message-----\n{HEADERS}",
}
"""Blocks that the same program puts above a forwarded mail and above the history of a reply."""


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize(
    ("forward", "reply"),
    [("Fwd: x", "Re: x"), ("FW: x", "Re: Fwd: x"), ("转发：x", "回复：转发：x"), ("轉寄: x", "回覆: x")],
)
def test_the_subject_tells_a_forward_from_a_reply(name: str, forward: str, reply: str) -> None:
    text = f"请看下面。\n\n{SHARED[name]}\n\nPay 100 USDT here."
    forwarded = parse(mail_bytes(subject=forward, body=text.replace("\n", "\r\n")), "li@user.example")
    replied = parse(mail_bytes(subject=reply, body=text.replace("\n", "\r\n")), "li@user.example")
    assert (forwarded.kind, replied.kind) == ("message", "message")
    assert forwarded.text.startswith("请看下面。")
    assert forwarded.text.endswith("Pay 100 USDT here.")
    assert replied.text == "请看下面。"


def test_prefixes_of_forwards() -> None:
    assert all(map(is_forward, ("Fwd: x", "FW：x", "Fw: Re: x", "转发:x", "轉寄：x", "WG: x")))
    assert not any(map(is_forward, ("Re: Fwd: x", "回复：转发：x", "Forward my money", "转发给客服", "")))


def test_a_quoted_forward_loses_its_marks_and_no_more() -> None:
    text = "Look:\n\nBegin forwarded message:\n\n> From: x\n> Subject: y\n> \n> Pay.\n>> older"
    assert new_words(text) == "Look:\n\nBegin forwarded message:\n\nFrom: x\nSubject: y\n\nPay.\n> older"


def test_a_forward_in_gmails_html() -> None:
    html = (
        '<div>Yours?</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>'
        "From: x<br>Subject: y<br></div><p>Pay here.</p></div>"
    )
    assert new_words(to_text(html)).endswith("From: x\nSubject: y\nPay here.")


@pytest.mark.parametrize(
    "sentence",
    [
        "I sent you the forwarded message yesterday:",
        "Your forwarded message never came.",
        "我已经把转发邮件给你们了：",
        "请看转发的邮件。",
    ],
)
def test_a_sentence_about_a_forward_is_no_forward(sentence: str) -> None:
    assert new_words(f"{sentence}\n\nOn 22.11.26 09:00, Desk wrote:\n> old") == sentence


INLINE = {
    "gmail": "On Sun, Nov 22, 2026 at 9:00 AM Desk <c@x.example> wrote:",
    "gmail zh": "客服 <c@x.example> 于2026年11月22日周日 09:00写道：",
    "gmail tw": "客服 <c@x.example> 於 2026年11月22日 週日 上午9:00寫道：",
    "gmail without an address": "客服 于2026年11月22日周日 09:00写道：",
    "apple": "On Nov 22, 2026, at 9:00 AM, Desk <c@x.example> wrote:",
    "apple zh": "在 2026年11月22日，上午9:00，客服 <c@x.example> 写道：",
    "apple tw": "客服 <c@x.example> 於 2026年11月22日 上午9:00 寫道：",
    "163": '在 2026-11-22 09:00:12，"客服" <c@x.example> 写道：',
    "163 older": "At 2026-11-22 09:00:12, Desk <c@x.example> wrote:",
    "qq": f"------------------ 原始邮件 ------------------\n{HEADERS_ZH}\n",
    "outlook": f"-----Original Message-----\n{HEADERS}\n",
    "outlook zh": f"-----原始邮件-----\n{HEADERS_ZH}\n",
    "outlook tw": f"-----原始郵件-----\n{HEADERS_TW}\n",
    "alibaba": "-----邮件原件-----",
    "yahoo tw": "於 2026年11月22日 週日 上午9:00，客服 <c@x.example> 來信：",
}


@pytest.mark.parametrize("name", INLINE)
@pytest.mark.parametrize("answers", [("No fee was shown.", "It is 0xabc."), ("没有显示手续费。", "哈希是 0xabc。")])
def test_answers_between_the_lines_stay_in_their_order(name: str, answers: tuple[str, str]) -> None:
    first, second = answers
    text = f"{INLINE[name]}\n> Which fee?\n{first}\n> Which hash?\n>\n> Please tell.\n{second}\n> Bye"
    assert new_words(text) == f"{first}\n{second}"


@pytest.mark.parametrize("name", INLINE)
@pytest.mark.parametrize("answer", ["Still missing.", "还是没有到账。", "還是沒有到帳。"])
def test_history_below_an_answer_goes(name: str, answer: str) -> None:
    assert new_words(f"{answer}\n\n{INLINE[name]}\n\nold words") == answer
    assert new_words(f"{answer}\n{INLINE[name]}\n> old words") == answer


def test_answers_between_the_quotations_of_gmails_html() -> None:
    html = (
        '<div class="gmail_quote"><div class="gmail_attr">On Sunday Desk wrote:</div>'
        '<blockquote class="gmail_quote">Which fee?'
        "</blockquote><div>None was shown.</div><blockquote>Which hash?</blockquote><div>哈希是 0xabc。</div></div>"
    )
    assert new_words(to_text(html)) == "None was shown.\n哈希是 0xabc。"


def test_an_attribution_over_two_lines_does_not_take_the_answer_with_it() -> None:
    text = 'Hello\n02.04.2026 14:20 user "c@x.example" <\nc@x.example> wrote:\n\n> old'
    assert new_words(text) == "Hello"
    assert new_words("谢谢\n客服 <c@x.example> 于2026年11月22日周日\n09:00写道：\n\n> 旧") == "谢谢"


SIGNATURES = [
    "Sent from my iPhone",
    "Sent via mobile",
    "Sent with Airmail",
    "Sent from Yahoo Mail on Android",
    "(sent from a phone)",
    "Li from mobile",
    "Sent from my iPad\nGet Outlook for iOS",
    "发自我的iPhone",
    "来自我的华为手机",
    "從我的 iPhone 傳送",
    "发自 网易邮箱大师客户端",
]


@pytest.mark.parametrize("line", SIGNATURES)
def test_lines_of_mail_programs_go(line: str) -> None:
    assert new_words(f"还没到账。\n\n{line}") == "还没到账。"


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my wallet to your address 0xabc.",
        "Sent from Binance on Sunday.",
        "Sent via TRC20, hash abc",
        "Sent with a fee of 5 USDT",
        "Sent from my phone to your address 0xabc",
        "来自我的币安账户",
        "从我的钱包发送",
        "從我的錢包傳送",
        "I cannot log in from mobile",
    ],
)
def test_what_was_sent_from_where_is_no_signature(line: str) -> None:
    assert new_words(f"It is missing.\n{line}") == f"It is missing.\n{line}"
