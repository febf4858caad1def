"""A fake mailbox that speaks IMAP (RFC 3501), as much of it as a reader of one folder needs. It can be told to fail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

USER, PASSWORD = "complaints", "correct horse"
_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")
_ARGUMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


@dataclass
class Kept:
    uid: int
    raw: bytes
    seen: bool = False


@dataclass
class FakeMailbox:
    validity: int = 1
    mails: list[Kept] = field(default_factory=list)
    port: int = 0
    log_ins: int = 0
    fetched: list[int] = field(default_factory=list)
    hang_up_at: set[str] = field(default_factory=set)
    """Commands at which the connection ends, each once."""
    bad_password: bool = False
    _next: int = 1
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def put(self, raw: bytes, *, seen: bool = False) -> int:
        self.mails.append(Kept(self._next, raw, seen))
        self._next += 1
        return self._next - 1

    def number_anew(self) -> None:
        """As after a restored back-up: other numbers for the same mails."""
        self.validity += 1
        for uid, mail in enumerate(self.mails, 101):
            mail.uid = uid
        self._next = 101 + len(self.mails)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[FakeMailbox]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._open:
                writer.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(ConnectionError):  # a client that goes without a word
            await self._talk(reader, writer)
        self._open.discard(writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := await _line(reader, writer):
            tag, name, rest = [*line.decode().split(" ", 2), "", ""][:3]
            if name.upper() == "UID":
                name, _, rest = rest.partition(" ")
            if name.upper() in self.hang_up_at:
                self.hang_up_at.discard(name.upper())
                return
            for answer in self._answers(name.upper(), rest):
                writer.write(answer + b"\r\n")
            good = name.upper() != "LOGIN" or not self.bad_password
            writer.write(f"{tag} {'OK done' if good else 'NO [AUTHENTICATIONFAILED] wrong'}\r\n".encode())
            await writer.drain()

    def _answers(self, name: str, rest: str) -> Iterable[bytes]:
        known: dict[str, Callable[[str], Iterable[bytes]]] = {
            "CAPABILITY": lambda _: [b"* CAPABILITY IMAP4rev1"],
            "LOGIN": self._log_in,
            "SELECT": self._select,
            "SEARCH": self._search,
            "FETCH": self._fetch,
            "STORE": self._store,
        }
        return known[name](rest) if name in known else ()

    def _log_in(self, rest: str) -> Iterable[bytes]:
        given = [quoted or bare for quoted, bare in _ARGUMENT.findall(rest)]
        self.bad_password = self.bad_password or given != [USER, PASSWORD]
        self.log_ins += 1
        return ()

    def _select(self, _rest: str) -> Iterable[bytes]:
        yield rb"* FLAGS (\Seen)"
        yield f"* {len(self.mails)} EXISTS".encode()
        yield f"* OK [UIDVALIDITY {self.validity}] valid".encode()
        yield f"* OK [UIDNEXT {self._next}] next".encode()

    def _search(self, rest: str) -> Iterable[bytes]:
        if "UNSEEN" in rest:
            found = [mail.uid for mail in self.mails if not mail.seen]
        else:
            wanted = re.search(r"UID (\d+):\*", rest)
            assert wanted is not None, rest
            found = [mail.uid for mail in self.mails if mail.uid >= int(wanted.group(1))] or [
                mail.uid for mail in self.mails[-1:]
            ]
        yield ("* SEARCH" + "".join(f" {uid}" for uid in found)).encode()

    def _fetch(self, rest: str) -> Iterable[bytes]:
        uid, _, items = rest.partition(" ")
        for number, mail in enumerate(self.mails, 1):
            if mail.uid != int(uid):
                continue
            head = f"* {number} FETCH (UID {mail.uid} "
            if "SIZE" in items:
                yield f"{head}RFC822.SIZE {len(mail.raw)})".encode()
            else:
                assert "PEEK" in items, "a look must not mark a mail as read"
                self.fetched.append(mail.uid)
                yield f"{head}BODY[] {{{len(mail.raw)}}}\r\n".encode() + mail.raw + b")"

    def _store(self, rest: str) -> Iterable[bytes]:
        uid, _, flags = rest.partition(" ")
        assert flags.upper().startswith("+FLAGS.SILENT"), flags
        for mail in self.mails:
            mail.seen = mail.seen or mail.uid == int(uid)
        return ()


async def _line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """One command; arguments that come as literals (section 4.3) are put back between quotation marks."""
    line = await reader.readline()
    while literal := _LITERAL.search(line):
        writer.write(b"+ go on\r\n")
        data = await reader.readexactly(int(literal.group(1)))
        line = line[: literal.start()] + b'"' + data + b'"' + await reader.readline()
    return line.removesuffix(b"\r\n")
