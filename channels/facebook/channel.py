"""The Facebook channel put together. Without credentials it is off: it starts nothing and has no door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, override

import structlog
from starlette.routing import BaseRoute

from channels.contract import (
    Accepted,
    Capabilities,
    Channel,
    ChannelContext,
    Figures,
    InboundMessage,
    OutboundMessage,
    ReadMessage,
    SendReceipt,
)
from channels.facebook.buttons import Buttons
from channels.facebook.events import Splitter
from channels.facebook.graph import Graph
from channels.facebook.ids import ident
from channels.facebook.intake import CHANNEL, WEBHOOK, Intake
from channels.facebook.looking import COMMENTS, MESSAGES, Looks
from channels.facebook.messenger import Messenger
from channels.facebook.public import MAX_CHARACTERS, PERSON, Public
from channels.facebook.reading import Reader
from channels.facebook.settings import FacebookSettings
from channels.facebook.watch import Watch
from channels.facebook.webhook import Webhook
from channels.faults import NeedsPerson, RetryLater
from channels.monitor.answers import Known
from channels.monitor.attaching import Attaching
from channels.monitor.faults import Unauthorized
from channels.monitor.feed import Feed
from channels.monitor.files import Files
from channels.monitor.ledger import Ledger
from channels.monitor.listening import Listener
from channels.monitor.marks import Marks
from channels.monitor.missed import GRACE
from channels.monitor.pace import Pace, ServerClock
from channels.monitor.parts import moment, part
from channels.monitor.positions import MICROSECONDS
from channels.monitor.sending import Sender, Templates
from channels.monitor.state import State, Wording

WORDING = Wording(
    network="Facebook",
    credentials="check page_id and page_token of channel.facebook: the token must be that page's, with its app secret",
    gap="Facebook gives out only the newest messages of a conversation and the newest comments of a post",
)
ABLE = Capabilities(max_characters=20_000, patience_seconds=8, announces=True, buttons=True)
"""Longer answers than Messenger's 2,000 are sent in parts. Nobody watches a channel that is off."""
LATE = GRACE + timedelta(minutes=1)
"""A look leaves the newest to the webhook, so each begins that much before the last one's end."""
STOP_SECONDS = 4.5

log = structlog.get_logger()


