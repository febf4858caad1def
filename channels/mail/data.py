"""Collects what a client sends after DATA, in blocks instead of lines, within a budget of bytes and lines.

Only CR LF . CR LF ends the message (RFC 5321 section 4.1.1.4). Anything similar (bare LF or CR, a NUL in between) is
content: a server that takes it for the end can be made to accept a second, smuggled message.
"""

from __future__ import annotations

from enum import Enum, auto

_END = b"\r\n.\r\n"


class Verdict(Enum):
    WHOLE = auto()
    TOO_MUCH = auto()
    """More bytes or lines than one message may have."""
    NO_ROOM = auto()
    """All sessions together hold as much as the process may."""


class Room:
    """Counts the bytes that all sessions hold of messages still arriving."""

    def __init__(self, most: int) -> None:
        self._free = most

    def take(self, count: int) -> bool:
        if count > self._free:
            return False
        self._free -= count
        return True

    def give_back(self, count: int) -> None:
        self._free += count


class DataBlock:
    """Feed it until it says that the end was seen, then ask for the verdict and the content. Close it in any case."""

    def __init__(self, max_bytes: int, max_lines: int, room: Room) -> None:
        self._max_bytes = max_bytes
        self._max_lines = max_lines
        self._room = room
        self._held = bytearray(b"\r\n")  # the line end of the DATA command itself may begin the end mark
        self._taken = 0
        self._lines = 0
        self._bytes = 0
        self.verdict = Verdict.WHOLE

    def feed(self, chunk: bytes) -> bytes | None:
        """None while the end has not come; then what followed the end mark (a pipelined command)."""
        search_from = max(0, len(self._held) - len(_END) + 1)
        self._held += chunk
        end = self._held.find(_END, search_from)
        if end < 0:
            self._account(len(chunk), chunk.count(b"\n"))
            return None
        rest = bytes(self._held[end + len(_END) :])
        of_message = len(chunk) - len(rest)
        self._account(of_message - len(_END) + 2, chunk[:of_message].count(b"\n") - 1)
        if self.verdict is Verdict.WHOLE:
            del self._held[end + 2 :]
        return rest

    def content(self) -> bytes:
        """The message as it was before dot-stuffing (RFC 5321 section 4.5.2). Ask once, after the end."""
        stuffed = bytes(self._held)
        self._held.clear()
        return stuffed.replace(b"\r\n.", b"\r\n")[2:]

    def close(self) -> None:
        self._held.clear()
        self._room.give_back(self._taken)
        self._taken = 0

    def _account(self, count: int, lines: int) -> None:
        self._bytes += count
        self._lines += lines
        if self.verdict is Verdict.WHOLE:
            if self._bytes > self._max_bytes or self._lines > self._max_lines:
                self.verdict = Verdict.TOO_MUCH
            elif count > 0 and not self._room.take(count):
                self.verdict = Verdict.NO_ROOM
            else:
                self._taken += max(0, count)
        if self.verdict is not Verdict.WHOLE:
            # The rest is only searched for the end, so that the client hears our answer instead of a broken line.
            del self._held[: -(len(_END) - 1)]
            self._room.give_back(self._taken)
            self._taken = 0
