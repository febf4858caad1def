"""The X channel put together. Without credentials it is off: it starts nothing and has no door."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, override

from starlette.routing import BaseRoute

from channels.contract import Accepted, ChannelContext, Figures, InboundMessage
from channels.monitor.answers import Known
from channels.monitor.attaching import Attaching
from channels.monitor.deliveries import Deliveries
from channels.monitor.faults import Unclear
from channels.monitor.feed import Feed
from channels.monitor.files import Files
from channels.monitor.impostors import Impostors
from channels.monitor.ledger import Ledger
from channels.monitor.listening import Listener, Look
from channels.monitor.looking_again import LookingAgain
from channels.monitor.marks import Marks
from channels.monitor.missed import Missed
from channels.monitor.pace import Pace, ServerClock
from channels.monitor.parts import moment, part, words
from channels.monitor.posts import Page
from channels.monitor.receive import Receiver
from channels.monitor.seen import SeenPosts
from channels.monitor.sending import Sender, Templates
from channels.monitor.state import State, Wording
from channels.monitor.watching import STOP_SECONDS, Parts, Watching
from channels.twitter import posts
from channels.twitter.ids import SNOWFLAKE
from channels.twitter.looking import TOGETHER, Looking
from channels.twitter.posts import page_of
from channels.twitter.reading import Reader
from channels.twitter.replying import Replying
from channels.twitter.rules import reconciled
from channels.twitter.settings import XSettings, query
from channels.twitter.streaming import STREAM, Streaming, doubled
from channels.twitter.webhook import Webhook
from channels.twitter.weight import MAX_WEIGHT, weight

if TYPE_CHECKING:
    from channels.twitter.api import Api

CHANNEL = "twitter"
MENTIONS, SEARCH = "mentions", "search"
SEARCH_WINDOW = timedelta(days=7)
"""How far back a recent search reaches (X API v2, "search/recent")."""
OFF = "the X channel is off: the credentials of channel.twitter are not set"
WORDING = Wording(
    network="X",
    credentials="check the four words of channel.twitter, and the app's access at X",
    gap="the desk was down for longer than X can be searched back",
)


class XChannel(Watching):
    name = CHANNEL

    def __init__(
        self,
        context: ChannelContext,
        settings: XSettings,
        clock: ServerClock | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        rest: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`clock` and `sleep` are how the channel knows the time and waits; `rest`: how it waits before it connects to
        the stream again. Raises ValueError when a reply would not fit into a post."""
        self._settings = settings
        self._api: Api | None = None
        clock = clock or ServerClock()
        folder = context.data_dir / CHANNEL
        self._accept = context.accept
        seen, marks = SeenPosts(folder, clock), Marks(folder, SNOWFLAKE)
        receiver = Receiver(
            CHANNEL, settings.account_id, settings.is_own, self._kept, seen, called=lambda: self._listener.called
        )
        self._deliveries, self._missed = Deliveries(CHANNEL), Missed(clock)
        self._webhook = Webhook(settings, receiver, seen, self._deliveries, self._missed)
        account, posting = (Pace(name, settings.poll_seconds, clock) for name in ("account", "replies"))
        self._looking = [Pace(name, seconds_between_looks(settings, name), clock) for name in (MENTIONS, SEARCH)]
        streamed = Pace(STREAM, 0.0, clock, doubled)
        heard = [*self._looking, streamed] if settings.streamed else self._looking
        again = LookingAgain(Looking(self._connected).ask, TOGETHER, settings, seen, receiver, clock)
        state = State(WORDING, heard, [account, posting, again.pace], marks, clock, seen)
        feeds = self._feeds(marks, receiver, clock)
        looks: list[Look] = [*feeds, again] if settings.look_again_hours else [*feeds]
        self._listener = Listener(folder, self._who_are_we, account, looks, marks, state, clock, sleep)
        self._streaming = self._stream(receiver, streamed, clock, rest)
        self._reading: asyncio.Task[None] | None = None
        files = Files(settings.media_origins, settings.max_media_bytes, settings.request_seconds)
        parts = Parts(
            listener=self._listener,
            receiver=receiver,
            reader=self._reader(context, files, clock),
            files=files,
            sender=self._sender(context, posting, state, clock),
            state=state,
            caps=settings.caps,
        )
        super().__init__(parts, WORDING.network, off="" if settings.account_id else OFF)
        if settings.account_id:  # now, and not while the desk is serving
            self._connected()

    @override
    async def start(self) -> None:
        self._deliveries.start()
        self._missed.started()
        await super().start()
        if self._settings.streamed and self._reading is None:
            self._reading = asyncio.create_task(self._read_stream())

    @override
    async def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
            self._reading = None
        await asyncio.gather(super().stop(), self._deliveries.stop(), self._streaming.finish(STOP_SECONDS))

    @override
    async def close(self) -> None:
        await super().close()
        if self._api is not None:
            self._api.close()
            self._api = None

    @override
    def door(self) -> str:
        return f"https://x.com/{self._listener.username}" if self._listener.username else ""

    @override
    def routes(self) -> Sequence[BaseRoute]:
        return self._webhook.routes() if self._settings.webhook else ()

    @override
    def trouble(self) -> str | None:
        said = [super().trouble(), self._undelivered()]
        return "; ".join(sentence for sentence in said if sentence) or None

    def _undelivered(self) -> str | None:
        if self._missed.since is None:
            return None
        return (
            f"X: nothing is delivered to the webhook since {self._missed.since:%Y-%m-%d %H:%M} UTC, though "
            f"{self._missed.count} mentions were found by looking; channels/twitter/README.md says how to ask X if "
            "the webhook is valid and our account subscribed"
        )

    @override
    def figures(self) -> Figures:
        told = super().figures()
        refused = Counter(told.refused) + self._deliveries.refused
        return Figures(connections=told.connections, refused=dict(refused))

    def _feeds(self, marks: Marks, receiver: Receiver, clock: ServerClock) -> list[Feed]:
        first = timedelta(hours=self._settings.first_hours)
        ways = zip(self._looking, (self._mentions, self._search), (None, SEARCH_WINDOW), strict=True)
        return [Feed(ask, pace, marks, receiver, clock, first, window) for pace, ask, window in ways]

    def _stream(
        self, receiver: Receiver, pace: Pace, clock: ServerClock, rest: Callable[[float], Awaitable[object]]
    ) -> Streaming:
        return Streaming(self._lines, self._rules, posts.streamed, receiver, pace, self._stream_changed, clock, rest)

    def _reader(self, context: ChannelContext, files: Files, clock: ServerClock) -> Reader:
        settings = self._settings
        attaching = Attaching(CHANNEL, files, context.words, clock.monotonic)
        impostors = Impostors(context.exchange_names, settings.brand_names, settings.account_id)
        return Reader(settings, impostors, context.words, attaching)

    def _sender(self, context: ChannelContext, posting: Pace, state: State, clock: ServerClock) -> Sender:
        """Raises ValueError when a reply would not fit into a post."""
        replying = Replying(self._connected, self._settings.is_own)
        return Sender(
            CHANNEL,
            WORDING.network,
            replying.check,
            replying.post,
            Templates(context.words, CHANNEL, context.public_url, weight, MAX_WEIGHT),
            context.invitations.link,
            Ledger(context.data_dir / CHANNEL, self._settings.replies_per_hour),
            posting,
            state,
            clock,
            replies=self._settings.replies,
        )

    def _connected(self) -> Api:
        """With its library, which a channel that is off does not load."""
        if self._api is None:
            from channels.twitter.api import Api

            self._api = Api(self._settings)
        return self._api

    async def _kept(self, message: InboundMessage) -> Accepted:
        """Raises NotStored. A mention that is new to a look should have been delivered."""
        accepted = await self._accept(message)
        written = moment(message.envelope.get("created_at"))
        if self._settings.webhook and message.envelope.get("feed") == MENTIONS and not accepted.duplicate and written:
            self._missed.found(written)
        return accepted

    async def _read_stream(self) -> None:
        """One process of several reads it: the one that looks."""
        await self._listener.known.wait()
        await self._streaming.run()

    def _stream_changed(self, up: bool) -> None:
        """What a break may have cost is brought by a look, as soon as it is due without a stream; while the stream is
        up, looks are rarer."""
        for pace in self._looking:
            pace.change(seconds_between_looks(self._settings, pace.name, streamed=up), self._settings.poll_seconds)
        self._listener.wake()

    def _lines(self) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        from channels.twitter.stream import Stream

        return Stream(self._settings).lines()

    async def _rules(self) -> frozenset[str]:
        return await reconciled(self._connected(), query(self._listener.username, self._settings.keywords))

    async def _who_are_we(self) -> Known:
        answer = await self._connected().account()
        username = part(answer.body, "data", "username")
        if not isinstance(username, str) or not username:
            raise Unclear
        return Known(name=username, title=words(answer.body, "data", "name"), quota=answer.quota, at=answer.at)

    async def _mentions(self, since: int, token: str | None) -> Page:
        return page_of(await self._connected().mentions(since, token))

    async def _search(self, since: int, token: str | None) -> Page:
        asked = query(self._listener.username, self._settings.keywords)
        return page_of(await self._connected().search(asked, since, token))


def seconds_between_looks(settings: XSettings, feed: str, *, streamed: bool = False) -> float:
    """The webhook brings what has to do with our account, and no keyword hits; the stream brings both."""
    brought = streamed or (settings.webhook and (feed == MENTIONS or not settings.keywords))
    return settings.backfill_seconds if brought else settings.poll_seconds
