"""A Bot API on a free port: the parts of https://core.telegram.org/bots/api that the channel speaks.

Real HTTP, real long polling, real webhook deliveries; `fail_next` says what goes wrong at the next call of a method.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.web import serving

TOKEN = "4242:a-token-of-the-test-bot"
BOT = {"id": 4242, "is_bot": True, "first_name": "Redress", "username": "redress_test_bot"}
MAX_UNITS = 4096
MAX_FILE_BYTES = 20_000_000


@dataclass(frozen=True)
class Fault:
    """How a call goes wrong: an answer with `code`, silence (`hang`), or an answer that breaks off (`truncated`).

    `done`: the call is carried out before it goes wrong.
    """

    code: int = 500
    description: str = "Internal Server Error"
    retry_after: Any = None
    hang: bool = False
    truncated: bool = False
    done: bool = False


class Refused(Exception):
    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


@dataclass
class BotApi:
    token: str = TOKEN
    url: str = ""
    pending: list[dict[str, Any]] = field(default_factory=list)
    """Updates that nobody has confirmed."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    answered: list[dict[str, Any]] = field(default_factory=list)
    stripped: list[dict[str, Any]] = field(default_factory=list)
    """Messages whose keyboards were taken away."""
    commands: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    webhook: dict[str, Any] = field(default_factory=dict)
    webhook_error: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    known_chats: set[int] = field(default_factory=set)
    blocked_by: set[int] = field(default_factory=set)
    fail_next: defaultdict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    """By method name in lower case; "file" is the download."""
    times: int = 1
    """How often each update is handed out."""
    shuffled: random.Random | None = None
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Ends every hanging call."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    last_id: int = 1000
    _poller: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[BotApi]:
        routes = [
            Route("/file/{bot}/{path:path}", self._file),
            Route("/{bot}/{method}", self._call, methods=["GET", "POST"]),
        ]
        async with serving(Starlette(routes=routes)) as self.url:
            try:
                yield self
            finally:
                self.released.set()
                await self._tell()

    # What users do.

    async def say(self, text: str | None = None, chat: int = 77, **more: Any) -> dict[str, Any]:
        """A new message of a private chat; `more` are further fields of it."""
        return await self.add(message=self.message(text, chat, **more))

    def message(self, text: str | None = None, chat: int = 77, **more: Any) -> dict[str, Any]:
        self.last_id += 1
        self.known_chats.add(chat)
        sender = {"id": chat, "is_bot": False, "first_name": "Li", "language_code": "en"}
        said = {} if text is None else {"text": text}
        return {
            "message_id": self.last_id,
            "date": 1_795_000_000,
            "chat": {"id": chat, "type": "private", "first_name": "Li"},
            "from": sender,
            **said,
            **more,
        }

    async def press(self, sent: Mapping[str, Any], data: str | None = None, chat: int | None = None) -> dict[str, Any]:
        """Presses the first button of a sent message, or one with made-up data."""
        chat = sent["chat"]["id"] if chat is None else chat
        button = sent["reply_markup"]["inline_keyboard"][0][0]
        user = {"id": chat, "is_bot": False, "first_name": "Li", "language_code": "en"}
        message = {**sent, "chat": {"id": chat, "type": "private"}}
        self.last_id += 1
        query = {"id": f"q{self.last_id}", "from": user, "chat_instance": "1", "message": message}
        return await self.add(callback_query={**query, "data": data or button["callback_data"]})

    async def add(self, **content: Any) -> dict[str, Any]:
        self.last_id += 1
        update = {"update_id": self.last_id, **content}
        self.pending.append(update)
        await self._tell()
        return update

    async def post_pending(self, secret: str | None = None) -> list[int]:
        """Delivers every update to the webhook, `times` times each; returns the answers. Those with 200 are done."""
        batch = self._batch(self.pending)
        shown = self.webhook.get("secret_token") if secret is None else secret
        headers = {} if shown is None else {"X-Telegram-Bot-Api-Secret-Token": shown}
        async with httpx.AsyncClient(trust_env=False) as http:
            posts = (http.post(self.webhook["url"], json=update, headers=headers) for update in batch)
            answers = await asyncio.gather(*posts)
        taken = [update for update, answer in zip(batch, answers, strict=True) if answer.status_code == 200]
        self.pending = [update for update in self.pending if update not in taken]
        return [answer.status_code for answer in answers]

    async def until(self, count: int, what: list[Any]) -> None:
        """Waits until `what` (one of the lists above) has `count` entries."""
        async with self.changed, asyncio.timeout(10):
            await self.changed.wait_for(lambda: len(what) >= count)

    def called(self, method: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.calls if name == method.lower()]

    # What the server does.

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"].lower()
        if request.path_params["bot"] != f"bot{self.token}":
            return _answer(Refused(401, "Unauthorized"))
        parameters = _parameters(request, await request.body())
        self.calls.append((method, parameters))
        await self._tell()
        fault = self.fail_next[method].pop(0) if self.fail_next[method] else None
        if fault is not None and not fault.done:
            return await self._broken(fault)
        try:
            result = await getattr(self, f"_on_{method}", self._unknown)(parameters)
        except Refused as refusal:
            return _answer(refusal)
        if fault is not None:
            return await self._broken(fault)
        await self._tell()
        return JSONResponse({"ok": True, "result": result})

    async def _file(self, request: Request) -> Response:
        fault = self.fail_next["file"].pop(0) if self.fail_next["file"] else None
        if fault is not None:
            return await self._broken(fault)
        name = request.path_params["path"].removeprefix("files/")
        if request.path_params["bot"] != f"bot{self.token}" or name not in self.files:
            return Response(status_code=404)
        return Response(self.files[name])

    async def _broken(self, fault: Fault) -> Response:
        if fault.hang:
            await self.released.wait()
        if fault.truncated:
            return Response(b'{"ok":true,"res', headers={"content-length": "500"})
        return _answer(Refused(fault.code, fault.description), fault.retry_after)

    async def _unknown(self, _: dict[str, Any]) -> Any:
        raise Refused(404, "Not Found: method not found")

    async def _on_getme(self, _: dict[str, Any]) -> Any:
        return BOT

    async def _on_setmycommands(self, parameters: dict[str, Any]) -> Any:
        self.commands[parameters.get("language_code", "")] = parameters["commands"]
        return True

    async def _on_setwebhook(self, parameters: dict[str, Any]) -> Any:
        self.webhook = parameters
        return True

    async def _on_deletewebhook(self, parameters: dict[str, Any]) -> Any:
        if str(parameters.get("drop_pending_updates")).lower() == "true":
            self.pending.clear()
        self.webhook = {}
        return True

    async def _on_getwebhookinfo(self, _: dict[str, Any]) -> Any:
        state = {"has_custom_certificate": False, "pending_update_count": len(self.pending)}
        return {"url": self.webhook.get("url", ""), **state, **self.webhook_error}

    async def _on_getupdates(self, parameters: dict[str, Any]) -> Any:
        """Confirms what lies before the offset, then waits for something to hand out."""
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        self._poller += 1
        mine, offset = self._poller, int(parameters.get("offset", 0))
        await self._tell()
        self.pending = [update for update in self.pending if _number(update) >= offset]
        try:
            async with self.changed, asyncio.timeout(float(parameters.get("timeout", 0))):
                await self.changed.wait_for(lambda: self.pending or mine != self._poller or self.released.is_set())
        except TimeoutError:
            return []
        if mine != self._poller:
            raise Refused(409, "Conflict: terminated by other getUpdates request")
        return self._batch(self.pending[: int(parameters.get("limit", 100))])

    async def _on_sendmessage(self, parameters: dict[str, Any]) -> Any:
        chat = int(parameters["chat_id"])
        if chat in self.blocked_by:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat not in self.known_chats:
            raise Refused(400, "Bad Request: chat not found")
        text = parameters.get("text", "")
        if not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > MAX_UNITS:
            raise Refused(400, "Bad Request: message is too long")
        keyboard = parameters.get("reply_markup", {"inline_keyboard": []})["inline_keyboard"]
        if any(len(button["callback_data"].encode()) > 64 for row in keyboard for button in row):
            raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
        self.last_id += 1
        self.sent.append(
            {"message_id": self.last_id, "date": 1_795_000_000, "chat": {"id": chat, "type": "private"}, **parameters}
        )
        return {key: self.sent[-1][key] for key in ("message_id", "date", "chat", "text")}

    async def _on_answercallbackquery(self, parameters: dict[str, Any]) -> Any:
        self.answered.append(parameters)
        return True

    async def _on_editmessagereplymarkup(self, parameters: dict[str, Any]) -> Any:
        self.stripped.append(parameters)
        return True

    async def _on_getfile(self, parameters: dict[str, Any]) -> Any:
        name = parameters["file_id"]
        if name not in self.files:
            raise Refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(self.files[name]) > MAX_FILE_BYTES:
            raise Refused(400, "Bad Request: file is too big")
        size = len(self.files[name])
        return {"file_id": name, "file_unique_id": f"u{name}", "file_size": size, "file_path": f"files/{name}"}

    def _batch(self, updates: list[dict[str, Any]]) -> list[dict[str, Any]]:
        batch = [update for update in updates for _ in range(self.times)]
        if self.shuffled is not None:
            self.shuffled.shuffle(batch)
        return batch

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


def _number(update: Any) -> float:
    """An update without a number is never confirmed."""
    return update["update_id"] if isinstance(update, dict) and "update_id" in update else float("inf")


def _parameters(request: Request, body: bytes) -> dict[str, Any]:
    """From a form or JSON; values of a form that are JSON objects or lists are parsed, as the Bot API does."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return dict(json.loads(body))
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    return {name: json.loads(value) if value[:1] in ("{", "[") and name != "text" else value for name, value in pairs}


def _answer(refusal: Refused, retry_after: Any = None) -> Response:
    body = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if retry_after is not None:
        body["parameters"] = {"retry_after": retry_after}
    return JSONResponse(body, refusal.code)
