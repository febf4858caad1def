"""The Mastodon channel put together. Without server and access token it is off: it starts nothing and has no door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, override

from channels.contract import ChannelContext
from channels.mastodon.looking import TOGETHER, Looking
from channels.mastodon.media import origins_for
from channels.mastodon.pages import ID, notices_page, posts_page
from channels.mastodon.reading import Reader
from channels.mastodon.replying import MAX_CHARACTERS, Replying, size
from channels.mastodon.settings import MastodonSettings
from channels.monitor.answers import Known
from channels.monitor.attaching import Attaching
from channels.monitor.chain import Ask, chained
from channels.monitor.faults import Unclear
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

if TYPE_CHECKING:
    from channels.mastodon.api import Api

CHANNEL = "mastodon"
OFF = "the Mastodon channel is off: base_url and access_token of channel.mastodon are not set"
WORDING = Wording(
    network="Mastodon",
    credentials="check access_token and base_url of channel.mastodon, and the token's scopes",
    gap="the server gives nothing older",
)
UNDER_WAY = timedelta(minutes=15)
"""A post of another server may arrive so long after its own time; hashtags and searches are looked at so far back."""


class MastodonChannel(Watching):
    name = CHANNEL

    def __init__(
        self,
        context: ChannelContext,
        settings: MastodonSettings,
        clock: ServerClock | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`clock` and `sleep` are how the channel knows the time and waits. Raises ValueError when a reply would not
        fit into a post."""
        self._settings = settings
        self._api: Api | None = None
        self._account_id = ""
        self._address = ""
        clock = clock or ServerClock()
        folder = context.data_dir / CHANNEL
        seen = SeenPosts(folder, clock)
        receiver = Receiver(
            CHANNEL, settings.server, self._is_ours, context.accept, seen, called=lambda: self._listener.called
        )
        account, posting = (Pace(name, settings.poll_seconds, clock) for name in ("account", "replies"))
        marks = Marks(folder, MICROSECONDS)
        first = timedelta(hours=settings.first_hours)
        feeds = [
            Feed(ask, Pace(name, settings.poll_seconds, clock), marks, receiver, clock, first, late=UNDER_WAY)
            for name, ask in self._feeds()
        ]
        looking = Looking(self._connected, lambda: self._account_id).ask
        again = LookingAgain(looking, TOGETHER, settings, seen, receiver, clock)
        state = State(WORDING, [feed.pace for feed in feeds], [account, posting, again.pace], marks, clock, seen)
        looks: list[Look] = [*feeds, again] if settings.look_again_hours else [*feeds]
        self._listener = Listener(folder, self._who_are_we, account, looks, marks, state, clock, sleep)
        files = Files(origins_for(settings), settings.max_media_bytes, settings.request_seconds)
        parts = Parts(
            listener=self._listener,
            receiver=receiver,
            reader=self._reader(context, files, clock),
            files=files,
            sender=self._sender(context, posting, state, clock),
            state=state,
            caps=settings.caps,
        )
        super().__init__(parts, WORDING.network, off="" if settings.server else OFF)
        if settings.server:  # now, and not while the desk is serving
            self._connected()

    def _sender(self, context: ChannelContext, posting: Pace, state: State, clock: ServerClock) -> Sender:
        replying = Replying(self._connected, self._settings.is_own)
        return Sender(
            CHANNEL,
            WORDING.network,
            replying.check,
            replying.post,
            Templates(context.words, CHANNEL, context.public_url, size, MAX_CHARACTERS),
            context.invitations.link,
            Ledger(context.data_dir / CHANNEL, self._settings.replies_per_hour),
            posting,
            state,
            clock,
            replies=self._settings.replies,
        )

    def _reader(self, context: ChannelContext, files: Files, clock: ServerClock) -> Reader:
        attaching = Attaching(CHANNEL, files, context.words, clock.monotonic)
        impostors = Impostors(context.exchange_names, self._settings.brand_names, self._settings.server)
        return Reader(self._settings.is_own, impostors, self._settings.base_url, context.words, attaching)

    @override
    async def close(self) -> None:
        await super().close()
        if self._api is not None:
            self._api.close()
            self._api = None

    @override
    def door(self) -> str:
        return self._address

    def _feeds(self) -> list[tuple[str, Ask]]:
        """Hashtags are one feed and keywords another, since a server may have the one and not the other."""
        found: list[tuple[str, Ask]] = [("mentions", self._mentions)]
        if self._settings.hashtags:
            found.append(("hashtags", chained([self._tagged(tag) for tag in self._settings.hashtags])))
        if self._settings.keywords:
            found.append(("search", chained([self._search(phrase) for phrase in self._settings.keywords])))
        return found

    def _connected(self) -> Api:
        """With its library, which a channel that is off does not load."""
        if self._api is None:
            from channels.mastodon.api import Api

            self._api = Api(self._settings)
        return self._api

    def _is_ours(self, author_id: str, username: str) -> bool:
        return author_id == self._account_id or self._settings.is_own(username)

    async def _who_are_we(self) -> Known:
        answer = await self._connected().account()
        account_id, username = words(answer.body, "id"), words(answer.body, "acct")
        if not ID.fullmatch(account_id) or not username:
            raise Unclear
        self._account_id = account_id
        self._address = words(answer.body, "url")
        title = words(answer.body, "display_name")
        return Known(name=username, title=title, quota=answer.quota, at=answer.at)

    async def _mentions(self, since: int, token: str | None) -> Page:
        return notices_page(await self._connected().notices(token), since, token, self._account_id)

    def _tagged(self, hashtag: str) -> Ask:
        async def ask(since: int, token: str | None) -> Page:
            return posts_page(await self._connected().tagged(hashtag, token), since, token, self._account_id)

        return ask

    def _search(self, phrase: str) -> Ask:
        async def ask(since: int, token: str | None) -> Page:
            found = await self._connected().search(f'"{phrase}"', token)
            return posts_page(found, since, token, self._account_id)

        return ask
