"""One connection to the filtered stream, line by line (docs.x.com, "Filtered stream": consuming streaming data).

tweepy's streaming clients connect again by themselves without end, do not know when a quota is new, and end for good at
a long line or when a post cannot be stored. So only the rules are made through tweepy.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from channels.monitor import tls
from channels.monitor.faults import NeverLeft, Unclear
from channels.twitter.api import STREAMED, judged
from channels.twitter.breaks import Ended, Silent
from channels.twitter.settings import PUBLIC_API, XSettings

PATH = "/2/tweets/search/stream"
MAX_LINE_BYTES = 1024 * 1024
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class Stream:
    def __init__(self, settings: XSettings) -> None:
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._settings = settings

    @asynccontextmanager
    async def lines(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """An empty line is a keep-alive. Raises Fault, also while lines are read; whatever happens, the connection is
        closed."""
        settings = self._settings
        patience = httpx.Timeout(settings.request_seconds, read=settings.stream_silence_seconds)
        public = settings.api_url == PUBLIC_API  # a proxy of the surroundings is for the public server only
        # Squeezed lines would wait for others.
        headers = {"Authorization": f"Bearer {settings.bearer_token.get_secret_value()}", "Accept-Encoding": "identity"}
        try:
            async with (
                httpx.AsyncClient(timeout=patience, verify=tls.context(), trust_env=public) as client,
                client.stream("GET", settings.api_url + PATH, params=STREAMED, headers=headers) as response,
            ):
                if not response.is_success:
                    raise judged(response.status_code, response.headers)
                yield _lines(response)
        except _NEVER_LEFT as error:
            raise NeverLeft from error
        except httpx.ReadTimeout as error:
            raise Silent from error
        except httpx.HTTPError as error:
            raise Ended from error


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Raises Unclear at a line that is longer than any post."""
    held = b""
    async for piece in response.aiter_bytes():
        *whole, held = (held + piece).split(b"\n")
        for line in whole:
            yield line.strip()
        if len(held) > MAX_LINE_BYTES:
            raise Unclear
