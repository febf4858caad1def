"""Telegram in the contract suite, both ways of receiving: the Bot API is asked for updates, or posts them."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Self, override

import httpx

from channels.telegram.channel import TelegramChannel
from channels.telegram.pace import LONGEST_WAIT_SECONDS
from channels.telegram.settings import check
from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard, Peer
from tests.fakes.web import Exchangeable, serving
from tests.telegram.bot_api import BOT, TOKEN, BotApi, Fault
from tests.telegram.harness import WEBHOOK_SECRET, Sleeps

HEADER = "X-Telegram-Bot-Api-Secret-Token"
MAX_BODY_BYTES = 1024 * 1024
HEARD = {200: Heard.STORED, 503: Heard.LATER}


class Pauses(Sleeps):
    """A sleep that ends at once, or not before the gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    @override
    async def __call__(self, seconds: float) -> None:
        await super().__call__(seconds)
        await self.gate.wait()


class TelegramPeer(Peer):
    """What both ways have in common."""

    channel_name = "telegram"
    max_file_bytes: ClassVar[int] = 50_000
    cap: ClassVar[int] = 4
    channel: TelegramChannel

    def __init__(self, desk: ContractDesk, api: BotApi) -> None:
        super().__init__(desk)
        self.api = api
        self.pauses = Pauses()
        self._updates: dict[str, dict[str, Any]] = {}

    def settings(self) -> dict[str, Any]:
        times = {"poll_seconds": 1, "request_seconds": 2}
        caps = {"messages_per_minute": self.cap, "files_per_hour": self.cap - 1}
        return {"token": TOKEN, "api_url": self.api.url, "max_file_bytes": self.max_file_bytes, **times, **caps}

    def public_url(self) -> str:
        return "http://127.0.0.1:8080"

    @override
    async def restart(self) -> None:
        settings, public_url = self.settings(), self.public_url()
        context = self.desk.context("telegram", settings, public_url=public_url)
        self.channel = self.desk.built(TelegramChannel(context, check(settings, public_url), sleep=self.pauses))
        asked = len(self.api.called(self.first_call))
        await self.channel.start()
        self.stopped.clear()
        async with self.api.changed, asyncio.timeout(10):
            await self.api.changed.wait_for(lambda: len(self.api.called(self.first_call)) > asked)

    first_call: ClassVar[str]
    """The method that shows that the channel listens."""

    @abstractmethod
    async def hand(self, update: Mapping[str, Any]) -> Heard:
        """Gives an update to the channel, and says what became of it."""

    @override
    async def deliver(self, text: str, who: int = 1) -> Delivery:
        return await self._hand(message=self.api.message(text, 100 + who))

    @override
    async def own(self, text: str) -> None:
        await self._hand(message=self.api.message(text, 101, **{"from": BOT}))

    @override
    async def automatic(self, text: str) -> None:
        robot = {"id": 555, "is_bot": True, "first_name": "Robot"}
        await self._hand(message=self.api.message(text, 101, **{"from": robot}))

    @override
    async def edit(self, delivery: Delivery, text: str) -> Heard:
        before = self._updates[delivery.id]["message"]
        return (await self._hand(edited_message={**before, "text": text, "edit_date": before["date"] + 60})).heard

    @override
    async def file(self, name: str, data: bytes) -> Delivery:
        file_id = f"file{len(self.api.files)}"
        self.api.files[file_id] = data
        kind = {"file_name": name, "mime_type": "application/pdf", "file_size": len(data)}
        document = {"file_id": file_id, "file_unique_id": f"u{file_id}", **kind}
        return await self._hand(message=self.api.message(None, 101, document=document))

    @override
    def sent(self) -> list[str]:
        return [message["text"] for message in self.api.sent]

    @override
    def waited(self) -> float:
        """Without the long pauses between two looks at the webhook."""
        return sum(seconds for seconds in self.pauses.seconds if seconds <= LONGEST_WAIT_SECONDS)

    @override
    async def refuse_next(self, seconds: float) -> None:
        self.api.fail_next["sendmessage"] = [Fault(429, "Too Many Requests", retry_after=seconds)]

    @override
    async def fall_silent(self) -> None:
        self.api.fail_next["sendmessage"] = [Fault(truncated=True, done=True)]

    @override
    async def go_down(self) -> None:
        """The bot's token is revoked."""
        self.api.token = "4242:another-token-of-the-test-bot"
        async with asyncio.timeout(10):
            while self.channel.deaf() is None:
                await self.pauses.until(len(self.pauses.seconds) + 1)

    @override
    async def come_back(self) -> None:
        self.api.token = TOKEN
        async with self.api.changed, asyncio.timeout(10):
            await self.api.changed.wait_for(lambda: self.channel.deaf() is None)

    async def _hand(self, **content: Any) -> Delivery:
        self.api.last_id += 1
        update = {"update_id": self.api.last_id, **content}
        name = str(self.api.last_id)
        self._updates[name] = update
        return Delivery(name, await self.hand(update))


