"""A mail of the desk as its reader sees it."""

from __future__ import annotations

from email.message import EmailMessage


def plain_text(mail: EmailMessage) -> str:
    """The plain form of the answer, lines ended by LF; "" when it has none."""
    part = mail.get_body(("plain",))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def html_text(mail: EmailMessage) -> str:
    """The HTML form of the answer as it stands; "" when it has none."""
    part = mail.get_body(("html",))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
