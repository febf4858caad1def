"""The Bot API as we call it: python-telegram-bot's `Bot`, with what its errors do not tell.

Its exceptions leave open whether a request can have been carried out, and its logs hold whole answers of the server.
"""

from __future__ import annotations

import json
import logging
import math
from typing import Any, override

import httpx
from telegram import Bot
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, HTTPXRequest, RequestData

from channels.telegram.settings import TelegramSettings

ALLOWED_UPDATES = ("message", "edited_message", "callback_query")
"""What we read; Telegram keeps everything else to itself."""
BATCH = 100
POOL_SECONDS = 10.0
_TOLD_APART_BY_THE_LIBRARY = frozenset({400, 401, 403, 404, 409})
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class AskedToWait(TelegramError):
    """429 with `retry_after`: the server takes nothing before `seconds` have passed (Bot API, ResponseParameters)."""

    def __init__(self, seconds: float) -> None:
        super().__init__("asked to wait")
        self.seconds = seconds


class ServerFault(NetworkError):
    """The server answered that it did not do it: 5xx, or 429 without a time."""


def was_not_sent(error: TelegramError) -> bool:
    """Whether the request surely was not carried out, because it never left or the server said so."""
    if isinstance(error, AskedToWait | ServerFault):
        return True
    return isinstance(error, TimedOut | NetworkError) and isinstance(error.__cause__, _NEVER_LEFT)


class Line(HTTPXRequest):
    """The library's way of sending requests, which here says what a refusal was."""

    @override
    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Raises AskedToWait and ServerFault besides what the library raises."""
        code, payload = await super().do_request(
            url, method, request_data, read_timeout, write_timeout, connect_timeout, pool_timeout
        )
        if code == 429 and (seconds := _retry_after(payload)) is not None:
            raise AskedToWait(seconds)
        if code >= 400 and code not in _TOLD_APART_BY_THE_LIBRARY:
            raise ServerFault(f"answered {code}")
        return code, payload


class Api(Bot):
    """Raises TelegramError from every call."""

    async def raw_updates(self, offset: int | None, wait_seconds: int) -> list[Any]:
        """Updates as parsed JSON and no further: one that the library cannot read must not hide the others."""
        data = {"offset": offset, "limit": BATCH, "timeout": wait_seconds, "allowed_updates": list(ALLOWED_UPDATES)}
        result = await self._post("getUpdates", data, read_timeout=wait_seconds + 10.0)
        if not isinstance(result, list):
            raise NetworkError("the answer to getUpdates is no list")
        return result


class Connection:
    """The Bot and its connections, made when first asked for, so that a channel that is off holds none."""

    def __init__(self, settings: TelegramSettings) -> None:
        self._settings = settings
        self._api: Api | None = None
        self._lines: list[Line] = []
        # The library logs what it receives, and httpx addresses that contain the token.
        logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)

    @property
    def api(self) -> Api:
        if self._api is None:
            seconds = self._settings.request_seconds
            self._lines = [
                Line(size, seconds, seconds, seconds, POOL_SECONDS, media_write_timeout=seconds) for size in (2, 64)
            ]
            self._api = Api(
                self._settings.token.get_secret_value(),
                base_url=f"{self._settings.api_url}/bot",
                base_file_url=f"{self._settings.api_url}/file/bot",
                get_updates_request=self._lines[0],
                request=self._lines[1],
            )
        return self._api

    async def close(self) -> None:
        for line in self._lines:
            await line.shutdown()
        self._api, self._lines = None, []


def _retry_after(payload: bytes) -> float | None:
    try:
        seconds = float(json.loads(payload)["parameters"]["retry_after"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None
