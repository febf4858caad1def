"""The HTML of a mail, found in its parser process: any charset, any nesting, never a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from channels.mail.html_form import html_form
from tests.fakes.desk import FakeDesk
from tests.mail.harness import channel

GB = "<p>提现未到账</p>".encode("gb18030")
NESTED = (
    b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
    b"--a\r\nContent-Type: text/plain\r\n\r\nwords\r\n--a\r\nContent-Type: text/html; charset=gb2312\r\n\r\n"
    + GB
    + b"\r\n--a--\r\n--m\r\nContent-Type: text/html\r\nContent-Disposition: attachment\r\n\r\n<p>file</p>\r\n--m--\r\n"
)


async def test_the_form_beside_the_plain_text(tmp_path: Path) -> None:
    built = channel(tmp_path, FakeDesk())
    assert built.capabilities.formatted
    try:
        assert await built.formatted(NESTED, {}) == "<p>提现未到账</p>"
        assert await built.formatted(b"Subject: plain\r\n\r\nwords", {}) is None
    finally:
        await built.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 1000,
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: text/html; charset=no-such\r\n\r\n<p>x</p>",
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(1500)),
    ],
)
def test_a_broken_mail_has_a_form_or_none(raw: bytes) -> None:
    assert html_form(raw) in (None, "<p>x</p>")
