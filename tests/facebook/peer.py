"""Facebook in the contract suite: messages and comments that are delivered to a webhook, and looks for what is not."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha1
from math import ceil
from typing import Any, ClassVar, Self, override

from channels.contract import Accepted, InboundMessage
from channels.facebook.channel import FacebookChannel
from channels.facebook.looking import MESSAGES
from channels.facebook.settings import WEBHOOK_PATH, check
from channels.facebook.webhook import MAX_BODY_BYTES
from channels.monitor.pace import ServerClock
from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard
from tests.facebook.graph_api import CREDENTIALS, PAGE, Fault, GraphApi, signed
from tests.fakes.desk import PUBLIC_URL
from tests.fakes.web import Exchangeable, serving
from tests.monitor.harness import Time
from tests.monitor.peer import POLL_SECONDS, WatchingPeer

HEARD = {200: Heard.STORED, 503: Heard.LATER}
LOOKS = ("conversations", "feed")


class FacebookPeer(WatchingPeer):
    """What all ways have in common."""

    channel_name = "facebook"
    feed = MESSAGES
    max_file_bytes: ClassVar[int] = 50_000
    cap: ClassVar[int] = 4
    answers: ClassVar[str] = "send"
    """The endpoint that takes ours."""

    def __init__(self, desk: ContractDesk, time: Time, api: GraphApi) -> None:
        super().__init__(desk, time)
        self.api = api
        self._app = Exchangeable()
        self._entries: dict[str, Mapping[str, Any]] = {}

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        time = Time()
        async with GraphApi(now=time.wall).running() as api:
            peer = cls(desk, time, api)
            async with serving(peer._app) as url:
                api.webhook = f"{url}{WEBHOOK_PATH}"
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
    def build(self) -> FacebookChannel:
        section = {
            **CREDENTIALS,
            "api_url": self.api.url,
            "file_origins": [self.api.url],
            "request_seconds": 2,
            "poll_seconds": POLL_SECONDS,
            "max_file_bytes": self.max_file_bytes,
            "messages_per_minute": self.cap,
            "files_per_hour": self.cap - 1,
        }
        context = self.desk.context("facebook", section, public_url=PUBLIC_URL, accept=self.accept)
        clock = ServerClock(self.time.monotonic, self.time.wall)
        return FacebookChannel(context, check(section, PUBLIC_URL), clock, self.time.sleep)

    async def accept(self, message: InboundMessage) -> Accepted:
        return await self.desk.accept(message)

    @override
    async def refuse_next(self, seconds: float) -> None:
        """Facebook counts the time in whole minutes."""
        usage = json.dumps({"call_count": 100, "estimated_time_to_regain_access": ceil(seconds / 60)})
        self.api.fail_next[self.answers] = [Fault(code=4, headers={"X-App-Usage": usage})]

    @override
    async def fall_silent(self) -> None:
        self.api.fail_next[self.answers] = [Fault(truncated=True, done=True)]

    @override
    async def go_down(self) -> None:
        self.api.fail_next |= {look: [Fault(status=503)] * 100 for look in LOOKS}
        await self.time.run(600)

    @override
    async def come_back(self) -> None:
        self.api.fail_next.clear()
        await super().come_back()

    def uploaded(self, name: str, data: bytes) -> str:
        """Returns where the file lies."""
        self.api.files[name] = data
        return f"{self.api.url}/files/{name}"


class DeliveredPeer(FacebookPeer):
    """What is delivered to the webhook."""

    @override
    async def again(self, delivery: Delivery) -> Heard:
        return await self.hand(self._entries[delivery.id])

    @override
    async def forge(self, text: str) -> Sequence[Heard]:
        self.write(text, 1)
        body = _body(self.api.pending.pop())
        right = signed(body)
        of_sha1 = f"sha1={sha1(body).hexdigest()}"
        shown = ["", "sha256=", right[:-1], right.removeprefix("sha256="), of_sha1, signed(body + b" ")]
        answers = [await self.api.post_signed(body, each) for each in shown]
        answers += [await self.api.verify(token=each) for each in ("", "wrong", CREDENTIALS["verify_token"][:-1])]
        return [HEARD.get(answer.status_code, Heard.REFUSED) for answer in answers]

    @override
    async def too_large(self, text: str) -> Sequence[Heard]:
        answer = await self.api.post_signed(text.encode() + b" " * MAX_BODY_BYTES)
        return [HEARD.get(answer.status_code, Heard.REFUSED)]

    @override
    async def deliver(self, text: str, who: int = 1) -> Delivery:
        await self.whole_second()
        return await self.handed(self.write(text, who))

    @override
    def say(self, text: str, who: int, ago: float) -> str:
        """It is written while nobody listens, and Facebook gives up delivering it."""
        name = self.write(text, who, ago)
        self.api.pending.clear()
        return name

    @abstractmethod
    def write(self, text: str, who: int, ago: float = 0) -> str:
        """Returns the name of what now waits for its delivery."""

    async def handed(self, name: str) -> Delivery:
        """Delivers what waits."""
        self._entries[name] = self.api.pending.pop()
        return Delivery(name, await self.hand(self._entries[name]))

    async def hand(self, entry: Mapping[str, Any]) -> Heard:
        answer = await self.api.post_signed(_body(entry))
        return HEARD.get(answer.status_code, Heard.REFUSED)


class MessengerPeer(DeliveredPeer):
    """Private messages."""

    way = "messenger"

    @override
    def write(self, text: str, who: int, ago: float = 0) -> str:
        return str(self.api.message(text, _person(who), ago)["message"]["mid"])

    @override
    async def own(self, text: str) -> None:
        echo = {"mid": "m_1", "text": text, "is_echo": True}
        self.api.event(PAGE, message=echo)
        assert (await self.handed("m_1")).heard is Heard.STORED

    @override
    async def edit(self, delivery: Delivery, text: str) -> Heard:
        self.api.event(_person(1), message_edit={"mid": delivery.id, "text": text, "num_edit": 1})
        return (await self.handed("edit")).heard

    @override
    async def delete(self, delivery: Delivery) -> Heard:
        self.api.event(_person(1), message={"mid": delivery.id, "is_deleted": True})
        return (await self.handed("deletion")).heard

    @override
    async def file(self, name: str, data: bytes) -> Delivery:
        attached = {"type": "file", "payload": {"url": self.uploaded(name, data)}}
        event = self.api.message(None, _person(1), attachments=[attached])
        return await self.handed(event["message"]["mid"])

    @override
    def sent(self) -> list[str]:
        return [sent["message"]["text"] for sent in self.api.sent]


class CommentsPeer(DeliveredPeer):
    """Comments below the page's posts."""

    way = "comments"
    answers = "reply"

    @override
    def write(self, text: str, who: int, ago: float = 0) -> str:
        return str(self.api.comment(text, _person(who), ago=ago)["comment_id"])

    @override
    async def own(self, text: str) -> None:
        assert (await self.handed(self.api.comment(text, PAGE)["comment_id"])).heard is Heard.STORED

    @override
    async def edit(self, delivery: Delivery, text: str) -> Heard:
        self.api.change({**_value(self._entries[delivery.id]), "verb": "edited", "message": text})
        return (await self.handed("edit")).heard

    @override
    async def delete(self, delivery: Delivery) -> Heard:
        self.api.change({**_value(self._entries[delivery.id]), "verb": "remove"})
        return (await self.handed("removal")).heard

    @override
    async def file(self, name: str, data: bytes) -> Delivery:
        self.api.comment("", _person(1), photo=self.uploaded(name, data))
        return await self.handed(name)

    @override
    def sent(self) -> list[str]:
        return [reply["text"] for reply in self.api.replied]


