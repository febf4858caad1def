"""Fetches the file of a message: only from Facebook's own places, bounded in size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx

from channels.facebook import tls
from channels.facebook.settings import PUBLIC_API, FacebookSettings

DOWNLOAD_SECONDS = 90.0
"""For a whole file."""


class TooLarge(Exception):
    """The file is larger than we take."""


class Gone(Exception):
    """It is not given out, now or later, or lies at a place that is none of Facebook's."""


class NotNow(Exception):
    """A passing fault: it may work later."""


class Files:
    def __init__(self, settings: FacebookSettings) -> None:
        self._origins = settings.file_origins
        self._most = settings.max_file_bytes
        self._step_seconds = settings.request_seconds
        self._trust_env = settings.api_url == PUBLIC_API
        self._client: httpx.AsyncClient | None = None

    async def fetch(self, url: str) -> bytes:
        """Raises TooLarge, Gone or NotNow. A redirect is not followed: it could lead anywhere."""
        if not is_from(url, self._origins):
            raise Gone
        try:
            async with asyncio.timeout(DOWNLOAD_SECONDS), self._http().stream("GET", url) as response:
                return await self._whole(response)
        except (httpx.HTTPError, TimeoutError) as error:
            raise NotNow from error
        except httpx.InvalidURL as error:
            raise Gone from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _whole(self, response: httpx.Response) -> bytes:
        if response.status_code >= 500 or response.status_code == 429:
            raise NotNow
        if response.status_code != 200:
            raise Gone
        data = bytearray()
        async for piece in response.aiter_raw():
            data += piece
            if len(data) > self._most:
                raise TooLarge
        return bytes(data)

    def _http(self) -> httpx.AsyncClient:
        """Without compression, so that the bound is one of bytes that came."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=tls.context(),
                timeout=self._step_seconds,
                trust_env=self._trust_env,
                headers={"Accept-Encoding": "identity"},
            )
        return self._client


def is_from(url: str, origins: Sequence[str]) -> bool:
    """Whether the address belongs to one of the origins; "https://*.fbcdn.net" stands for every host below fbcdn.net,
    at the usual port."""
    try:
        asked = urlsplit(url)
        host, port = asked.hostname or "", asked.port
    except ValueError:
        return False
    if asked.username is not None or asked.password is not None or not url.isascii() or "\\" in url:
        return False
    return any(_matches(asked.scheme, host, port, origin) for origin in origins)


def _matches(scheme: str, host: str, port: int | None, origin: str) -> bool:
    allowed = urlsplit(origin.replace("*.", "", 1))
    same = scheme == allowed.scheme and port == allowed.port
    if "*." in origin:
        return same and host.endswith(f".{allowed.hostname}")
    return same and host == allowed.hostname
