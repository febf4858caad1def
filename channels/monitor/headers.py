"""Headers of an HTTP answer: the server's time, numbers, and how long to wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from channels.monitor.answers import Quota
from channels.monitor.parts import moment


def server_time(headers: Mapping[str, str]) -> datetime | None:
    return _date(headers.get("Date", ""))


def number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def quota(headers: Mapping[str, str], prefix: str) -> Quota:
    """`<prefix>remaining` and `<prefix>reset`, seconds since 1970 or a time of RFC 3339 by the server's clock,
    told in seconds from its `Date`. `Retry-After` (RFC 9110 section 10.2.3) comes first."""
    now = server_time(headers) or datetime.now(UTC)
    seconds = _retry_after(headers, now)
    if seconds is None:
        seconds = _until(headers, f"{prefix}reset", now)
    left = number(headers, f"{prefix}remaining")
    return Quota(left=left, seconds=seconds if seconds is not None and seconds > 0 else None)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    seconds = number(headers, "Retry-After")
    if seconds is not None:
        return float(seconds)
    at = _date(headers.get("Retry-After", ""))
    return None if at is None else (at - now).total_seconds()


def _until(headers: Mapping[str, str], name: str, now: datetime) -> float | None:
    epoch, at = number(headers, name), moment(headers.get(name, ""))
    if epoch is not None:
        return epoch - now.timestamp()
    return None if at is None else (at - now).total_seconds()


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
