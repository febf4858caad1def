"""The X API v2 as we call it: tweepy's `Client` in a thread, with what its errors and its answers do not tell.

tweepy has no setting for the server, waits without end on a quota whose reset is missing or past, and reads answers
without a time limit. So the transport below it judges every answer before tweepy sees it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

import requests
import tweepy  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from channels.monitor.answers import Quota
from channels.monitor.faults import AskedToWait, Fault, Forbidden, NeverLeft, NotTaken, Unauthorized, Unclear
from channels.monitor.headers import quota, server_time
from channels.twitter.settings import PUBLIC_API, XSettings

LIMITS = "x-rate-limit-"
POST_FIELDS = (
    "attachments,author_id,created_at,edit_history_tweet_ids,entities,in_reply_to_user_id,lang,note_tweet,"
    "referenced_tweets"
)
KNOWN = {
    "tweet_fields": POST_FIELDS,
    "expansions": "author_id,attachments.media_keys",
    "user_fields": "name,username",
    "media_fields": "alt_text,duration_ms,preview_image_url,type,url,variants",
}
WANTED = {**KNOWN, "max_results": 100}
STREAMED: Mapping[str, str] = {name.replace("_fields", ".fields"): value for name, value in KNOWN.items()}
"""The same of the stream, whose parameters are X's own."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    body: Mapping[str, Any]
    quota: Quota
    at: datetime | None
    """The server's clock."""


class Line(HTTPAdapter):
    """Sends to another server than the one that was signed, if the settings name one, and says what a refusal was."""

    def __init__(self, api_url: str, seconds: float) -> None:
        super().__init__()
        self._api_url = api_url
        self._seconds = seconds

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        """Raises Fault for every answer but 2xx, besides what the library raises."""
        request.url = self._api_url + (request.url or "").removeprefix(PUBLIC_API)
        response = super().send(request, *args, **{**more, "timeout": (self._seconds, self._seconds)})
        if not 200 <= response.status_code < 300:
            fault = judged(response.status_code, response.headers)
            response.close()
            raise fault
        return response


class Api:
    """Every call raises Fault. Calls of one kind (looking, posting) go one after the other."""

    def __init__(self, settings: XSettings) -> None:
        # The libraries log addresses with signatures and whole answers.
        for name in ("tweepy", "requests_oauthlib", "oauthlib", "urllib3"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._account_id = settings.account_id
        self._looking = _client(settings)
        self._posting = _client(settings)
        self._ruling = _ruling(settings)
        # A connection that the server has closed meanwhile would leave open whether the reply was taken.
        self._posting.session.headers["Connection"] = "close"
        self._one_post = asyncio.Lock()

    async def account(self) -> Answer:
        return await self._call(lambda: self._looking.get_me(user_fields="username", user_auth=True))

    async def mentions(self, since: int, token: str | None) -> Answer:
        return await self._call(
            lambda: self._looking.get_users_mentions(
                self._account_id, since_id=since, pagination_token=token, user_auth=True, **WANTED
            )
        )

    async def search(self, query: str, since: int, token: str | None) -> Answer:
        return await self._call(
            lambda: self._looking.search_recent_tweets(
                query, since_id=since, next_token=token, user_auth=True, sort_order="recency", **WANTED
            )
        )

    async def posts(self, ids: Sequence[str]) -> Answer:
        """At most 100."""
        return await self._call(lambda: self._looking.get_tweets(list(ids), user_auth=True, **KNOWN))

    async def reply(self, text: str, post_id: str) -> Answer:
        async with self._one_post:
            return await self._call(
                lambda: self._posting.create_tweet(text=text, in_reply_to_tweet_id=post_id, user_auth=True)
            )

    async def rules(self) -> Answer:
        return await self._call(self._ruling.get_rules)

    async def add_rule(self, value: str, tag: str) -> Answer:
        return await self._call(lambda: self._ruling.add_rules(tweepy.StreamRule(value=value, tag=tag)))

    async def delete_rules(self, ids: Sequence[str]) -> Answer:
        return await self._call(lambda: self._ruling.delete_rules(list(ids)))

    def close(self) -> None:
        for client in (self._looking, self._posting, self._ruling):
            client.session.close()

    async def _call(self, ask: Callable[[], requests.Response]) -> Answer:
        return await asyncio.to_thread(_answer, ask)


def _client(settings: XSettings) -> Any:
    words = (settings.consumer_key, settings.consumer_secret, settings.access_token, settings.access_token_secret)
    return _mounted(
        tweepy.Client(None, *(word.get_secret_value() for word in words), return_type=requests.Response), settings
    )


def _ruling(settings: XSettings) -> Any:
    """The stream is the app's own, not our account's."""
    token = settings.bearer_token.get_secret_value()
    return _mounted(tweepy.StreamingClient(token, return_type=requests.Response), settings)


def _mounted(client: Any, settings: XSettings) -> Any:
    client.session.mount(PUBLIC_API, Line(settings.api_url, settings.request_seconds))
    # A proxy of the surroundings is for the public server only.
    client.session.trust_env = settings.api_url == PUBLIC_API
    return client


def _answer(ask: Callable[[], requests.Response]) -> Answer:
    """Raises Fault, and nothing else that hangs on what the server does."""
    try:
        response = ask()
        body = response.json()
    except Fault:
        raise
    except (requests.RequestException, ValueError, RecursionError) as error:
        raise (NeverLeft() if _never_left(error) else Unclear()) from error
    if not isinstance(body, dict):
        raise Unclear
    return Answer(body=body, quota=quota(response.headers, LIMITS), at=server_time(response.headers))


def _never_left(error: Exception) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def judged(status: int, headers: Mapping[str, str]) -> Fault:
    """Of every answer but 2xx."""
    match status:
        case 401:
            return Unauthorized()
        case 403 | 404:
            return Forbidden()
        case 429:
            return AskedToWait(quota(headers, LIMITS).seconds)
        case code if 400 <= code < 500:
            return NotTaken()
        case _:
            return Unclear()