class FacebookChannel(Channel):
    name = CHANNEL

    def __init__(
        self,
        context: ChannelContext,
        settings: FacebookSettings,
        clock: ServerClock | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`clock` and `sleep` are how the channel knows the time and waits. Raises ValueError when the public sentence
        is too long."""
        self._settings = settings
        self.capabilities = replace(ABLE, live=settings.on, caps=settings.caps)
        clock = clock or ServerClock()
        folder = context.data_dir / CHANNEL
        self._own = frozenset({settings.page_id, *settings.own_ids})
        self._graph = Graph(settings)
        self._files = Files(settings.file_origins, settings.max_file_bytes, settings.request_seconds)
        self._watch, marks = Watch(clock), Marks(folder, MICROSECONDS)
        self._accept = context.accept
        buttons = Buttons(context.secret, settings.page_id, settings.button_days, clock)
        splitter = Splitter(settings.page_id, buttons.pressed)
        self._intake = Intake(settings.page_id, self._own, self._kept, splitter, self._watch)
        self._webhook = Webhook(settings, self._intake)
        self._reader = Reader(context.words, Attaching(CHANNEL, self._files, context.words, clock.monotonic))
        account, self._posting, *looking = (
            Pace(name, settings.poll_seconds, clock) for name in ("account", "replies", MESSAGES, COMMENTS)
        )
        self._state = State(WORDING, looking, [account, self._posting], marks, clock)
        self._listener = self._listening_to(looking, account, marks, clock, folder, sleep)
        self._messenger = Messenger(
            self._graph, buttons, self._watch, self._state, clock, human_agent=settings.human_agent
        )
        self._templates = Templates(context.words, CHANNEL, context.public_url, len, MAX_CHARACTERS)
        public, ledger = Public(self._graph, self._own), Ledger(folder, settings.replies_per_hour)
        self._public = Sender(
            CHANNEL,
            WORDING.network,
            public.check,
            public.post,
            self._templates,
            context.invitations.link,
            ledger,
            self._posting,
            self._state,
            clock,
            replies=settings.replies,
        )
        self._listening: asyncio.Task[None] | None = None

    @override
    async def start(self) -> None:
        """Does not wait for Facebook: the desk serves its other channels whether Facebook answers or not."""
        if self._settings.on and self._listening is None:
            self._intake.start()
            self._watch.started()
            self._listening = asyncio.create_task(self._listener.run())

    @override
    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
            self._listening = None
        await self._intake.stop()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._listener.finish()
        except TimeoutError:
            log.warning("facebook_look_incomplete")

    @override
    async def close(self) -> None:
        await self._graph.close()
        await self._files.close()

    @override
    def door(self) -> str:
        return f"https://m.me/{self._listener.username}" if self._listener.username else ""

    @override
    def is_public(self, conversation_key: str) -> bool:
        """Comments are; Messenger is between a person and our page."""
        return conversation_key.startswith(f"{self._settings.page_id}:public:")

    @override
    def routes(self) -> Sequence[BaseRoute]:
        return self._webhook.routes() if self._settings.on else ()

    @override
    def deaf(self) -> str | None:
        """Only when neither way in works: deliveries do not come, and looks fail."""
        if self._watch.undelivered and not self._state.feeds_up:
            return self._troubles()
        return None

    @override
    def trouble(self) -> str | None:
        return self._troubles() or None

    @override
    def figures(self) -> Figures:
        return Figures(connections=self._state.feeds_up, refused={**self._intake.counts(), **self._state.quotas()})

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return await self._reader.read(raw, envelope)

    @override
    async def skim(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return await self._reader.read(raw, envelope, fetching=False)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        if not self._settings.on:
            raise RetryLater("the Facebook channel is off: the credentials of channel.facebook are not set")
        if not self.is_public(message.conversation_key):
            return await self._messenger.send(message)
        if not message.automatic:
            raise NeedsPerson(PERSON.format(link=self._templates.link))
        return await self._public.send(message)

    def _listening_to(
        self,
        looking: Sequence[Pace],
        account: Pace,
        marks: Marks,
        clock: ServerClock,
        folder: Path,
        sleep: Callable[[float], Awaitable[object]],
    ) -> Listener:
        looks = Looks(self._graph, self._settings.page_id, marks, clock)
        first = timedelta(hours=self._settings.first_hours)
        ways = zip(
            (looks.messages, looks.comments), looking, (self._intake.messages, self._intake.comments), strict=True
        )
        feeds = [Feed(ask, pace, marks, receiver, clock, first, late=LATE) for ask, pace, receiver in ways]
        return Listener(folder, self._who_are_we, account, feeds, marks, self._state, clock, sleep)

    async def _who_are_we(self) -> Known:
        """Raises Fault."""
        answer = await self._graph.get("me", fields="id,username")
        if part(answer.body, "id") != self._settings.page_id:
            raise Unauthorized  # the token of another page, or of a person
        name = ident(part(answer.body, "username")) or self._settings.page_id
        return Known(name=name, quota=answer.quota, at=answer.at)

    async def _kept(self, message: InboundMessage) -> Accepted:
        """Raises NotStored."""
        accepted = await self._accept(message)
        written = moment(message.envelope.get("at"))
        if message.envelope.get("feed") != WEBHOOK and not accepted.duplicate and written is not None:
            self._watch.found(written)
        return accepted

    def _troubles(self) -> str:
        said = [self._state.deaf(), self._state.trouble(), *self._watch.sentences()]
        return "; ".join(sentence for sentence in said if sentence)
