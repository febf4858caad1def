"""Which mails are a person's message, and which must never be answered (RFC 3834, 3464, 8098, 5965)."""

from __future__ import annotations

from typing import get_args

import pytest

from channels.contract import Kind
from channels.mail.kind import KindName
from channels.mail.parse import parse
from tests.mail.harness import FIXTURES, mail_bytes


def test_a_bounce_without_a_report_part() -> None:
    assert parse(mail_bytes(subject="Undelivered Mail Returned to Sender"), "").kind == "bounce"
    assert parse(mail_bytes(subject="系统退信"), "").kind == "bounce"


@pytest.mark.parametrize(
    ("report", "part", "kind"),
    [
        ("delivery-status", "message/delivery-status", "bounce"),
        ("disposition-notification", "message/disposition-notification", "read_receipt"),
        ("feedback-report", "message/feedback-report", "feedback_report"),
    ],
)
def test_reports(report: str, part: str, kind: str) -> None:
    body = (
        f"--x\r\nContent-Type: text/plain\r\n\r\nA report.\r\n--x\r\nContent-Type: {part}\r\n\r\nA: b\r\n\r\n--x--\r\n"
    )
    for type_ in (f'multipart/report; report-type={report}; boundary="x"', 'multipart/mixed; boundary="x"'):
        raw = f"Content-Type: {type_}\r\nMIME-Version: 1.0\r\n\r\n{body}".encode()
        assert parse(raw, "someone@x.example").kind == kind


def test_chinese_out_of_office() -> None:
    assert parse((FIXTURES / "out_of_office_zh.eml").read_bytes(), "wang@user.example").kind == "automatic"


def test_names_are_those_of_the_contract() -> None:
    assert set(get_args(KindName.__value__)) == {kind.value for kind in Kind}