class PollingPeer(TelegramPeer):
    way = "polling"
    first_call = "getUpdates"
    lacks: ClassVar[Mapping[str, str]] = {
        "forge": "nobody calls us: we ask Telegram, with the bot's token",
        "too_large": "the size of an update is bounded by Telegram, whom we ask",
    }

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        async with BotApi().running() as api:
            peer = cls(desk, api)
            await peer.restart()
            yield peer
            peer.pauses.gate.set()
            await peer.channel.stop()
            await peer.channel.close()

    @override
    async def hand(self, update: Mapping[str, Any]) -> Heard:
        """After a failure the channel waits at the gate, so that it does not try again before it is told to."""
        self.pauses.gate.clear()
        waits = len(self.pauses.seconds) + 1
        self.api.pending.append(dict(update))
        async with self.api.changed:
            self.api.changed.notify_all()
        if not self.stopped.is_set():
            await self.first_of(self._confirmed(update), self.pauses.until(waits))
        if update in self.api.pending:
            return Heard.LATER
        self.pauses.gate.set()
        return Heard.STORED

    @override
    async def again(self, delivery: Delivery) -> Heard:
        """What is not confirmed is fetched again; what is, only by a desk that died before it could confirm."""
        update = self._updates[delivery.id]
        self.pauses.gate.set()
        if update in self.api.pending:
            await self._confirmed(update)
            return Heard.STORED
        await self.channel.stop()
        await self.channel.close()
        await self.restart()
        return await self.hand(update)

    async def _confirmed(self, update: Mapping[str, Any]) -> None:
        async with self.api.changed, asyncio.timeout(10):
            await self.api.changed.wait_for(lambda: update not in self.api.pending)


class WebhookPeer(TelegramPeer):
    way = "webhook"
    first_call = "getWebhookInfo"

    def __init__(self, desk: ContractDesk, api: BotApi) -> None:
        super().__init__(desk, api)
        self._url = ""
        self._app = Exchangeable()

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        async with BotApi().running() as api:
            peer = cls(desk, api)
            async with serving(peer._app) as peer._url:
                await peer.restart()
                yield peer
                await peer.channel.stop()
                await peer.channel.close()

    @override
    async def restart(self) -> None:
        self._app.routes = ()
        await super().restart()
        self._app.routes = self.channel.routes()

    @override
    def settings(self) -> dict[str, Any]:
        return super().settings() | {"mode": "webhook", "webhook_secret": WEBHOOK_SECRET}

    @override
    def public_url(self) -> str:
        return self._url

    @override
    async def hand(self, update: Mapping[str, Any]) -> Heard:
        self.api.pending = [dict(update)]
        [code] = await self.api.post_pending()
        return HEARD.get(code, Heard.REFUSED)

    @override
    async def again(self, delivery: Delivery) -> Heard:
        return await self.hand(self._updates[delivery.id])

    @override
    async def forge(self, text: str) -> Sequence[Heard]:
        update = {"update_id": 1, "message": self.api.message(text, 101)}
        shown = [{}, *({HEADER: each} for each in ("", "wrong", WEBHOOK_SECRET[:-1], WEBHOOK_SECRET + "x"))]
        return [await self._post(headers, json=update) for headers in shown]

    @override
    async def too_large(self, text: str) -> Sequence[Heard]:
        body = text.encode() + b"x" * MAX_BODY_BYTES
        return [await self._post({HEADER: WEBHOOK_SECRET}, content=body)]

    async def _post(self, headers: Mapping[str, str], **body: Any) -> Heard:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(self.api.webhook["url"], headers=headers, **body)
        return HEARD.get(answer.status_code, Heard.REFUSED)
