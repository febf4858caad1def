"""One SMTP session: aiosmtpd's protocol with our own caps, deadline and way of collecting DATA.

What is changed, and why: the library collects DATA line by line without a budget, refuses lines over 1,001 bytes for
good, counts no connections, tells the names of our exceptions to the peer and offers commands that a complaint inbox
has no use for.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Protocol, cast, override

from aiosmtpd.smtp import MISSING, SMTP, Envelope, Session

from channels.mail.data import DataBlock, Room, Verdict
from channels.mail.doors import Doors, origin_of
from channels.mail.settings import MailSettings
from channels.mail.tls import encrypted

IDENT = "ESMTP complaint desk"
IDLE_SECONDS = 300.0
"""A client may be silent for this long between two steps (RFC 5321 section 4.5.3.2.7)."""
LINE_BUFFER = 64 * 1024
TOO_BIG = "552 5.3.4 This message is larger than we can take. Please send large files in several messages."
TRY_LATER = "451 4.3.0 We could not store this message. Please try again later."
FULL = "452 4.3.1 There is no room for this message now. Please try again later."
TOO_FAST = "451 4.7.1 More mails than we take from you within an hour. Please try again later."
TOO_MANY_CONNECTIONS = b"421 4.7.0 Too many connections. Please try again later.\r\n"
TOO_LONG_SESSION = b"421 4.4.2 This session took too long. Please try again.\r\n"
TAIL_BEFORE_TLS = b"554 5.5.1 Commands sent before the TLS handshake are not carried out.\r\n"
STOPPING = b"421 4.3.2 The service is being restarted. Please try again later.\r\n"
_OURS = {
    "552 Error: message size exceeds fixed maximum message size": TOO_BIG,
    "530 Must issue a STARTTLS command first": "530 5.7.0 Must issue a STARTTLS command first",
}
"""Replies of the library that carry no enhanced status code, and ours (RFC 3463)."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_PATH = re.compile(
    rf"<({_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)>(?: +([A-Za-z0-9=][A-Za-z0-9= -]*)?)?"
)
"""What nearly every client writes, with the parameters after it. The library's parser, which gets everything else,
says the same of it (tests/mail/test_mail_plain_path.py) and costs more than all the rest of accepting a mail."""


class Handler(Protocol):
    """What the session asks of `receive.py`; aiosmtpd finds these methods by name."""

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str: ...

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str: ...

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str: ...

    async def handle_exception(self, error: Exception) -> str: ...


