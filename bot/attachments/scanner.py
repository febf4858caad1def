"""Asks clamd whether a file is malware, by its protocol INSTREAM over TCP (clamd(8))."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from aioclamd import BufferTooLongError, ClamdAsyncClient, ClamdError

PING_SECONDS = 5.0
PIECE_BYTES = 256 * 1024
LONGEST_FINDING = 255


class ScannerDown(Exception):
    """No scanner answers: no file's fault."""


class NotScanned(Exception):
    """The scanner is there and did not judge this file. `final`: it never will, under its settings."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


@dataclass(frozen=True)
class Verdict:
    infected: bool
    finding: str = ""
    """What the scanner calls it."""


class _Pieces:
    """aioclamd reads 1 KiB at a time, each in a thread; it sends on whatever it is given, and gets larger ones."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, _size: int) -> bytes:
        return self._file.read(PIECE_BYTES)


class Scanner:
    def __init__(self, host: str, port: int, seconds: float) -> None:
        """`seconds`: for one file, from the connection to the verdict."""
        self._files = ClamdAsyncClient(host, port, timeout=seconds)
        self._pings = ClamdAsyncClient(host, port, timeout=min(seconds, PING_SECONDS))

    async def ping(self) -> None:
        """Raises ScannerDown."""
        try:
            answer = await self._pings.ping()
        except (ClamdError, OSError, UnicodeDecodeError) as error:
            raise ScannerDown from error
        if answer != "PONG":
            raise ScannerDown

    async def scan(self, path: Path) -> Verdict:
        """Raises ScannerDown, NotScanned; OSError when the file cannot be read."""
        with await asyncio.to_thread(path.open, "rb") as file:
            try:
                found = await self._files.instream(cast(BinaryIO, _Pieces(file)))
            except BufferTooLongError as error:
                raise NotScanned("too large for the scanner", final=True) from error
            except (ClamdError, ConnectionError, UnicodeDecodeError) as error:
                await self.ping()  # it may have fallen over this very file; only when it is gone is it down
                raise NotScanned("the scanner gave no answer") from error
        status, reason = (found or {}).get("stream", ("", None))
        if status not in ("OK", "FOUND"):
            await self.ping()
            raise NotScanned("the scanner could not read it" if status else "the scanner gave no answer")
        return Verdict(status == "FOUND", _printable(reason or "") if status == "FOUND" else "")


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "_" for character in name)[:LONGEST_FINDING]
