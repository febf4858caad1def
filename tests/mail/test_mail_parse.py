"""What the desk understands of mails as real programs write them."""

from __future__ import annotations

import base64

import pytest

from channels.mail.charset import clean, decode
from channels.mail.headers import decoded, from_address
from channels.mail.html_text import to_text
from channels.mail.mime import clean_filename
from channels.mail.parse import ParsedMail, parse
from tests.mail.harness import FIXTURES, mail_bytes


def read(name: str, sender: str = "li@user.example") -> ParsedMail:
    return parse((FIXTURES / name).read_bytes(), sender)


def test_gb2312_mail_with_a_screenshot() -> None:
    mail = read("gb2312_with_screenshot.eml")
    assert mail.subject == "投诉：提现三天未到账，请尽快处理"
    assert mail.text == "您好，我的 USDT 提现三天了还没到账。\n订单号 8812。囍"
    assert [(f.filename, f.content_type, f.data) for f in mail.files] == [
        ("截图.png", "image/png", b"\x89PNG\r\n\x1a\nnot really a picture")
    ]
    assert (mail.kind, mail.urgent, mail.whole, mail.author) == ("message", True, True, "li@user.example")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qq_reply.eml", "还是没有到账，麻烦再查一下。\n谢谢"),
        ("netease_reply.eml", "我已经上传了身份证照片。\n为什么账户还是被冻结？"),
        ("outlook_zh_reply.eml", "请把处理结果告诉我。"),
        ("gmail_reply.eml", "The deposit is still missing."),
        ("html_only.eml", "I was charged twice.\n- order 1\n- order 2\nRefund me & explain.\nJoe"),
        ("out_of_office_zh.eml", "我正在休假，12月1日回来。"),
    ],
)
def test_new_words_only(name: str, text: str) -> None:
    assert read(name).text == text


def test_a_forwarded_mail_is_kept_for_it_is_what_the_user_shows_us() -> None:
    text = read("forwarded_phishing.eml").text
    assert text.startswith("Is this mail really from you?")
    assert "Enter your seed phrase here." in text


def test_ids_for_threading() -> None:
    mail = read("gmail_reply.eml")
    assert mail.message_id == "<gmail@user.example>"
    assert mail.references == "<first@user.example> <r.1.x@exchange.example>"
    assert read("qq_reply.eml").references == "<r.1.x@exchange.example>"


@pytest.mark.parametrize(
    ("subject", "urgent"),
    [("投诉", True), ("我要投訴", True), ("Formal COMPLAINT", True), ("提现未到账", False), ("Question", False)],
)
def test_what_is_urgent(subject: str, urgent: bool) -> None:
    assert parse(mail_bytes(subject=subject), "li@user.example").urgent is urgent


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ("提现".encode("gbk"), "gb2312", "提现"),
        ("囍镕".encode("gb18030"), "GB2312", "囍镕"),
        ("提現".encode("big5"), "Big5", "提現"),
        ("提现".encode("hz"), "hz-gb-2312", "提现"),
        ("カネ".encode("shift_jis"), "Shift_JIS", "カネ"),
        ("환불".encode("euc-kr"), "ks_c_5601-1987", "환불"),
        ("café".encode("latin-1"), "iso-8859-1", "café"),
        ("提现".encode(), "us-ascii", "提现"),
        ("提现".encode("gbk"), "us-ascii", "提现"),
        ("提现".encode("gbk"), "utf-8", "提现"),
        ("提现".encode(), "x-unknown", "提现"),
        ("提现".encode(), None, "提现"),
        ("\ufeff提现".encode(), "utf-8", "提现"),
        ("提现未到账".encode(), "gb2312", "提现未到账"),
        ("提現未到帳".encode(), "big5", "提現未到帳"),
        ("提现未到账，请处理".encode("gbk"), "iso-8859-1", "提现未到账，请处理"),
        ("UID 10023 提现".encode("gbk"), "windows-1252", "UID 10023 提现"),
        ("café".encode(), "iso-8859-1", "café"),
        ("Größe, Äußerung".encode("latin-1"), "iso-8859-1", "Größe, Äußerung"),
        ("información técnica".encode("latin-1"), None, "información técnica"),
        (b"+ADw-script+AD4-", "utf-7", "+ADw-script+AD4-"),
        (b"\\u003cscript", "unicode_escape", "\\u003cscript"),
        (b"\xff\xfe\xfa", "utf-8", "\ufffd\ufffd\ufffd"),
        (b"xn--fsqu00a", "idna", "xn--fsqu00a"),
    ],
)
def test_charsets(data: bytes, label: str | None, text: str) -> None:
    assert decode(data, label) == text


