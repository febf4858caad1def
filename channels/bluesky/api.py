"""XRPC as we call it (https://atproto.com/specs/xrpc): atproto's client in a thread, with answers as they came.

The library is imported when the first call is made: it costs a second and some 75 MB, which a channel that is off need
not pay. It keeps the session and renews its token; what a refusal means is judged here.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import httpx

from channels.bluesky.settings import BlueskySettings
from channels.monitor.answers import Quota
from channels.monitor.faults import AskedToWait, Fault, Forbidden, NeverLeft, NotFound, NotTaken, Unauthorized, Unclear
from channels.monitor.headers import quota, server_time
from channels.monitor.parts import words

LIMITS = "ratelimit-"
PAGE = 100
"""The most that a server gives at once."""
REASONS = ["mention", "reply", "quote"]
_SESSION_OVER = frozenset(("ExpiredToken", "InvalidToken", "AuthenticationRequired", "AuthMissing", "AccountTakedown"))
"""Errors of status 400 or 403 that a new session, or only a person, mends."""
_NO_RECORD = "Could not locate record"
_BEFORE_ANY_WORD = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)


@dataclass(frozen=True, kw_only=True)
class Answer:
    body: Mapping[str, Any]
    quota: Quota
    at: datetime | None
    """The server's clock."""


class Api:
    """Every call raises Fault. They go one after the other: all share one session."""

    def __init__(self, settings: BlueskySettings) -> None:
        for name in ("httpx", "httpcore"):  # they log addresses with what was searched for
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._settings = settings
        self._client: Any = None
        self._did = ""
        self._one_call = Lock()

    async def account(self) -> Answer:
        return await self._call(lambda client, _: client.invoke_query("com.atproto.server.getSession"))

    async def profile(self, did: str) -> Answer:
        return await self._call(
            lambda client, models: client.invoke_query(
                "app.bsky.actor.getProfile", params=models.AppBskyActorGetProfile.Params(actor=did)
            )
        )

    async def notices(self, cursor: str | None) -> Answer:
        """The newest first."""
        return await self._call(
            lambda client, models: client.invoke_query(
                "app.bsky.notification.listNotifications",
                params=models.AppBskyNotificationListNotifications.Params(reasons=REASONS, cursor=cursor, limit=PAGE),
            )
        )

    async def search(self, words: str, since: datetime, cursor: str | None) -> Answer:
        """The newest first."""
        since_text = f"{since:%Y-%m-%dT%H:%M:%S}.{since.microsecond // 1000:03}Z"
        return await self._call(
            lambda client, models: client.invoke_query(
                "app.bsky.feed.searchPosts",
                params=models.AppBskyFeedSearchPosts.Params(
                    q=words, since=since_text, sort="latest", cursor=cursor, limit=PAGE
                ),
            )
        )

    async def posts(self, uris: Sequence[str]) -> Answer:
        """At most 25. Those that the network does not show us are left out."""
        return await self._call(
            lambda client, models: client.invoke_query(
                "app.bsky.feed.getPosts", params=models.AppBskyFeedGetPosts.Params(uris=list(uris))
            )
        )

    async def record(self, uri: str) -> Answer:
        """Raises NotFound when the network says that there is none."""
        repo, collection, key = uri.removeprefix("at://").split("/")
        return await self._call(
            lambda client, models: client.invoke_query(
                "com.atproto.repo.getRecord",
                params=models.ComAtprotoRepoGetRecord.Params(repo=repo, collection=collection, rkey=key),
            )
        )

    async def reply(self, record: Mapping[str, Any]) -> Answer:
        """`record`: app.bsky.feed.post."""
        return await self._call(
            lambda client, models: client.invoke_procedure(
                "com.atproto.repo.createRecord",
                data=models.ComAtprotoRepoCreateRecord.Data(
                    repo=self._did, collection="app.bsky.feed.post", record=dict(record)
                ),
                input_encoding="application/json",
            )
        )

    def close(self) -> None:
        if self._client is not None:
            self._client.request.close()
            self._client = None

    async def _call(self, ask: Callable[[Any, Any], Any]) -> Answer:
        return await asyncio.to_thread(self._answer, ask)

    def _answer(self, ask: Callable[[Any, Any], Any]) -> Answer:
        """Raises Fault. A session that is over is not a password that is wrong: there is a second try with a new one,
        which repeats nothing, since what was refused was not done."""
        with self._one_call:
            had_session = self._client is not None
            try:
                return self._tried(ask)
            except Unauthorized:
                self.close()
                if not had_session:
                    raise
                return self._tried(ask)

    def _tried(self, ask: Callable[[Any, Any], Any]) -> Answer:
        """Raises Fault, and nothing else that hangs on what the server does."""
        from atproto_client import models  # type: ignore[import-untyped]

        try:
            response = ask(self._session(), models)
        except Fault:
            raise
        except Exception as error:  # the library has errors of its own, of httpx, of pydantic and of JSON
            raise (NeverLeft() if _never_left(error) else Unclear()) from error
        if not isinstance(response.content, dict):
            raise Unclear
        headers = httpx.Headers(response.headers)
        return Answer(body=response.content, quota=quota(headers, LIMITS), at=server_time(headers))

    def _session(self) -> Any:
        """Raises Fault. What goes wrong before there is a session has surely done nothing."""
        if self._client is None:
            client = _client(self._settings)
            client.on_session_change(self._know_ourselves)
            try:
                client.login(
                    self._settings.handle, self._settings.app_password.get_secret_value(), fetch_bsky_profile=False
                )
            except (Unauthorized, AskedToWait):
                client.request.close()
                raise
            except Exception as error:
                client.request.close()
                raise NeverLeft from error
            self._client = client
        return self._client

    def _know_ourselves(self, _event: object, session: Any) -> None:
        self._did = session.did


