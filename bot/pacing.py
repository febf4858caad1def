"""Does a message go beyond the caps of its channel? Times are passed in, nothing is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from channels.caps_contract import Caps

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def windows(caps: Caps) -> Mapping[int, timedelta]:
    """How far back the n-th message before one must lie for it to be within the caps, by n."""
    return {caps.messages_per_minute: MINUTE, caps.messages_per_hour: HOUR}


def can_be_over(caps: Caps, seq: int) -> bool:
    """Whether so much was said at all, by either side, that the messages need to be counted."""
    return seq > min(windows(caps))


def messages_over(caps: Caps, at: datetime, earlier: Mapping[int, datetime]) -> bool:
    """Whether a message that came `at` is one too many. `earlier`: when the n-th message before it came, as far as
    there is one. What lies ahead by more than the window was written by a wrong clock, and is not near."""
    return any(n in earlier and abs(at - earlier[n]) < span for n, span in windows(caps).items())


def files_over(caps: Caps, fetched: int, size: int) -> bool:
    """Whether no more files are fetched, after so many with so many bytes within the last `HOUR`."""
    return fetched >= caps.files_per_hour or size >= caps.file_bytes_per_hour
