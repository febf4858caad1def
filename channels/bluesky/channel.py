"""The Bluesky channel put together. Without handle and app password it is off: it starts nothing and has no door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import override

from channels.bluesky.api import Api
from channels.bluesky.looking import TOGETHER, Looking
from channels.bluesky.pages import DID, cursor_of, hits_page, notices_page
from channels.bluesky.reading import Reader
from channels.bluesky.replying import MAX_CHARACTERS, Replying
from channels.bluesky.settings import BlueskySettings, query
from channels.contract import ChannelContext
from channels.monitor.answers import Known
from channels.monitor.attaching import Attaching
from channels.monitor.chain import Ask, chained
from channels.monitor.faults import Forbidden, NotTaken, Unclear
from channels.monitor.feed import Feed
from channels.monitor.files import Files
from channels.monitor.impostors import Impostors
from channels.monitor.ledger import Ledger
from channels.monitor.listening import Listener, Look
from channels.monitor.looking_again import LookingAgain
from channels.monitor.marks import Marks
from channels.monitor.pace import Pace, ServerClock
from channels.monitor.parts import words
from channels.monitor.positions import MICROSECONDS
from channels.monitor.posts import Page
from channels.monitor.receive import Receiver
from channels.monitor.seen import SeenPosts
from channels.monitor.sending import Sender, Templates
from channels.monitor.state import State, Wording
from channels.monitor.watching import Parts, Watching

CHANNEL = "bluesky"
OFF = "the Bluesky channel is off: handle and app_password of channel.bluesky are not set"
WORDING = Wording(
    network="Bluesky",
    credentials="check handle and app_password of channel.bluesky, and whether the account is active",
    gap="the search gives nothing older",
)
CONVERSATIONS = "at"
"""The first half of their keys: DIDs are the same for whoever looks."""
UNDER_WAY = timedelta(minutes=10)
"""A post may be found so long after its own time."""


class BlueskyChannel(Watching):
    name = CHANNEL

    def __init__(
        self,
        context: ChannelContext,
        settings: BlueskySettings,
        clock: ServerClock | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`clock` and `sleep` are how the channel knows the time and waits. Raises ValueError when a reply would not
        fit into a post."""
        self._settings = settings
        self._api: Api | None = None
        self._did = ""
        clock = clock or ServerClock()
        folder = context.data_dir / CHANNEL
        seen = SeenPosts(folder, clock)
        receiver = Receiver(
            CHANNEL, CONVERSATIONS, self._is_ours, context.accept, seen, called=lambda: self._listener.called
        )
        account, posting = (Pace(name, settings.poll_seconds, clock) for name in ("account", "replies"))
        marks = Marks(folder, MICROSECONDS)
        first = timedelta(hours=settings.first_hours)
        feeds = [
            Feed(ask, Pace(name, settings.poll_seconds, clock), marks, receiver, clock, first, late=UNDER_WAY)
            for name, ask in self._feeds()
        ]
        looking = Looking(self._connected, lambda: self._did).ask
        again = LookingAgain(looking, TOGETHER, settings, seen, receiver, clock)
        state = State(WORDING, [feed.pace for feed in feeds], [account, posting, again.pace], marks, clock, seen)
        looks: list[Look] = [*feeds, again] if settings.look_again_hours else [*feeds]
        self._listener = Listener(folder, self._who_are_we, account, looks, marks, state, clock, sleep)
        files = Files([settings.media_url], settings.max_media_bytes, settings.request_seconds)
        parts = Parts(
            listener=self._listener,
            receiver=receiver,
            reader=self._reader(context, files, clock),
            files=files,
            sender=self._sender(context, posting, state, clock),
            state=state,
            caps=settings.caps,
        )
        super().__init__(parts, WORDING.network, off="" if settings.handle else OFF)

    def _sender(self, context: ChannelContext, posting: Pace, state: State, clock: ServerClock) -> Sender:
        replying = Replying(self._connected, self._settings.is_own, clock)
        return Sender(
            CHANNEL,
            WORDING.network,
            replying.check,
            replying.post,
            Templates(context.words, CHANNEL, context.public_url, len, MAX_CHARACTERS),
            context.invitations.link,
            Ledger(context.data_dir / CHANNEL, self._settings.replies_per_hour),
            posting,
            state,
            clock,
            replies=self._settings.replies,
        )

    def _reader(self, context: ChannelContext, files: Files, clock: ServerClock) -> Reader:
        attaching = Attaching(CHANNEL, files, context.words, clock.monotonic)
        names = (self._settings.name, *self._settings.brand_names)
        return Reader(self._settings, Impostors(context.exchange_names, names, CONVERSATIONS), context.words, attaching)

    @override
    async def close(self) -> None:
        await super().close()
        if self._api is not None:
            await asyncio.to_thread(self._api.close)
            self._api = None

    @override
    def door(self) -> str:
        return f"https://bsky.app/profile/{self._listener.username}" if self._listener.username else ""

    def _feeds(self) -> list[tuple[str, Ask]]:
        found: list[tuple[str, Ask]] = [("mentions", self._mentions)]
        if self._settings.keywords:
            found.append(("search", chained([self._search(query(phrase)) for phrase in self._settings.keywords])))
        return found

    def _connected(self) -> Api:
        """Made when first asked for, so that a channel that is off holds no connection."""
        if self._api is None:
            self._api = Api(self._settings)
        return self._api

    def _is_ours(self, author_id: str, username: str) -> bool:
        return author_id == self._did or self._settings.is_own(username)

    async def _who_are_we(self) -> Known:
        answer = await self._connected().account()
        did, handle = words(answer.body, "did"), words(answer.body, "handle")
        if not DID.fullmatch(did) or not handle:
            raise Unclear
        self._did = did
        return Known(name=handle, title=await self._title(), quota=answer.quota, at=answer.at)

    async def _title(self) -> str:
        """What our account is called; "" when it has no profile. Raises Fault."""
        try:
            profile = await self._connected().profile(self._did)
        except (Forbidden, NotTaken):
            return ""
        return words(profile.body, "displayName")

    async def _mentions(self, since: int, token: str | None) -> Page:
        return notices_page(await self._connected().notices(cursor_of(token)), since, token, self._did)

    def _search(self, asked: str) -> Ask:
        async def ask(since: int, token: str | None) -> Page:
            found = await self._connected().search(asked, MICROSECONDS.time(since), cursor_of(token))
            return hits_page(found, since, token, self._did)

        return ask
