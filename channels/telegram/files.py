"""Fetches the file of a message, bounded in size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
from telegram.error import BadRequest, Forbidden, TelegramError

from channels.telegram.api import Api

DOWNLOAD_SECONDS = 90.0
"""For a whole file."""


class TooLarge(Exception):
    """The file is larger than Telegram gives out, or than we take."""


class Gone(Exception):
    """Telegram does not give the file out, now or later."""


class NotNow(Exception):
    """A passing fault: it may work later."""


class Files:
    def __init__(self, api: Callable[[], Api], max_bytes: int, step_seconds: float) -> None:
        self._api = api
        self.max_bytes = max_bytes
        self._step_seconds = step_seconds
        self._client: httpx.AsyncClient | None = None

    async def fetch(self, file_id: str, announced: int | None) -> bytes:
        """Raises TooLarge, Gone or NotNow. `announced`: the size that the message gives."""
        if announced is not None and announced > self.max_bytes:
            raise TooLarge
        try:
            async with asyncio.timeout(DOWNLOAD_SECONDS):
                url, size = await self._located(file_id)
                data = await self._download(url)
        except (TimeoutError, httpx.HTTPError) as error:
            raise NotNow from error
        if size is not None and len(data) != size:
            raise NotNow
        return data

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _located(self, file_id: str) -> tuple[str, int | None]:
        try:
            file = await self._api().get_file(file_id)
        except BadRequest as error:
            raise (TooLarge if "too big" in error.message.lower() else Gone) from error
        except Forbidden as error:
            raise Gone from error
        except TelegramError as error:
            raise NotNow from error
        if not file.file_path:
            raise Gone
        return file.file_path, file.file_size

    async def _download(self, url: str) -> bytes:
        data = bytearray()
        async with self._http().stream("GET", url) as response:
            if response.status_code == 404:
                raise Gone
            response.raise_for_status()
            async for piece in response.aiter_bytes():
                data += piece
                if len(data) > self.max_bytes:
                    raise TooLarge
        return bytes(data)

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._step_seconds)
        return self._client
