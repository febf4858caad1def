"""Hands letters to the configured relay over SMTP and maps its answers to the errors of the contract."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import aiosmtplib

from channels.contract import SendReceipt
from channels.faults import OutcomeUnknown, Rejected, RetryLater
from channels.mail.charset import one_line
from channels.mail.send import Letter
from channels.mail.settings import MailSettings
from channels.mail.transaction import hand_over

MAX_CONNECTIONS = 4
QUIT_SECONDS = 2.0
TROUBLE_AFTER_SECONDS = 60.0


class Relay:
    repeat_harmless = False
    """A relay does not compare Message-IDs: what is sent twice is delivered twice."""

    def __init__(self, settings: MailSettings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._now = now
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._failing_since: float | None = None
        self._last_fault = ""

    async def deliver(self, letter: Letter) -> SendReceipt:
        """Raises RetryLater, Rejected or OutcomeUnknown.

        A relay that refuses *us* keeps the letters waiting until it is set right.
        """
        async with self._slots:
            try:
                answer = await self._send(letter)
            except OutcomeUnknown:
                self._failing("it does not confirm the letters that it gets; check relay_seconds")
                raise
            except aiosmtplib.SMTPException as error:
                raise self._judged(error, letter) from error
            except OSError as error:
                raise self._failing(f"no connection ({type(error).__name__})") from error
            except ValueError as error:  # the library has rules of its own for addresses
                raise Rejected(
                    "the answer cannot be sent: the recipient's address cannot be spoken over SMTP"
                ) from error
        self._failing_since = None
        return SendReceipt(peer_id=one_line(answer, 200))

    def trouble(self) -> str | None:
        if self._failing_since is None or self._now() - self._failing_since < TROUBLE_AFTER_SECONDS:
            return None
        where = f"{self._settings.relay_host}:{self._settings.relay_port}"
        return f"the mail relay {where} does not take our answers: {self._last_fault}"

    async def _send(self, letter: Letter) -> str:
        async with self._connected() as (client, writer):
            answer = await hand_over(client, writer, letter, self._settings.relay_seconds)
            # The letter is taken: a fault in saying goodbye must not look like a fault in sending.
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=QUIT_SECONDS)
            return answer

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[aiosmtplib.SMTP, asyncio.StreamWriter]]:
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.relay_host,
            port=settings.relay_port,
            username=settings.relay_user or None,
            password=settings.relay_password.get_secret_value() or None,
            local_hostname=settings.domain,
            timeout=settings.relay_seconds,
            start_tls=settings.relay_starttls,
        )
        await client.connect()
        if client.protocol is None or client.transport is None:
            raise aiosmtplib.SMTPServerDisconnected("the connection ended at once")
        transport = cast(asyncio.WriteTransport, client.transport)
        writer = asyncio.StreamWriter(transport, client.protocol, None, asyncio.get_running_loop())
        try:
            yield client, writer
        finally:
            # Not close(), which would go on sending what we have given up.
            transport.abort()

    def _judged(self, error: aiosmtplib.SMTPException, letter: Letter) -> RetryLater | Rejected:
        match error:
            case aiosmtplib.SMTPRecipientRefused() | aiosmtplib.SMTPDataError() if error.code >= 400:
                return self._of_recipient(error)
            case aiosmtplib.SMTPResponseException(code=code) if code >= 500:
                # It refused us, not the recipient: a wrong password or sender, the same for every letter.
                return self._failing(f"it answered {code}; check relay_user, relay_password and address")
            case aiosmtplib.SMTPResponseException(code=code):
                return self._failing(f"it answered {code}")
            case aiosmtplib.SMTPNotSupported() if not letter.recipient.isascii():
                return Rejected("the relay cannot send to an address outside ASCII: it offers no SMTPUTF8")
            case _ if type(error) in (aiosmtplib.SMTPNotSupported, aiosmtplib.SMTPException):
                # The library has no class of its own for a missing STARTTLS.
                lacking = "it does not offer STARTTLS or the log-in that is configured"
                return self._failing(f"{lacking}; check relay_starttls and relay_user")
            case _:
                return self._failing(f"the connection failed ({type(error).__name__})")

    def _of_recipient(self, error: aiosmtplib.SMTPResponseException) -> RetryLater | Rejected:
        self._failing_since = None
        if error.code >= 500:
            return Rejected(f"the recipient's mail server refused the answer with {error.code}")
        return RetryLater(f"the recipient's mail server asked to try again later ({error.code})")

    def _failing(self, fault: str) -> RetryLater:
        self._failing_since = self._now() if self._failing_since is None else self._failing_since
        self._last_fault = fault
        return RetryLater(f"the mail relay could not be used: {fault}")
