"""Which mails are a person's message, and which must never be answered (RFC 3834, 3464, 8098, 5965)."""

from __future__ import annotations

from typing import get_args

import pytest

from channels.contract import Kind
from channels.mail.kind import KindName
from channels.mail.parse import parse
from tests.mail.harness import FIXTURES, mail_bytes

AUTOMATIC = [
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-generated",
    "Auto-Submitted: auto-notified; owner-email=x",
    "Auto-Submitted: auto-replied (vacation)",
    "auto-submitted: AUTO-REPLIED",
    "Precedence: bulk",
    "Precedence: list",
    "Precedence: Junk",
    "Precedence: auto_reply",
    "List-Id: <announce.lists.example>",
    "List-Unsubscribe: <mailto:x@y.example>",
    "X-Autoreply: yes",
    "X-Autorespond: yes",
    "X-Auto-Response-Suppress: All",
    "X-Loop: help@x.example",
]


@pytest.mark.parametrize("field", AUTOMATIC)
def test_fields_of_robots(field: str) -> None:
    assert parse(mail_bytes(extra=field + "\r\n"), "li@user.example").kind == "automatic"


@pytest.mark.parametrize(
    "field", ["Auto-Submitted: no", "Precedence: normal", "X-Mailer: Foxmail 7.2", "Importance: high"]
)
def test_fields_of_people(field: str) -> None:
    assert parse(mail_bytes(extra=field + "\r\n"), "li@user.example").kind == "message"


@pytest.mark.parametrize("sender", ["", "mailer-daemon@x.example", "noreply@x.example", "no-reply@x.example"])
def test_senders_of_robots(sender: str) -> None:
    assert parse(mail_bytes(), sender).kind == "automatic"


@pytest.mark.parametrize("sender", ["nora@x.example", "bounceland.li@x.example", "postmaster@small.example"])
def test_senders_that_may_be_people(sender: str) -> None:
    assert parse(mail_bytes(), sender).kind == "message"


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("Automatic reply: Re: Help", "automatic"),
        ("Out of office", "automatic"),
        ("自动回复: 提现", "automatic"),
        ("【自动回复】", "automatic"),
        ("自动回复没有用，我要人工", "message"),
        ("Re: your automatic reply did not help", "message"),
        ("Undeliverable: my withdrawal", "message"),
        ("退信", "message"),
    ],
)
def test_subjects(subject: str, kind: str) -> None:
    assert parse(mail_bytes(subject=subject), "li@user.example").kind == kind


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
