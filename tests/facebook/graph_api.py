"""A Graph API on a free port: the parts of https://developers.facebook.com/docs/graph-api that the channel speaks.

Real HTTP; every call must carry the page's token and its `appsecret_proof`, and what people write is delivered to a
webhook, signed. `fail_next` says what goes wrong at the next call of an endpoint.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.web import serving

PAGE = "104300000000042"
CREDENTIALS = {
    "page_id": PAGE,
    "page_token": "EAAtheTokenOfTheTestPage",
    "app_secret": "0123456789abcdef0123456789abcdef",
    "verify_token": "a-word-of-our-own-choice",
}
WINDOW = timedelta(hours=24)
HUMAN_WINDOW = timedelta(days=7)
GIVEN_OUT = 20
MAX_CHARACTERS = 2000
VERSION = "v25.0"


@dataclass(frozen=True)
class Fault:
    """How a call goes wrong: an error with `status`, `code` and `subcode` (no code: no JSON), silence (`hang`) or an
    answer that breaks off (`truncated`). `done`: the call is carried out before it goes wrong."""

    status: int = 400
    code: int | None = None
    subcode: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    truncated: bool = False
    done: bool = False


class Refused(Exception):
    def __init__(self, code: int, subcode: int | None = None, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.subcode, self.status = code, subcode, status


@dataclass
class GraphApi:
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    url: str = ""
    token: str = CREDENTIALS["page_token"]
    webhook: str = ""
    """Where deliveries go."""
    pending: list[dict[str, Any]] = field(default_factory=list)
    """Entries that no 200 has confirmed."""
    chats: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Messages by person, oldest first."""
    posts: list[dict[str, Any]] = field(default_factory=list)
    """Posts of the page with their comments, oldest first."""
    sent: list[dict[str, Any]] = field(default_factory=list)
    replied: list[dict[str, str]] = field(default_factory=list)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    blocked_by: set[str] = field(default_factory=set)
    human_agent: bool = False
    used_percent: int = 0
    fail_next: defaultdict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    times: int = 1
    """How often each entry is delivered."""
    shuffled: random.Random | None = None
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Ends every hanging call."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _number: int = 0
    _http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(trust_env=False, verify=False))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[GraphApi]:
        routes = [
            Route("/files/{name}", self._file),
            Route(f"/{VERSION}/{{first}}", self._call, methods=["GET"]),
            Route(f"/{VERSION}/{{first}}/{{edge}}", self._call, methods=["GET", "POST"]),
        ]
        async with serving(Starlette(routes=routes), dated=False) as self.url:
            try:
                yield self
            finally:
                self.released.set()
                await self._http.aclose()

    # What people do.

    def message(self, text: str | None, person: str = "77", ago: float = 0, **more: Any) -> dict[str, Any]:
        """A private message, `ago` seconds ago, which waits for its delivery. Returns the event."""
        at = self.now() - timedelta(seconds=ago)
        mid = f"m_{self._next()}"
        said = {} if text is None else {"text": text}
        self.chats.setdefault(person, []).append(
            {
                "id": mid,
                "created_time": _written(at),
                "from": {"id": person, "name": "Li", "email": f"{person}@facebook.com"},
                "message": text or "",
            }
        )
        return self.event(person, at, message={"mid": mid, **said, **more})

    def event(self, person: str, at: datetime | None = None, **content: Any) -> dict[str, Any]:
        """Any event of a chat."""
        moment = int((at or self.now()).timestamp() * 1000)
        event = {"sender": {"id": person}, "recipient": {"id": PAGE}, "timestamp": moment, **content}
        self.pending.append({"id": PAGE, "time": moment, "messaging": [event]})
        return event

    def press(self, sent: Mapping[str, Any], number: int = 0, person: str | None = None) -> dict[str, Any]:
        """Presses a button of a sent message."""
        button = sent["message"]["quick_replies"][number]
        reply = {"payload": button["payload"]}
        return self.message(button["title"], person or sent["recipient"]["id"], quick_reply=reply)

    def post(self, ago: float = 0, author: str = PAGE, text: str = "News") -> str:
        """A post on the page. Returns its id."""
        post_id = f"{PAGE}_{self._next()}"
        at = _written(self.now() - timedelta(seconds=ago))
        self.posts.append(
            {"id": post_id, "created_time": at, "from": {"id": author, "name": "A"}, "message": text, "comments": []}
        )
        return post_id

    def comment(
        self, text: str, author: str = "77", post: str | None = None, ago: float = 0, **more: Any
    ) -> dict[str, Any]:
        """A comment, which waits for its delivery. Returns the value of the change."""
        post_id = post or (self.posts[-1]["id"] if self.posts else self.post(ago=3600))
        at = self.now() - timedelta(seconds=ago)
        comment_id = f"{post_id.partition('_')[2]}_{self._next()}"
        sender = {"id": author, "name": "Li"}
        found = {"id": comment_id, "created_time": _written(at), "from": sender, "message": text}
        next(each for each in self.posts if each["id"] == post_id)["comments"].append(found)
        value = {"item": "comment", "verb": "add", "comment_id": comment_id, "post_id": post_id, "parent_id": post_id}
        return self.change({**value, "from": sender, "created_time": int(at.timestamp()), "message": text, **more})

    def change(self, value: dict[str, Any], field_name: str = "feed") -> dict[str, Any]:
        moment = int(self.now().timestamp())
        self.pending.append({"id": PAGE, "time": moment, "changes": [{"field": field_name, "value": value}]})
        return value

    async def deliver(self, together: int = 1) -> list[int]:
        """Delivers what waits, `times` times, `together` entries each; returns the answers. Those with 200 are done."""
        entries = [entry for entry in self.pending for _ in range(self.times)]
        if self.shuffled is not None:
            self.shuffled.shuffle(entries)
        batches = [entries[start : start + together] for start in range(0, len(entries), together)]
        answers = [await self.post_signed(_body(batch)) for batch in batches]
        done = [e for batch, a in zip(batches, answers, strict=True) if a.status_code == 200 for e in batch]
        self.pending = [entry for entry in self.pending if entry not in done]
        return [answer.status_code for answer in answers]

    async def post_signed(self, body: bytes, signature: str | None = None) -> httpx.Response:
        shown = signature if signature is not None else signed(body)
        headers = {b"X-Hub-Signature-256": shown.encode("latin-1")}
        return await self._http.post(self.webhook, content=body, headers=headers)

    async def verify(self, token: str = CREDENTIALS["verify_token"], challenge: str = "1158201444") -> httpx.Response:
        asked = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        return await self._http.get(self.webhook, params=asked)

    async def until(self, count: int, what: Sequence[Any]) -> None:
        """Waits until `what` (one of the lists above) has `count` entries."""
        async with self.changed, asyncio.timeout(20):
            await self.changed.wait_for(lambda: len(what) >= count)

    def called(self, endpoint: str) -> list[Mapping[str, Any]]:
        return [parameters for name, parameters in self.calls if name == endpoint]

    # The server.

    async def _call(self, request: Request) -> Response:
        edge = request.path_params.get("edge", "me")
        endpoint = {"messages": "send"}.get(edge, "reply" if request.method == "POST" else edge)
        content = json.loads(await request.body()) if request.method == "POST" else {}
        self.calls.append((endpoint, {**request.query_params, **content}))
        fault = self.fail_next[endpoint].pop(0) if self.fail_next[endpoint] else None
        try:
            self._authorize(request)
            if fault is not None and not fault.done:
                return await self._broken(fault)
            result = getattr(self, f"_on_{endpoint}")(request, content)
        except Refused as refusal:
            return self._answer(_error(refusal.code, refusal.subcode), refusal.status)
        await self._tell()
        return self._answer(result) if fault is None else await self._broken(fault)

    def _authorize(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise Refused(190, status=401)
        proof = hmac.new(CREDENTIALS["app_secret"].encode(), self.token.encode(), sha256).hexdigest()
        if request.query_params.get("appsecret_proof") != proof:
            raise Refused(100)

    def _on_me(self, _request: Request, _content: Any) -> Any:
        return {"id": PAGE, "username": "demo.exchange"}

    def _on_conversations(self, request: Request, _content: Any) -> Any:
        listed = sorted(self.chats.items(), key=lambda chat: str(chat[1][-1]["created_time"]), reverse=True)
        found = [
            {
                "id": f"t_{person}",
                "updated_time": messages[-1]["created_time"],
                "messages": _part(list(reversed(messages)), GIVEN_OUT, ""),
            }
            for person, messages in listed
        ]
        return _part(found, int(request.query_params["limit"]), request.query_params.get("after", ""))

    def _on_feed(self, request: Request, _content: Any) -> Any:
        found = [
            {**post, "comments": _part(list(reversed(post["comments"])), 100, "")} for post in reversed(self.posts)
        ]
        return _part(found, int(request.query_params["limit"]), request.query_params.get("after", ""))

    def _on_comments(self, request: Request, _content: Any) -> Any:
        post = next(each for each in self.posts if each["id"] == request.path_params["first"])
        found = list(reversed(post["comments"]))
        return _part(found, int(request.query_params["limit"]), request.query_params.get("after", ""))

    def _on_reply(self, request: Request, content: Any) -> Any:
        above = request.path_params["first"]
        known = [each["id"] for post in self.posts for each in [post, *post["comments"]]]
        if above not in known:
            raise Refused(100, 33)
        self.replied.append({"to": above, "text": content["message"]})
        return {"id": f"{above.partition('_')[0]}_{self._next()}"}

    def _on_send(self, _request: Request, content: Any) -> Any:
        person = content["recipient"]["id"]
        if person not in self.chats:
            raise Refused(100, 2018001)
        if person in self.blocked_by:
            raise Refused(551, 1545041)
        self._check_window(person, content)
        message = content["message"]
        if not message["text"].strip() or len(message["text"]) > MAX_CHARACTERS:
            raise Refused(100)
        replies = message.get("quick_replies", [])
        if len(replies) > 13 or any(len(r["title"]) > 20 or len(r["payload"]) > 1000 for r in replies):
            raise Refused(100)
        self.sent.append(content)
        return {"recipient_id": person, "message_id": f"m_{self._next()}"}

    def _check_window(self, person: str, content: Any) -> None:
        age = self.now() - datetime.fromisoformat(self.chats[person][-1]["created_time"])
        match content.get("messaging_type"), content.get("tag"):
            case "RESPONSE", None if age <= WINDOW:
                return
            case "MESSAGE_TAG", "HUMAN_AGENT" if self.human_agent and age <= HUMAN_WINDOW:
                return
            case _:
                raise Refused(10, 2018278)

    async def _file(self, request: Request) -> Response:
        self.calls.append(("file", request.path_params))
        fault = self.fail_next["file"].pop(0) if self.fail_next["file"] else None
        if fault is not None:
            return await self._broken(fault)
        found = self.files.get(request.path_params["name"])
        return Response(found) if found is not None else Response(status_code=404)

    async def _broken(self, fault: Fault) -> Response:
        if fault.hang:
            await self.released.wait()
        if fault.truncated:
            return Response(b'{"message_id":"m_', headers={"content-length": "500"})
        if fault.code is None:
            return Response(b"<html>no answer</html>", fault.status, headers=dict(fault.headers))
        return self._answer(_error(fault.code, fault.subcode), fault.status, fault.headers)

    def _answer(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        usage = json.dumps({"call_count": self.used_percent, "total_time": 1, "total_cputime": 1})
        said = {"X-App-Usage": usage, "Date": format_datetime(self.now(), usegmt=True)}
        return JSONResponse(body, status, headers={**said, **(headers or {})})

    def _next(self) -> int:
        self._number += 1
        return 1000 + self._number

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


def signed(body: bytes) -> str:
    return f"sha256={hmac.new(CREDENTIALS['app_secret'].encode(), body, sha256).hexdigest()}"


def _body(entries: Sequence[Any]) -> bytes:
    return json.dumps({"object": "page", "entry": entries}).encode()


def _error(code: int, subcode: int | None) -> dict[str, Any]:
    more = {} if subcode is None else {"error_subcode": subcode}
    return {"error": {"message": "words of Facebook", "type": "OAuthException", "code": code, **more}}


def _part(listed: list[Any], limit: int, after: str) -> dict[str, Any]:
    """A page of a list, with a cursor when there is more."""
    start = int(after or 0)
    shown, end = listed[start : start + limit], start + limit
    paging: dict[str, Any] = {"cursors": {"after": str(end)}}
    if end < len(listed):
        paging["next"] = "https://graph.facebook.com/next"
    return {"data": shown, "paging": paging}


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}+0000"