class ComplaintSession(SMTP):
    line_length_limit = LINE_BUFFER

    def __init__(
        self, handler: Handler, settings: MailSettings, doors: Doors, room: Room, tls: ssl.SSLContext | None
    ) -> None:
        # The library shares this between all sessions and clears it whenever one begins.
        self.command_size_limits = defaultdict(lambda: SMTP.command_size_limit)
        super().__init__(
            handler,
            data_size_limit=settings.max_message_bytes,
            enable_SMTPUTF8=True,
            hostname=settings.domain,
            ident=IDENT,
            timeout=min(IDLE_SECONDS, settings.session_seconds),
            tls_context=tls,
            require_starttls=settings.require_tls,
            loop=asyncio.get_running_loop(),
        )
        self._settings = settings
        self._doors = doors
        self._room = room
        self._inside = False
        self.storing = False
        self.received_bytes = 0
        self._stopping = False
        self._deadline: asyncio.TimerHandle | None = None

    @override
    def __dir__(self) -> Iterable[str]:
        """The commands alone: for each new session the library looks at all names that an object answers to."""
        return _COMMANDS

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._inside = self._doors.enter(self, origin_of(transport.get_extra_info("peername")))
        if not self._inside:
            self._doors.refused["connections"] += 1
            _say_and_close(transport, STOPPING if self._doors.closed else TOO_MANY_CONNECTIONS)
            return
        self._deadline = self.loop.call_later(self._settings.session_seconds, self._too_long)
        super().connection_made(transport)

    @override
    def connection_lost(self, error: Exception | None) -> None:
        if not self._inside:
            return
        self._inside = False
        if self._deadline is not None:
            self._deadline.cancel()
        self._doors.leave(self)
        super().connection_lost(error)

    @override
    def data_received(self, data: bytes) -> None:
        if self._inside:
            self.received_bytes += len(data)
            super().data_received(data)

    @override
    def eof_received(self) -> bool | None:
        return super().eof_received() if self._inside else False

    def stop(self) -> None:
        """Ends the session now, or right after the message that is being stored was answered.

        A message that is still arriving is cut off: its sender hears 421 and tries again (RFC 5321 section 3.8).
        """
        self._stopping = True
        if not self.storing and self.transport is not None:
            _say_and_close(self.transport, STOPPING)

    def make_room(self) -> None:
        if self.transport is not None:
            _say_and_close(self.transport, TOO_MANY_CONNECTIONS)

    def _too_long(self) -> None:
        if self.transport is not None:
            _say_and_close(self.transport, TOO_LONG_SESSION)

    def abort(self) -> None:
        """Ends the session whatever it is doing, and without waiting for a client that does not read."""
        if self.transport is not None:
            _say_and_close(self.transport, STOPPING)
            cast(asyncio.WriteTransport, self.transport).abort()

    @override
    async def push[Text: (str, bytes)](self, status: Text) -> None:
        if isinstance(status, str):
            await super().push(_OURS.get(status, status))
        else:
            await super().push(status)

    @override
    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        if plain := _PLAIN_PATH.fullmatch(arg):
            return plain.group(1), plain.group(2) or ""
        if arg.strip().lower() == "<postmaster>":
            return "postmaster", ""  # the one address without a domain (RFC 5321 section 4.5.1)
        try:
            address, rest = super()._getaddr(arg)
        except Exception:  # the library's parser raises almost anything on hostile input
            return None, None
        return (address, rest) if address is None or _is_clean(address) else (None, None)

    @override
    async def smtp_STARTTLS(self, arg: str) -> None:
        """Unlike the library's: what came in the same packet is refused instead of carried out or dropped (RFC 3207
        section 4.2, CVE-2024-34083), and the loop's own way to TLS is taken, which all loops know."""
        if arg:
            await self.push("501 5.5.4 STARTTLS takes no argument")
            return
        if self.tls_context is None or self._tls_protocol is not None:
            await self.push("503 5.5.1 TLS is not available now")
            return
        plain = cast(asyncio.Transport, self.transport)
        plain.pause_reading()
        tail = self._reader._buffer  # type: ignore[attr-defined] # no other way to see it without waiting
        if tail:
            self._doors.refused["before_tls"] += 1
            tail.clear()
            _say_and_close(plain, TAIL_BEFORE_TLS)
            return
        await self.push("220 2.0.0 Ready to start TLS")
        try:
            upgraded = await encrypted(plain, self, self.tls_context)
        except OSError:
            self._doors.refused["tls"] += 1
            plain.abort()
            return
        self._go_on_over(plain, upgraded)

    def _go_on_over(self, plain: asyncio.Transport, upgraded: asyncio.Transport) -> None:
        """As at the beginning of a session: nothing is kept of what was said before (RFC 3207 section 4.2)."""
        self._original_transport, self.transport = plain, upgraded
        self._tls_protocol = upgraded  # type: ignore[assignment] # the library only asks whether there is one
        streams = cast(Any, self)  # asyncio has no public way for the server's side
        streams._reader._transport = streams._writer._transport = upgraded
        streams._over_ssl = True
        peer = self.session.peer if self.session else None
        self._set_rset_state()  # type: ignore[no-untyped-call] # untyped in the library
        self.session = self._create_session()
        self.session.peer = peer
        self.session.ssl = {"cipher": upgraded.get_extra_info("cipher")}

    @override
    async def smtp_DATA(self, arg: str) -> None:
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Send RCPT first")
            return
        if arg:
            await self.push("501 5.5.4 DATA takes no argument")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        try:
            await self.push(await self._take_message())
        finally:
            self.storing = False
            self._set_post_data_state()  # type: ignore[no-untyped-call] # untyped in the library
            if self._stopping:
                self.stop()

    async def _take_message(self) -> str:
        block = DataBlock(self._settings.max_message_bytes, self._settings.max_lines, self._room)
        try:
            await self._collect(block)
            if block.verdict is Verdict.TOO_MUCH:
                self._doors.refused["too_big"] += 1
                return TOO_BIG
            if block.verdict is Verdict.NO_ROOM:
                self._doors.refused["no_room"] += 1
                return FULL
            assert self.envelope is not None
            self.envelope.content = self.envelope.original_content = block.content()
            self.storing = True
            status = await self._call_handler_hook("DATA")
            assert status is not MISSING
            return str(status)
        finally:
            block.close()

    async def _collect(self, block: DataBlock) -> None:
        """Reads to the end mark. Whatever came after it goes back to the reader: it is the next command."""
        while True:
            # More than the reader can hold, so that it is empty when the rest goes back to it.
            chunk = await self._reader.read(1 << 24)
            if not chunk:
                raise ConnectionResetError
            self._reset_timeout()
            rest = block.feed(chunk)
            if rest is not None:
                if rest:
                    self._reader.feed_data(rest)
                return

    @override
    async def smtp_VRFY(self, arg: str) -> None:
        await self.push("252 2.1.5 Send the message and see")

    @override
    async def smtp_HELP(self, arg: str) -> None:
        await self.push("214 2.0.0 Complaints are welcome. See RFC 5321.")

    @override
    async def smtp_AUTH(self, arg: str) -> None:
        await self.push("502 5.5.1 AUTH is not offered")

    @override
    async def smtp_EXPN(self, arg: str) -> None:
        await self.push("502 5.5.1 EXPN is not offered")


def _is_clean(address: str) -> bool:
    """No control characters, and no bytes that are not UTF-8 (they arrive as lone surrogates)."""
    return not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in address)


def _say_and_close(transport: asyncio.BaseTransport, line: bytes) -> None:
    writing = cast(asyncio.WriteTransport, transport)
    if not writing.is_closing():
        writing.write(line)
        writing.close()


_COMMANDS = [name for base in ComplaintSession.__mro__ for name in vars(base) if name.startswith("smtp_")]
