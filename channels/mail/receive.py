"""Takes mail over SMTP: a message is answered 250 only when `accept` has stored it."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, override

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.contract import Accepted, Figures
from channels.faults import NotStored
from channels.mail.addresses import AddressBook
from channels.mail.data import Room
from channels.mail.doors import Doors
from channels.mail.intake import Intake, hops
from channels.mail.pace import Pace
from channels.mail.settings import MailSettings
from channels.mail.smtp import FULL, TOO_FAST, TRY_LATER, ComplaintSession
from channels.mail.tls import Certificate

ANSWER_SECONDS = 14.0
"""The client hears an answer within this time; a commit that takes longer still counts, and the client's next
attempt is recognised as the same message."""
STOP_SECONDS = 4.5
"""All of `stop` together: the desk needs the rest of its 20 seconds to finish what was taken."""
MAX_HOPS = 50
_FULL_DISK = re.compile(r"disk is full|no space left|disk full|quota", re.IGNORECASE)

log = structlog.get_logger()


class Receiver:
    """The listener. `address` is where it listens once it was started."""

    def __init__(self, settings: MailSettings, book: AddressBook, intake: Intake) -> None:
        """Raises ValueError when the certificate cannot be used."""
        self._settings = settings
        self._book = book
        self._intake = intake
        self._doors = Doors(settings.max_sessions, settings.max_sessions_per_address)
        self._room = Room(settings.max_bytes_in_hand)
        self._pace = Pace(settings)
        self._certificate = _certificate(settings)
        self._storing: set[asyncio.Task[Accepted]] = set()
        self._server: asyncio.Server | None = None
        self.address: tuple[str, int] | None = None

    @property
    def listening(self) -> bool:
        return self._server is not None and self._server.is_serving()

    def trouble(self) -> str | None:
        return None if self._certificate is None else self._certificate.trouble()

    def figures(self) -> Figures:
        return Figures(connections=len(self._doors.sessions), refused=dict(self._doors.refused))

    async def start(self, host: str, port: int) -> None:
        """Raises OSError when the port is in use."""
        # The library logs every command, and with it the addresses of users.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
        self._server = await asyncio.get_running_loop().create_server(self._session, host, port, backlog=256)
        self._doors.closed = False
        bound = self._server.sockets[0].getsockname()
        self.address = (bound[0], bound[1])

    async def stop(self) -> None:
        """Closes the door. Messages that are being stored are finished and answered; all in `STOP_SECONDS`."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._doors.closed = True
        for session in self._doors.sessions:
            session.stop()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._doors.empty.wait()
                while self._storing:
                    await asyncio.wait(self._storing)
        except TimeoutError:
            log.warning("mail_stop_incomplete", sessions=len(self._doors.sessions), storing=len(self._storing))
            for session in self._doors.sessions:
                session.abort()

    @override
    def __dir__(self) -> Iterable[str]:
        """The hooks alone, see `ComplaintSession`."""
        return _HOOKS

    def _session(self) -> ComplaintSession:
        tls = None if self._certificate is None else self._certificate.context()
        return ComplaintSession(self, self._settings, self._doors, self._room, tls)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        known = _envelope(session, envelope)
        if self._pace.over(known["peer"], known["mail_from"]):
            envelope.mail_from = None
            self._doors.refused["rate"] += 1
            return TOO_FAST
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._book.is_ours(address):
            self._doors.refused["no_such_mailbox"] += 1
            return "550 5.1.1 There is no such mailbox here"
        if len(envelope.rcpt_tos) >= self._settings.max_recipients:
            self._doors.refused["recipients"] += 1
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.content
        assert isinstance(raw, bytes)
        passed = hops(raw)
        if passed > MAX_HOPS:
            self._doors.refused["hops"] += 1
            return "554 5.4.6 Too many hops: this message seems to run in a circle"
        try:
            await self._stored(raw, _envelope(session, envelope), passed)
        except NotStored as fault:
            return FULL if _is_full(fault) else TRY_LATER
        except TimeoutError:
            return TRY_LATER
        return "250 2.6.0 Your message is stored"

    async def handle_exception(self, error: Exception) -> str:
        log.error("mail_session_fault", fault=type(error).__name__)
        return TRY_LATER

    async def _stored(self, raw: bytes, envelope: Mapping[str, Any], hops: int) -> Accepted:
        """Runs in a task of its own: a client that hangs up cancels this session, not the commit."""
        storing = asyncio.ensure_future(self._take_in(raw, envelope, hops))
        self._storing.add(storing)
        storing.add_done_callback(self._finished)
        return await asyncio.wait_for(asyncio.shield(storing), ANSWER_SECONDS)

    def _finished(self, storing: asyncio.Task[Accepted]) -> None:
        self._storing.discard(storing)
        if not storing.cancelled() and (fault := storing.exception()):
            log.warning("mail_not_stored", fault=type(fault).__name__)

    async def _take_in(self, raw: bytes, envelope: Mapping[str, Any], hops: int) -> Accepted:
        accepted = await self._intake.take(raw, envelope, hops)
        if not accepted.duplicate:
            self._pace.count(str(envelope["peer"]), str(envelope["mail_from"]))
        return accepted


def _certificate(settings: MailSettings) -> Certificate | None:
    """Raises ValueError when the files cannot be used."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    try:
        return Certificate(settings.tls_certificate, settings.tls_key)
    except ValueError as error:
        raise ValueError(f"channel mail: {error}") from None


def _envelope(session: Session, envelope: Envelope) -> Mapping[str, Any]:
    return {
        "mail_from": (envelope.mail_from or "").removeprefix("<").removesuffix(">"),  # the null sender comes as "<>"
        "rcpt_to": list(envelope.rcpt_tos),
        "peer": session.peer[0] if isinstance(session.peer, tuple) else "",
        "helo": _shown(session.host_name or ""),
        "smtputf8": envelope.smtp_utf8,
    }


_HOOKS = [name for name in vars(Receiver) if name.startswith("handle_")]


def _shown(text: str) -> str:
    """What a client called itself, fit for a database: printable, at most 255 characters."""
    return "".join(c if c.isprintable() else "?" for c in text)[:255]


def _is_full(fault: BaseException) -> bool:
    return any(
        (isinstance(e, OSError) and e.errno in (errno.ENOSPC, errno.EDQUOT)) or _FULL_DISK.search(str(e))
        for e in _causes(fault)
    )


def _causes(fault: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = fault
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
