"""A Mastodon server as we call it: Mastodon.py's client in a thread, with what its errors and its types do not tell.

The library hides the status and the headers of a refusal, waits for quotas by itself unless told not to, and makes
objects of what it reads, a page of 40 posts in some hundred milliseconds. So the transport below it judges every answer
and keeps its JSON as it came, and the library gets none to make objects of.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override
from urllib.parse import urlsplit

import requests
from mastodon import Mastodon
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from channels.mastodon.pages import NOTICES
from channels.mastodon.settings import MastodonSettings
from channels.monitor.answers import Quota
from channels.monitor.faults import (
    AskedToWait,
    Fault,
    Forbidden,
    NeverLeft,
    NoSuchAddress,
    NotFound,
    NotTaken,
    Unauthorized,
    Unclear,
)
from channels.monitor.headers import quota, server_time
from channels.monitor.parts import words

LIMITS = "X-RateLimit-"
SPOKEN = "4.3.0"
"""Said for the server, so that the library does not ask it; a server that is older answers what it can."""
PAGE = 40
"""The most that a server gives at once."""
_PATHS = ("/api/v1/accounts/", "/api/v1/notifications", "/api/v1/timelines/", "/api/v2/search", "/api/v1/statuses")


@dataclass(frozen=True, kw_only=True)
class Answer:
    body: Any
    quota: Quota
    at: datetime | None
    """The server's clock."""


class _Taken:
    """What one call came to, told by the transport around the library."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.fault: Fault = Unclear()


_TAKEN: ContextVar[_Taken] = ContextVar("taken")


class _Kept(Exception):
    """The answer is kept: the library has no more to do."""


class Line(HTTPAdapter):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        """Raises _Kept for an answer of 2xx and Fault for every other, besides what the library raises. What it would
        ask about the server by the way is not asked: it costs quota, and nothing hangs on it."""
        if not urlsplit(request.url or "").path.startswith(_PATHS):
            raise requests.ConnectionError("not asked")
        taken = _TAKEN.get()
        try:
            response = super().send(request, *args, **{**more, "timeout": (self._seconds, self._seconds)})
            content = response.content
        except requests.RequestException as error:
            taken.fault = NeverLeft() if _never_left(error) else Unclear()
            raise
        if not 200 <= response.status_code < 300:
            taken.fault = _judged(response)
            response.close()
            raise taken.fault
        taken.answer = Answer(
            body=json.loads(content), quota=quota(response.headers, LIMITS), at=server_time(response.headers)
        )
        raise _Kept


class Api:
    """Every call raises Fault. Replies go one after the other."""

    def __init__(self, settings: MastodonSettings) -> None:
        logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)  # it logs addresses with what was searched for
        self._looking = _client(settings)
        self._posting = _client(settings)
        # A connection that the server has closed meanwhile would leave open whether the reply was taken.
        self._posting.session.headers["Connection"] = "close"
        self._one_post = asyncio.Lock()

    async def account(self) -> Answer:
        return await self._call(self._looking.account_verify_credentials)

    async def notices(self, before: str | None) -> Answer:
        """The newest first, those older than the id `before`."""
        return await self._call(lambda: self._looking.notifications(types=NOTICES, max_id=before, limit=PAGE))

    async def tagged(self, hashtag: str, before: str | None) -> Answer:
        return await self._call(lambda: self._looking.timeline_hashtag(hashtag, max_id=before, limit=PAGE))

    async def search(self, words: str, before: str | None) -> Answer:
        return await self._call(
            lambda: self._looking.search_v2(words, resolve=False, result_type="statuses", max_id=before, limit=PAGE)
        )

    async def statuses(self, ids: Sequence[str]) -> Answer:
        """At most 20. Those that the server does not show us are left out."""
        return await self._call(lambda: self._looking.statuses(list(ids)))

    async def status(self, post_id: str) -> Answer:
        """Raises NotFound when the server says that there is none."""
        return await self._call(lambda: self._looking.status(post_id))

    async def reply(self, text: str, post_id: str, visibility: str, language: str, key: str) -> Answer:
        """`key` names the attempt: for an hour the server takes it for the same post (Idempotency-Key)."""
        async with self._one_post:
            return await self._call(
                lambda: self._posting.status_post(
                    text, in_reply_to_id=post_id, visibility=visibility, language=language, idempotency_key=key
                )
            )

    def close(self) -> None:
        self._looking.session.close()
        self._posting.session.close()

    async def _call(self, ask: Callable[[], object]) -> Answer:
        return await asyncio.to_thread(_answer, ask)


def _client(settings: MastodonSettings) -> Any:
    session = requests.Session()
    session.mount("http://", Line(settings.request_seconds))
    session.mount("https://", Line(settings.request_seconds))
    # A proxy of the surroundings is for public servers only.
    session.trust_env = settings.base_url.startswith("https://")
    return Mastodon(
        access_token=settings.access_token.get_secret_value(),
        api_base_url=settings.base_url,
        session=session,
        ratelimit_method="throw",
        request_timeout=settings.request_seconds,
        mastodon_version=SPOKEN,
        version_check_mode="created",
    )


def _answer(ask: Callable[[], object]) -> Answer:
    """Raises Fault."""
    taken = _Taken()
    _TAKEN.set(taken)
    try:
        ask()
    except Exception as error:
        if taken.answer is None:
            raise taken.fault from error
    if taken.answer is None:
        raise taken.fault
    return taken.answer


def _never_left(error: Exception) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _judged(response: requests.Response) -> Fault:
    match response.status_code:
        case 401:
            return Unauthorized()
        case 404 | 410 if _is_its_own_word(response):
            return NotFound()
        case 404:
            return NoSuchAddress()
        case 403 | 410:
            return Forbidden()
        case 429:
            return AskedToWait(quota(response.headers, LIMITS).seconds)
        case code if 400 <= code < 500:
            return NotTaken()
        case _:
            return Unclear()


def _is_its_own_word(response: requests.Response) -> bool:
    """Whether the server itself says so, and not something before it."""
    try:
        return bool(words(json.loads(response.content), "error"))
    except (ValueError, RecursionError):
        return False
