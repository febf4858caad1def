"""Puts letters into a Maildir, so that a newcomer without a relay sees what would have been sent.

The file name is made from the time of writing and the Message-ID: the same letter delivered twice is one file.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

from channels.contract import SendReceipt
from channels.faults import RetryLater
from channels.mail.send import Letter


class Maildrop:
    repeat_harmless = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, letter: Letter) -> SendReceipt:
        """Raises RetryLater when the disk does not take it."""
        try:
            name = await asyncio.to_thread(self._write, letter)
        except OSError as error:
            raise RetryLater(f"the answer could not be written to {self._folder} ({error.strerror})") from error
        return SendReceipt(peer_id=name)

    def trouble(self) -> str | None:
        return None

    def _write(self, letter: Letter) -> str:
        for sub in ("tmp", "new", "cur"):
            (self._folder / sub).mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(letter.message_id.encode()).hexdigest()[:32]
        name = f"{int(letter.written_at.timestamp())}.{digest}.redress"
        # A mail reader moves what it has seen to cur/ and adds flags to the name.
        if (self._folder / "new" / name).exists() or any((self._folder / "cur").glob(f"{name}*")):
            return name
        temporary = self._folder / "tmp" / name
        with temporary.open("wb") as file:
            file.write(_delivered(letter))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self._folder / "new" / name)
        _sync_folder(self._folder / "new")
        return name


def _delivered(letter: Letter) -> bytes:
    """With the envelope on top, as a delivering server adds it (RFC 5321 section 4.4)."""
    envelope = f"Return-Path: <{letter.sender}>\r\nDelivered-To: {letter.recipient}\r\n"
    return (envelope.encode() + letter.content).replace(b"\r\n", b"\n")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
