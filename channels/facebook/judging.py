"""What an error of the Graph API means (Graph API, "Handling errors"; Messenger Platform, "Error codes")."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from channels.facebook.faults import NotPermitted, ServerFault, Unavailable, WindowClosed
from channels.monitor.answers import Quota
from channels.monitor.faults import AskedToWait, Fault, NotTaken, Unauthorized, Unclear
from channels.monitor.parts import part

USAGE_HEADERS = ("x-business-use-case-usage", "x-page-usage", "x-app-usage")
LONGEST_WAIT_SECONDS = 3600.0
"""Quotas are counted by the hour; a longer wait is not believed."""
_TOKEN = frozenset({102, 190, 463, 467})
_QUOTA = frozenset({4, 17, 32, 341, 613, 80001, 80006})
_TEMPORARY = frozenset({1, 2, 1200})
_BLOCKED_BY_POLICY = 368
_WINDOW = frozenset({2018065, 2018278})
_UNAVAILABLE = frozenset({1545041, 2018001, 2018108})
"""Subcodes: not available now, no matching user found, cannot receive messages."""
_GATEWAY_TIMED_OUT = frozenset({408, 504})


def judged(status: int, body: Any, headers: Mapping[str, str]) -> Fault:
    code, subcode = part(body, "error", "code"), part(body, "error", "error_subcode")
    if not isinstance(code, int) or isinstance(code, bool):
        return _by_status(status, headers)
    if code in _QUOTA or status == 429:
        return AskedToWait(regained_in(headers))
    if code in _TOKEN:
        return Unauthorized()
    return _of_code(code, subcode, status)


def regained_in(headers: Mapping[str, str]) -> float | None:
    """Seconds until a used up quota has room; the header says minutes. None when no header says so."""
    minutes = [value for usage in _usages(headers) if (value := _number(usage, "estimated_time_to_regain_access"))]
    return min(max(minutes) * 60.0, LONGEST_WAIT_SECONDS) if minutes else None


def quota(headers: Mapping[str, str]) -> Quota:
    """Facebook tells how many percent of each quota are used: none is left at a hundred."""
    names = ("call_count", "total_time", "total_cputime")
    used = max((_number(usage, name) for usage in _usages(headers) for name in names), default=0.0)
    seconds = regained_in(headers)
    return Quota(left=0 if used >= 100 or seconds else None, seconds=seconds)


def _of_code(code: int, subcode: Any, status: int) -> Fault:
    if code == 551 or subcode in _UNAVAILABLE:
        return Unavailable()
    if code == 10 and subcode in _WINDOW:
        return WindowClosed()
    if code in (3, 10, _BLOCKED_BY_POLICY) or 200 <= code <= 299:
        return NotPermitted()
    return ServerFault() if code in _TEMPORARY or status >= 500 else NotTaken()


def _by_status(status: int, headers: Mapping[str, str]) -> Fault:
    match status:
        case 401:
            return Unauthorized()
        case 429:
            return AskedToWait(regained_in(headers))
        case _ if status in _GATEWAY_TIMED_OUT:
            return Unclear()
        case _ if status >= 500:
            return ServerFault()
        case _ if 400 <= status < 500:
            return NotTaken()
        case _:
            return Unclear()


def _usages(headers: Mapping[str, str]) -> Iterator[Any]:
    """Each header is one usage, or lists of usages by the id of a page or an app."""
    for name in USAGE_HEADERS:
        try:
            value = json.loads(headers.get(name, "{}"))
        except (ValueError, RecursionError):
            continue
        if not isinstance(value, dict):
            continue
        yield value
        for listed in value.values():
            yield from listed if isinstance(listed, list) else ()


def _number(usage: Any, name: str) -> float:
    value = part(usage, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return max(0.0, float(value))
