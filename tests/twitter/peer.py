"""X in the contract suite: an API that is looked at, in time that only the test moves, and what X delivers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, ClassVar, Self, override

import httpx

from channels.monitor.durable import read_json
from channels.monitor.pace import ServerClock
from channels.twitter.channel import SEARCH_WINDOW, XChannel
from channels.twitter.settings import WEBHOOK_PATH, check
from channels.twitter.webhook import MAX_BODY_BYTES
from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard, Peer
from tests.fakes.desk import PUBLIC_URL
from tests.fakes.web import Exchangeable, serving
from tests.monitor.harness import Time
from tests.monitor.media import MediaHost
from tests.monitor.network import Fault
from tests.twitter.x_api import ACCOUNT, CREDENTIALS, XApi
from tests.twitter.x_webhook import XWebhook, calling, delivery_of, signed

HEARD = {200: Heard.STORED, 503: Heard.LATER}
POLL_SECONDS = 30
AGAIN_SECONDS = 300
FEEDS = ("mentions", "search")


class LooksPeer(Peer):
    """Posts that are looked for."""

    channel_name = "twitter"
    way: ClassVar[str] = "looks"
    lacks: ClassVar[Mapping[str, str]] = {
        "forge": "nobody calls us: we ask X",
        "too_large": "a look reads what X has taken; its pages are bounded",
    }
    cap: ClassVar[int] = 4
    max_file_bytes = 50_000
    more_settings: ClassVar[Mapping[str, Any]] = {}
    reach: ClassVar[timedelta | None] = SEARCH_WINDOW
    channel: XChannel

    def __init__(self, desk: ContractDesk, api: XApi, host: MediaHost, time: Time) -> None:
        super().__init__(desk)
        self._host = host
        self._api = api
        self._time = time

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        time = Time()
        async with XApi(now=time.wall).running() as api, MediaHost().running() as host:
            peer = cls(desk, api, host, time)
            await peer.restart()
            yield peer
            await peer.channel.stop()
            await peer.channel.close()

    @override
    async def restart(self) -> None:
        rhythm = {"poll_seconds": POLL_SECONDS, "backfill_seconds": POLL_SECONDS}
        rhythm |= {"request_seconds": 5, "look_again_minutes": AGAIN_SECONDS // 60}
        limits = {"messages_per_minute": self.cap, "files_per_hour": self.cap - 1}
        limits |= {"max_media_bytes": self.max_file_bytes}
        places = {"api_url": self._api.url, "media_origins": [self._host.url]}
        settings = {**CREDENTIALS, **rhythm, **limits, **places, **self.more_settings}
        context = self.desk.context("twitter", settings, public_url=PUBLIC_URL)
        clock = ServerClock(self._time.monotonic, self._time.wall)
        built = XChannel(context, check(settings, PUBLIC_URL), clock, self._time.sleep)
        self.channel = self.desk.built(built)
        self._time.stopped()
        # Else both feeds look at the same moment, and what the one could not store the other would at once.
        self._api.fail_next["search"].insert(0, Fault(code=429, reset_in=POLL_SECONDS / 2))
        await self.channel.start()
        self.stopped.clear()
        await self._time.run(POLL_SECONDS / 2 + 2)

    @override
    async def deliver(self, text: str, who: int = 1) -> Delivery:
        return await self._post(text, 1000 + who)

    @override
    async def again(self, delivery: Delivery) -> Heard:
        """What a mark has passed is seen again only by a desk that has lost its marks."""
        if self._passed(delivery.id):
            await self.channel.stop()
            await self.channel.close()
            self._marks.unlink()
            await self.restart()
        while not self._passed(delivery.id):
            await self._time.run(POLL_SECONDS)
        return Heard.STORED

    @override
    async def own(self, text: str) -> None:
        self._api.sloppy = True
        await self._post(text, int(ACCOUNT["id"]))

    @override
    async def automatic(self, text: str) -> None:
        """A repost says nothing new."""
        self._api.sloppy = True
        original = self._api.say("nice weather", author=2000)
        await self._post(text, 1003, referenced_tweets=[{"type": "retweeted", "id": original}])

    @override
    async def edit(self, delivery: Delivery, text: str) -> Heard:
        author = int(self._api.posts[int(delivery.id)]["author_id"])
        return (await self._post(text, author, edits=delivery.id)).heard

    @override
    async def delete(self, delivery: Delivery) -> Heard:
        before = len(await self.desk.rows())
        self._api.delete(delivery.id)
        await self._time.run(2 * AGAIN_SECONDS)
        return Heard.STORED if len(await self.desk.rows()) > before else Heard.LATER

    @override
    async def file(self, name: str, data: bytes) -> Delivery:
        key = f"3_{len(self._api.media)}"
        self._host.files[name] = data
        self._api.media[key] = {"media_key": key, "type": "photo", "url": f"{self._host.url}/{name}"}
        return await self._post("look", 1001, attachments={"media_keys": [key]})

    @override
    def sent(self) -> list[str]:
        return [reply["text"] for reply in self._api.posted]

    @override
    async def refuse_next(self, seconds: float) -> None:
        self._api.fail_next["post"] = [Fault(code=429, reset_in=seconds)]

    @override
    async def fall_silent(self) -> None:
        self._api.fail_next["post"] = [Fault(code=503, done=True)]

    @override
    async def pass_time(self, seconds: float) -> None:
        await self._time.run(seconds)

    @override
    async def go_down(self) -> None:
        self._api.fail_next |= {feed: [Fault(code=503)] * 100 for feed in FEEDS}
        await self._time.run(600)

    @override
    async def come_back(self) -> None:
        self._api.fail_next.clear()
        await self._time.run(1800)

    @override
    async def outage(self, away: timedelta, texts: Sequence[str]) -> None:
        await self.channel.stop()
        await self.channel.close()
        await self._time.skip(away.total_seconds())
        for number, text in enumerate(texts):
            ago = away.total_seconds() * (len(texts) - number) / (len(texts) + 1)
            self._api.say(f"@{ACCOUNT['username']} {text}", 1002 + number, ago=ago)
        await self.restart()
        await self._time.run(2 * POLL_SECONDS)

    async def _post(self, text: str, author: int, edits: str | None = None, **more: Any) -> Delivery:
        """Said later than whatever the channel looked at before."""
        if not self.stopped.is_set():
            await self._time.run(1)
        post_id = self._write(text, author, edits, **more)
        return Delivery(post_id, await self._looked(post_id))

    def _write(self, text: str, author: int, edits: str | None = None, **more: Any) -> str:
        post_id = self._api.say(f"@{ACCOUNT['username']} {text}", author, **more)
        if edits is not None:
            self._api.posts[int(post_id)]["edit_history_tweet_ids"] = [edits, post_id]
        return post_id

    async def _looked(self, post_id: str) -> Heard:
        """Time goes by until a mark has passed the post, or an attempt to store it has failed."""
        before = self.desk.attempts, self.desk.failures
        while not (self.stopped.is_set() or self._passed(post_id) or self.desk.ended_badly_since(*before)):
            await self.first_of(self._time.run(1))
        return Heard.STORED if self._passed(post_id) else Heard.LATER

    def _passed(self, post_id: str) -> bool:
        feeds = read_json(self._marks)["feeds"]
        return max(int(feeds[feed]) for feed in FEEDS if feed in feeds) >= int(post_id)

    @property
    def _marks(self) -> Any:
        return self.desk.folder / "twitter" / "feeds.json"


class WebhookPeer(LooksPeer):
    """Posts that X delivers."""

    way = "webhook"
    lacks: ClassVar[Mapping[str, str]] = {}
    more_settings: ClassVar[Mapping[str, Any]] = {"webhook": True}

    def __init__(self, desk: ContractDesk, api: XApi, host: MediaHost, time: Time) -> None:
        super().__init__(desk, api, host, time)
        self._app = Exchangeable()
        self._x: XWebhook
        self._tweets: dict[str, Mapping[str, Any]] = {}

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        async with (
            super().open(desk) as peer,
            serving(peer._app) as url,
            calling(peer._api, f"{url}{WEBHOOK_PATH}") as peer._x,
        ):
            yield peer

    @override
    async def restart(self) -> None:
        await super().restart()
        self._app.routes = self.channel.routes()

    @override
    async def again(self, delivery: Delivery) -> Heard:
        return await self._hand(tweet_create_events=[self._tweets[delivery.id]])

    @override
    async def forge(self, text: str) -> Sequence[Heard]:
        post_id = self._write(text, 1001)
        body = delivery_of({"tweet_create_events": [self._x.legacy(post_id)]})
        del self._api.posts[int(post_id)]
        right = signed(body)
        shown = [None, "", "sha256=", right[:-1], right.removeprefix("sha256="), signed(body + b" "), signed(body, "")]
        heard = [_heard(await self._x.post(body, each)) for each in shown]
        answer = (await self._x.ask(crc_token="123")).json()
        return [*heard, _heard(await self._x.post(b"123", answer["response_token"]))]

    @override
    async def too_large(self, text: str) -> Sequence[Heard]:
        body = text.encode() + b" " * MAX_BODY_BYTES
        return [_heard(await self._x.post(body, signed(body)))]

    @override
    async def delete(self, delivery: Delivery) -> Heard:
        status = {"id": delivery.id, "user_id": self._tweets[delivery.id]["user"]["id_str"]}
        return await self._hand(tweet_delete_events=[{"status": status}])

    @override
    async def _post(self, text: str, author: int, edits: str | None = None, **more: Any) -> Delivery:
        """Delivered at once, before anybody looks."""
        post_id = self._write(text, author, edits, **more)
        self._tweets[post_id] = self._x.legacy(post_id)
        return Delivery(post_id, await self.again(Delivery(post_id, Heard.LATER)))

    async def _hand(self, **content: Any) -> Heard:
        body = delivery_of(content)
        return _heard(await self._x.post(body, signed(body)))


def _heard(answer: httpx.Response) -> Heard:
    return HEARD.get(answer.status_code, Heard.REFUSED)
