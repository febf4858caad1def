"""An X API v2 on a free port: the parts of https://docs.x.com/x-api that the channel speaks.

Real HTTP; every request must be signed with OAuth 1.0a for the official address. `fail_next` says what goes wrong next.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha1
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

OFFICIAL = "https://api.twitter.com"
ACCOUNT = {"id": "4242", "name": "Demo Exchange", "username": "DemoExchange"}
CREDENTIALS = {
    "consumer_key": "app-key",
    "consumer_secret": "app-secret",
    "access_token": "4242-AccountTokenOfTheTest",
    "access_token_secret": "account-secret",
}
QUOTAS = {"account": 75, "mentions": 180, "search": 180, "post": 100, "lookups": 900}
WINDOW = timedelta(minutes=15)
MENTIONS_AT_MOST = 800
SEARCHED_BACK = timedelta(days=7)
EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, tzinfo=UTC)


@dataclass(frozen=True)
class Fault:
    """How a call goes wrong. `code`: with that status; else with 200, but late, broken off, or with posts repeated and
    out of order. `reset_in`: seconds until the quota is said to be new. `done`: a post is taken all the same."""

    code: int = 0
    reset_in: float | None = None
    hang: bool = False
    truncated: bool = False
    untidy: bool = False
    done: bool = False
    text: bytes | None = None


@dataclass(frozen=True)
class Call:
    endpoint: str
    parameters: Mapping[str, Any]
    at: datetime


class Refused(Exception):
    def __init__(self, code: int, title: str) -> None:
        super().__init__(title)
        self.code = code


@dataclass
class XApi:
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    url: str = ""
    posts: dict[int, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, str]] = field(default_factory=lambda: {ACCOUNT["id"]: ACCOUNT})
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    posted: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    """Everything that was asked, also what was refused."""
    fail_next: defaultdict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    quotas: dict[str, int] = field(default_factory=lambda: dict(QUOTAS))
    revoked: bool = False
    over_quota: int = 0
    """Calls that came though the quota was used up."""
    sloppy: bool = False
    """The search ignores what was to be left out."""
    protected: set[str] = field(default_factory=set)
    """Posts that are no longer for us to see."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Ends every hanging call."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _used: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    _nonces: set[str] = field(default_factory=set)
    _number: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[XApi]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            try:
                yield self
            finally:
                self.released.set()

    # What people do.

    def say(self, text: str, author: int = 77, ago: float = 0, **more: Any) -> str:
        """A post `ago` seconds ago; `more` are further fields of it. Returns its id."""
        self._number += 1
        moment = self.now() - timedelta(seconds=ago)
        post_id = ((moment - EPOCH) // timedelta(milliseconds=1) << 22) + self._number % (1 << 22)
        self.users.setdefault(str(author), {"id": str(author), "name": "Li", "username": f"user{author}"})
        named = [name for name in re.findall(r"@(\w+)", text) if name.casefold() == ACCOUNT["username"].casefold()]
        entities = {"mentions": [{"username": name, "id": ACCOUNT["id"]} for name in named]}
        self.posts[post_id] = {
            "id": str(post_id),
            "text": text,
            "author_id": str(author),
            "created_at": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z",
            "lang": "en",
            "edit_history_tweet_ids": [str(post_id)],
            **({"entities": entities} if named else {}),
            **more,
        }
        return str(post_id)

    def edit(self, post_id: str, text: str, **more: Any) -> str:
        """Its author writes it anew. Returns the id of the new version."""
        history = self.posts[int(post_id)]["edit_history_tweet_ids"]
        new = self.say(text, int(self.posts[int(post_id)]["author_id"]), **more)
        for each in (*history, new):
            self.posts[int(each)]["edit_history_tweet_ids"] = [*history, new]
        return new

    def delete(self, post_id: str) -> None:
        """With all its versions."""
        for each in self.posts[int(post_id)]["edit_history_tweet_ids"]:
            del self.posts[int(each)]

    async def until(self, *, posted: int) -> None:
        """Waits for that many replies."""
        async with self.changed, asyncio.timeout(20):
            await self.changed.wait_for(lambda: len(self.posted) >= posted)

    def called(self, endpoint: str) -> list[Call]:
        return [call for call in self.calls if call.endpoint == endpoint]

    # The server.

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *lines = head.split("\r\n")
            method, target, _ = line.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            await self._respond(writer, method, target, headers, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _respond(
        self, writer: asyncio.StreamWriter, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        parts = urlsplit(target)
        endpoint = _endpoint(method, parts.path)
        parameters = json.loads(body) if body else dict(parse_qsl(parts.query))
        self.calls.append(Call(endpoint, parameters, self.now()))
        fault = self.fail_next[endpoint].pop(0) if self.fail_next[endpoint] else Fault()
        if fault.done:
            self._post(parameters)
        if fault.hang:
            await self.released.wait()
            return
        code, answer, more = self._answer(method, target, endpoint, parameters, headers, fault)
        content = answer if fault.text is None else fault.text
        said = {"Date": format_datetime(self.now(), usegmt=True), "Content-Type": "application/json", **more}
        said |= {"Content-Length": str(len(content)), "Connection": "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        sent = content[: len(content) // 2] if fault.truncated else content
        writer.write(f"HTTP/1.1 {code} -\r\n{head}\r\n".encode() + sent)
        await writer.drain()
        async with self.changed:
            self.changed.notify_all()

    def _answer(
        self,
        method: str,
        target: str,
        endpoint: str,
        parameters: Mapping[str, Any],
        headers: Mapping[str, str],
        fault: Fault,
    ) -> tuple[int, bytes, dict[str, str]]:
        if fault.code:
            more = {} if fault.reset_in is None else {"x-rate-limit-reset": str(self._epoch(fault.reset_in))}
            return fault.code, b'{"title":"told to fail"}', more
        if not self._is_signed(method, target, headers.get("authorization", "")) or self.revoked:
            return 401, b'{"title":"Unauthorized","status":401}', {}
        left, quota = self._count(endpoint)
        if left < 0:
            self.over_quota += 1
            return 429, b'{"title":"Too Many Requests","status":429}', quota
        try:
            content = self._content(endpoint, parameters)
        except Refused as refused:
            return refused.code, json.dumps({"title": str(refused), "errors": [{}]}).encode(), quota
        if fault.untidy and content.get("data"):
            content["data"] = [*content["data"][::2], *content["data"][::-1]]
            content["meta"]["result_count"] = len(content["data"])
        return 201 if endpoint == "post" else 200, json.dumps(content).encode(), quota

    def _is_signed(self, method: str, target: str, authorization: str) -> bool:
        """RFC 5849 section 3.4, over the official address whatever server was asked. No nonce counts twice."""
        scheme, _, fields = authorization.partition(" ")
        given = {unquote(n): unquote(v) for n, v in re.findall(r'(\w+)="([^"]*)"', fields)}
        signature = given.pop("oauth_signature", "")
        parts = urlsplit(target)
        pairs = [*given.items(), *parse_qsl(parts.query, keep_blank_values=True)]
        encoded = sorted((_encoded(name), _encoded(value)) for name, value in pairs)
        parameters = "&".join(f"{name}={value}" for name, value in encoded)
        base = "&".join([method, _encoded(OFFICIAL + parts.path), _encoded(parameters)])
        key = f"{_encoded(CREDENTIALS['consumer_secret'])}&{_encoded(CREDENTIALS['access_token_secret'])}"
        right = base64.b64encode(hmac.digest(key.encode(), base.encode(), sha1)).decode()
        who = (given.get("oauth_consumer_key"), given.get("oauth_token"))
        fresh = given.get("oauth_nonce", "") not in self._nonces
        self._nonces.add(given.get("oauth_nonce", ""))
        ours = who == (CREDENTIALS["consumer_key"], CREDENTIALS["access_token"])
        return scheme == "OAuth" and ours and fresh and hmac.compare_digest(right, signature)

    def _count(self, endpoint: str) -> tuple[int, dict[str, str]]:
        began, used = self._used.get(endpoint, (self.now(), 0))
        if self.now() - began >= WINDOW:
            began, used = self.now(), 0
        self._used[endpoint] = (began, used + 1)
        limit = self.quotas.get(endpoint, 0)
        reset = self._epoch((began + WINDOW - self.now()).total_seconds())
        return limit - used - 1, {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(max(0, limit - used - 1)),
            "x-rate-limit-reset": str(reset),
        }

    def _epoch(self, seconds: float) -> int:
        return int((self.now() + timedelta(seconds=seconds)).timestamp())

    def _content(self, endpoint: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Refused."""
        match endpoint:
            case "account":
                return {"data": ACCOUNT}
            case "mentions":
                named = f"@{ACCOUNT['username']}".casefold()
                found = [i for i, post in self.posts.items() if named in post["text"].casefold()]
                return self._page(sorted(found)[-MENTIONS_AT_MOST:], parameters, "pagination_token")
            case "search":
                oldest = self.now() - SEARCHED_BACK
                if int(parameters["since_id"]) < (oldest - EPOCH) // timedelta(milliseconds=1) << 22:
                    raise Refused(400, "since_id must be a tweet id created after seven days ago")
                return self._page(self._found(parameters["query"]), parameters, "next_token")
            case "lookups":
                return self._looked_up(parameters["ids"].split(","))
            case "post":
                return {"data": self._post(parameters)}
            case _:
                raise Refused(404, "Not Found")

    def _looked_up(self, ids: list[str]) -> dict[str, Any]:
        """What cannot be shown is told as errors beside the posts."""
        if len(ids) > 100:
            raise Refused(400, "ids must have between 1 and 100 items")
        shown = [self.posts[int(i)] for i in ids if int(i) in self.posts and i not in self.protected]
        problems = {i: "not-authorized-for-resource" if i in self.protected else "resource-not-found" for i in ids}
        errors = [
            {"value": i, "parameter": "ids", "resource_type": "tweet", "type": f"{OFFICIAL}/2/problems/{problems[i]}"}
            for i in ids
            if self.posts.get(int(i)) not in shown
        ]
        return {
            **({"data": shown} if shown else {}),
            **({"errors": errors} if errors else {}),
            "includes": {"users": list(self.users.values()), "media": list(self.media.values())},
        }

    def _found(self, query: str) -> list[int]:
        wanted, _, without = query.partition(")")
        terms = [term.strip("( ").strip('"').casefold() for term in wanted.split(" OR ")]
        hits = [i for i, post in self.posts.items() if any(term in post["text"].casefold() for term in terms)]
        if self.sloppy:
            return hits
        own = re.search(r"-from:(\w+)", without)
        return [
            i
            for i in hits
            if not ("-is:retweet" in without and "referenced_tweets" in self.posts[i])
            and not (own and self.users[self.posts[i]["author_id"]]["username"].casefold() == own[1].casefold())
        ]

    def _page(self, found: list[int], parameters: Mapping[str, Any], token_name: str) -> dict[str, Any]:
        """Newest first; a token names the post after which a page begins."""
        before = int(parameters.get(token_name, 1 << 63))
        left = sorted((i for i in found if int(parameters["since_id"]) < i < before), reverse=True)
        size = int(parameters.get("max_results", 10))
        page = [self.posts[i] for i in left[:size]]
        if not page:
            return {"meta": {"result_count": 0}}
        users = [self.users[author] for author in sorted({post["author_id"] for post in page})]
        more = {"next_token": page[-1]["id"]} if len(left) > size else {}
        return {
            "data": page,
            "includes": {"users": users, "media": list(self.media.values())},
            "meta": {"result_count": len(page), "newest_id": page[0]["id"], "oldest_id": page[-1]["id"], **more},
        }

    def _post(self, parameters: Mapping[str, Any]) -> dict[str, str]:
        replied = int(parameters["reply"]["in_reply_to_tweet_id"])
        if replied not in self.posts:
            raise Refused(403, "You cannot reply to a post that does not exist")
        self.posted.append({"text": parameters["text"], "to": str(replied)})
        text = f"@{self.users[self.posts[replied]['author_id']]['username']} {parameters['text']}"
        return {"id": self.say(text, author=int(ACCOUNT["id"])), "text": parameters["text"]}


def _endpoint(method: str, path: str) -> str:
    routes = {
        ("GET", "/2/users/me"): "account",
        ("GET", f"/2/users/{ACCOUNT['id']}/mentions"): "mentions",
        ("GET", "/2/tweets/search/recent"): "search",
        ("POST", "/2/tweets"): "post",
        ("GET", "/2/tweets"): "lookups",
    }
    return routes.get((method, path), "unknown")


def _encoded(text: str) -> str:
    return quote(text, safe="~")