def _client(settings: BlueskySettings) -> Any:
    from atproto_client import Client
    from atproto_client.request import Request  # type: ignore[import-untyped]

    request = Request(
        timeout=settings.request_seconds,
        # A proxy of the surroundings is for public servers only.
        trust_env=settings.service.startswith("https://"),
        # A connection that the server has closed meanwhile would leave open whether the reply was taken.
        limits=httpx.Limits(max_keepalive_connections=0),
        event_hooks={"response": [_judge]},
    )
    return Client(settings.service, request=request)


def _judge(response: httpx.Response) -> None:
    """Raises Fault for every answer but 2xx: the library would follow redirections, and call a 403 unauthorized."""
    if not response.is_success:
        response.read()
        raise _fault(response)


def _fault(response: httpx.Response) -> Fault:
    match response.status_code:
        case 401:
            return Unauthorized()
        case 400 | 403 if _error(response) in _SESSION_OVER:
            return Unauthorized()
        case 400 | 404 if _is_no_record(response):
            return NotFound()
        case 403 | 404:
            return Forbidden()
        case 429:
            return AskedToWait(quota(response.headers, LIMITS).seconds)
        case code if 400 <= code < 500:
            return NotTaken()
        case _:
            return Unclear()


def _is_no_record(response: httpx.Response) -> bool:
    """A PDS has a word for it, but only of its own accounts; of all others the app's server (AppView) tells in a
    sentence. "Could not find repo" is another one: whose account is gone or paused may come back."""
    return _error(response) == "RecordNotFound" or (
        _error(response) == "InvalidRequest" and _error(response, "message").startswith(_NO_RECORD)
    )


def _error(response: httpx.Response, name: str = "error") -> str:
    try:
        return words(json.loads(response.content), name)
    except (ValueError, RecursionError):
        return ""


def _never_left(error: BaseException | None) -> bool:
    """The library says "network error" for all of them, and what it was only as the cause."""
    while error is not None:
        if isinstance(error, _BEFORE_ANY_WORD):
            return True
        error = error.__cause__
    return False
