"""The Graph API as we call it. Every call proves that we know the app's secret (`appsecret_proof`).

The token goes in a header, since addresses are written into logs.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import httpx

from channels.facebook.judging import judged, quota
from channels.facebook.settings import PUBLIC_API, FacebookSettings
from channels.monitor import tls
from channels.monitor.answers import Quota
from channels.monitor.faults import NeverLeft, Unclear
from channels.monitor.headers import server_time

MAX_ANSWER_BYTES = 8_000_000
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


@dataclass(frozen=True, kw_only=True)
class Answer:
    body: Mapping[str, Any]
    quota: Quota
    at: datetime | None
    """The server's clock."""


class Graph:
    """Raises Fault from every call. The connections are made when first asked for."""

    def __init__(self, settings: FacebookSettings) -> None:
        self._settings = settings
        self._looking: httpx.AsyncClient | None = None
        self._posting: httpx.AsyncClient | None = None
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)

    async def get(self, path: str, **parameters: str) -> Answer:
        if self._looking is None:
            self._looking = self._client(keep_alive=8)
        return await self._call(self._looking, "GET", path, parameters, None)

    async def post(self, path: str, content: Mapping[str, Any]) -> Answer:
        """On a connection of its own: one that the server has closed meanwhile would leave the outcome open."""
        if self._posting is None:
            self._posting = self._client(keep_alive=0)
        return await self._call(self._posting, "POST", path, {}, content)

    async def close(self) -> None:
        for client in (self._looking, self._posting):
            if client is not None:
                await client.aclose()
        self._looking = self._posting = None

    def _client(self, keep_alive: int) -> httpx.AsyncClient:
        settings = self._settings
        return httpx.AsyncClient(
            base_url=f"{settings.api_url}/{settings.api_version}/",
            headers={"Authorization": f"Bearer {settings.page_token.get_secret_value()}"},
            timeout=settings.request_seconds,
            verify=tls.context(),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=keep_alive),
            # A proxy of the surroundings is for the public server only.
            trust_env=settings.api_url == PUBLIC_API,
        )

    async def _call(
        self,
        client: httpx.AsyncClient,
        method: str,
        path: str,
        parameters: Mapping[str, str],
        content: Mapping[str, Any] | None,
    ) -> Answer:
        asked = {**parameters, "appsecret_proof": self._proof()}
        try:
            async with (
                asyncio.timeout(3 * self._settings.request_seconds),
                client.stream(method, path, params=asked, json=content) as response,
            ):
                raw = await _bounded(response)
        except _NEVER_LEFT as error:
            raise NeverLeft from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unclear from error
        return _answer(response, raw)

    def _proof(self) -> str:
        """Graph API, "Securing requests": HMAC-SHA256 of the token with the app's secret."""
        secret = self._settings.app_secret.get_secret_value().encode()
        return hmac.new(secret, self._settings.page_token.get_secret_value().encode(), sha256).hexdigest()


async def _bounded(response: httpx.Response) -> bytes:
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > MAX_ANSWER_BYTES:
            raise Unclear
    return bytes(data)


def _answer(response: httpx.Response, raw: bytes) -> Answer:
    """Raises Fault for every answer but 2xx with a JSON object."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not response.is_success or (isinstance(body, dict) and "error" in body):
        raise judged(response.status_code, body, response.headers)
    if not isinstance(body, dict):
        raise Unclear
    return Answer(body=body, quota=quota(response.headers), at=server_time(response.headers))
