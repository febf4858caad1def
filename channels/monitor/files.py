"""Fetches the file of a message: only from the places of its network, bounded in size and time."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import httpx

from channels.monitor import tls

DOWNLOAD_SECONDS = 90.0
"""For a whole file."""
_ORIGIN = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class TooLarge(Exception):
    """The file is larger than we take."""


class Gone(Exception):
    """It is not given out, now or later, or lies at a place that is none of its network's."""


class NotNow(Exception):
    """A passing fault: it may work later."""


class Files:
    def __init__(self, origins: Sequence[str], most_bytes: int, step_seconds: float) -> None:
        """`origins`: see `is_from`. `step_seconds`: patience with a silent server."""
        self._origins = origins
        self._most = most_bytes
        self._step_seconds = step_seconds
        # A proxy of the surroundings is for public servers only.
        self._trust_env = all(origin.startswith("https://") for origin in origins)
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


def origins_of(values: Sequence[str]) -> list[str]:
    """As they are compared. Raises ValueError."""
    if not all(_ORIGIN.fullmatch(value) for value in values):
        raise ValueError("an origin is a scheme and a host, such as https://files.example or https://*.files.example")
    return [value.lower() for value in values]


def name_in(url: str, content_type: str, number: int) -> str:
    """What a file without a name is called: as its address ends."""
    try:
        last = PurePosixPath(unquote(urlsplit(url).path)).name
    except ValueError:
        last = ""
    return last if "." in last else f"file-{number}{mimetypes.guess_extension(content_type) or ''}"


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