class LooksPeer(FacebookPeer):
    """Private messages that no delivery brought."""

    way = "looks"
    lacks: ClassVar[Mapping[str, str]] = {
        "forge": "nobody calls us: we ask Facebook, with the page's token",
        "too_large": "a look reads what Facebook has taken; its answers are bounded, and tested with the looks",
        "edit": "a look does not tell that a message was changed",
        "delete": "a look does not tell that a message was taken back",
    }

    def __init__(self, desk: ContractDesk, time: Time, api: GraphApi) -> None:
        super().__init__(desk, time, api)
        self._confirmed: set[str] = set()

    @override
    async def accept(self, message: InboundMessage) -> Accepted:
        accepted = await super().accept(message)
        self._confirmed.add(message.external_id)
        return accepted

    @override
    def passed(self, name: str) -> bool:
        """A look leaves the newest to the webhook and the next begins before them, so the mark says nothing of them."""
        return f"{PAGE}:{name}" in self._confirmed

    @override
    def forget(self, name: str) -> None:
        self._confirmed.discard(f"{PAGE}:{name}")

    @override
    def say(self, text: str, who: int, ago: float) -> str:
        name = str(self.api.message(text, _person(who), ago)["message"]["mid"])
        self.api.pending.clear()
        return name

    @override
    async def own(self, text: str) -> None:
        self.say(text, 2, ago=0)
        self.api.chats[_person(2)][-1]["from"] = {"id": PAGE}
        await self.skipped("own")

    @override
    async def file(self, name: str, data: bytes) -> Delivery:
        await self.whole_second()
        mid = self.say("", 1, ago=0)
        found = {"id": "1", "mime_type": "application/pdf", "name": name, "file_url": self.uploaded(name, data)}
        self.api.chats[_person(1)][-1]["attachments"] = {"data": [found]}
        return Delivery(mid, await self.heard(mid))

    @override
    def sent(self) -> list[str]:
        return [sent["message"]["text"] for sent in self.api.sent]


def _person(who: int) -> str:
    return str(7000 + who)


def _body(entry: Mapping[str, Any]) -> bytes:
    return json.dumps({"object": "page", "entry": [entry]}).encode()


def _value(entry: Mapping[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = entry["changes"][0]["value"]
    return value
