"""Somebody who writes e-mail: over SMTP in, out of the Maildir back."""

from __future__ import annotations

import asyncio
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

import aiosmtplib

from bot.demo.stage import DemoFailed, Say

PATIENCE_SECONDS = 150.0
"""A mail may wait this long for an assistant that is just starting."""


class Correspondent:
    def __init__(self, host: str, port: int, maildrop: Path, address: str, say: Say) -> None:
        self._host = host
        self._port = port
        self._maildrop = maildrop
        self.address = address
        self._say = say

    async def write(
        self,
        to: str,
        subject: str,
        text: str,
        attachment: tuple[str, bytes] | None = None,
        answers: EmailMessage | None = None,
    ) -> str:
        """Sends a mail; its Message-ID."""
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = self.address, to, subject
        mail["Message-ID"] = make_msgid(domain="mail.example")
        if answers is not None:
            mail["In-Reply-To"] = mail["References"] = answers["Message-ID"]
        mail.set_content(text)
        if attachment is not None:
            name, data = attachment
            mail.add_attachment(data, maintype="image", subtype="png", filename=name)
        await aiosmtplib.send(mail, sender=self.address, recipients=[to], hostname=self._host, port=self._port)
        shown = f"{subject}\n{text}" + (f"\n[{attachment[0]}]" if attachment else "")
        self._say(self.address, shown)
        return str(mail["Message-ID"])

    async def hear(self, answers: str, *, beyond: int = 0) -> EmailMessage:
        """The answer to the mail with this Message-ID; with `beyond`, the one after that many."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = [mail for mail in await asyncio.to_thread(self._read) if answers in str(mail["References"])]
            if len(found) > beyond:
                self._say(str(found[beyond]["From"]), f"{found[beyond]['Subject']}\n{_text(found[beyond])}")
                return found[beyond]
            await asyncio.sleep(0.3)
        raise DemoFailed(f"no answer to {self.address} in {PATIENCE_SECONDS:g} s")

    def _read(self) -> list[EmailMessage]:
        """Answers to us, oldest first."""
        found = []
        for path in sorted((self._maildrop / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            assert isinstance(mail, EmailMessage)
            if self.address in str(mail["To"]):
                found.append(mail)
        return found


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return "" if body is None else str(body.get_content()).strip()