def test_cleaning() -> None:
    assert clean("a\x00b\x1b[31m\r\nc\rd\u202ee\u2028f\tg\ud800😀👩‍👧") == "ab[31m\nc\nde\nf\tg😀👩‍👧"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?q?=E6=8A=95=E8=AF=89?=", "投诉"),
        ("=?utf-8?B?5oqV?= =?utf-8?B?6K+J?=", "投诉"),
        ("=?utf-8?B?5oo=?= =?utf-8?B?lQ==?=", "投"),
        ("Re: =?gb2312?B?zOHP1g==?= 123", "Re: 提现 123"),
        ("=?utf-8?q?a=0D=0ABcc=3A_v@x.y?=", "a Bcc: v@x.y"),
        ("=?utf-8?B?!!!?= 1", "1"),
        ("=?x-unknown?q?abc?=", "abc"),
        ("\udce6\udc8a\udc95", "投"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_encoded_words(value: str, text: str) -> None:
    assert decoded(value) == text


@pytest.mark.parametrize(
    ("values", "address"),
    [
        (["li@user.example"], "li@user.example"),
        (["Li Lei <li@user.example>"], "li@user.example"),
        (['"Lei, Li" <li@user.example>'], "li@user.example"),
        (["=?utf-8?B?5p2O6Zu3?= <li@user.example>"], "li@user.example"),
        (["li@user.example (Li Lei)"], "li@user.example"),
        (["victim@exchange.example <attacker@evil.example>"], None),
        (["a@b.example, c@d.example"], None),
        (["a@b.example", "c@d.example"], None),
        (["Li <li@user.example> <x@y.example>"], None),
        (["undisclosed:;"], None),
        (["\udcff@b.example"], None),
        ([""], None),
        ([], None),
    ],
)
def test_exactly_one_author(values: list[str], address: str | None) -> None:
    assert from_address([("from", value) for value in values]) == address


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.pdf", "a.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\凭证.jpg", "凭证.jpg"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("a\x00b\r\n.txt", "ab .txt"),
        ('<x>:"|?*', "_x______"),
        ("...", "attachment.png"),
        ("", "attachment.png"),
        ("x" * 300 + ".png", "x" * 116 + ".png"),
        ("x" * 1_500 + ".exe", "x" * 116 + ".exe"),
    ],
)
def test_file_names(given: str, name: str) -> None:
    assert clean_filename(given, "image/png") == name


def test_html_says_only_what_is_seen() -> None:
    assert to_text(
        "<p>a</p><!-- hidden --><style>x</style><svg><text>no</text></svg>b<table><tr><td>1<td>2</table>"
    ) == ("a\nb\n1 2")
    assert to_text("a<script>alert('1')</script>b") == "ab"
    assert to_text("<pre>one\ntwo</pre>") == "one\ntwo"
    assert to_text("<blockquote>old<blockquote>older</blockquote></blockquote>new") == "> old\n> > older\nnew"


def test_parts_that_claim_wrongly_to_be_multipart_are_read_as_text() -> None:
    raw = b"Content-Type: multipart/mixed\r\nSubject: x\r\n\r\nMy words.\r\n"
    assert parse(raw, "li@user.example").text == "My words."


@pytest.mark.parametrize("words", ["My withdrawal is stuck.", "提现没有到账。"])
def test_parts_behind_another_boundary_than_the_named_one(words: str) -> None:
    encoded = base64.b64encode(words.encode()).decode()
    raw = (
        'Subject: x\r\nContent-Type: multipart/mixed; boundary="one"\r\n\r\n--two\r\n'
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{encoded}\r\n--two\r\nContent-Type: image/png\r\n\r\nx\r\n--two--\r\n"
    )
    mail = parse(raw.encode(), "li@user.example")
    assert mail.text == words
    assert [file.content_type for file in mail.files] == ["image/png"]


def test_plain_text_that_says_nothing_gives_way_to_html() -> None:
    raw = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: text/plain\r\n\r\n \r\n--x\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--x--\r\n"
    )
    assert parse(raw, "li@user.example").text == "Hello"


def test_an_enclosed_message_is_evidence_not_the_senders_words() -> None:
    inner = b"From: x@y.example\r\nSubject: inner\r\n\r\nFrom here on\r\n"
    raw = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nSee below.\r\n"
        b"--x\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--x--\r\n"
    )
    mail = parse(raw, "li@user.example")
    assert mail.text == "See below."
    assert [(f.filename, f.data) for f in mail.files] == [("message.eml", inner)]


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
@pytest.mark.parametrize("field", ["Content-Disposition: attachment; filename", "Content-Type: image/png; name"])
def test_file_names_in_raw_bytes(charset: str, field: str) -> None:
    raw = f'Subject: x\r\n{field}="截图 1.png"\r\n\r\nx'.encode(charset)
    assert parse(raw, "li@user.example").files[0].filename == "截图 1.png"
