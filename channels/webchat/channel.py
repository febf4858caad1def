"""The live-chat channel as the desk sees it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, override

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from channels.contract import Capabilities, Channel, ChannelContext, Figures, OutboundMessage, ReadMessage, SendReceipt
from channels.web.budget import Budgets
from channels.web.door import Door
from channels.web.files import WebFiles
from channels.web.origins import Origins, as_origin, origin_of_url
from channels.web.sessions import Sessions
from channels.webchat.connection import Connection, Desk
from channels.webchat.gate import Gate
from channels.webchat.http import ChatHttp
from channels.webchat.invitations import ChatInvitations
from channels.webchat.pages import Pages
from channels.webchat.reading import read_frame
from channels.webchat.receive import CHANNEL, Receiver
from channels.webchat.settings import WebChatSettings
from channels.webchat.tokens import AppTokens


class WebChat(Channel):
    name = CHANNEL

    def __init__(self, context: ChannelContext, settings: WebChatSettings) -> None:
        self.capabilities = Capabilities(
            max_characters=settings.max_characters,
            patience_seconds=5,
            live=True,
            buttons=True,
            immediate=True,
            repeat_harmless=True,
            broadcasts=True,
        )
        origins = Origins(context.public_url, [*map(as_origin, context.site_origins), *settings.origins])
        sessions = Sessions(context.secret, "webchat session v1", "c")
        budgets = Budgets(settings.messages_per_minute, time.monotonic)
        self._public_url = context.public_url
        self._words = context.words
        self._gate = Gate(settings, origins)
        self._receiver = Receiver(settings, context.accept, context.uploads, context.transcript, context.words, budgets)
        self._desk = Desk(
            settings=settings,
            sessions=sessions,
            tokens=AppTokens(context.app_token_secret, timedelta(hours=settings.token_hours)),
            receiver=self._receiver,
            transcript=context.transcript,
            attention=context.attention,
            announcements=context.announcements,
            words=context.words,
            link_origins=(origin_of_url(context.public_url),),
            admit=self._gate.admit,
        )
        door = Door(CHANNEL, sessions, origins, context.words, settings.figures)
        begun = Budgets(settings.files_per_minute, time.monotonic)
        self._http = ChatHttp(door, context.transcript)
        self._files = WebFiles("/chat/files", door, context.uploads, settings.upload_limits, begun)
        self._invitations = ChatInvitations(
            door, context.invitations, Budgets(settings.messages_per_minute, time.monotonic), context.words
        )
        self._pages = Pages(origins, context.public_url, context.exchange_names, context.words)

    @override
    async def stop(self) -> None:
        """Who is connected stays, and still hears what is being answered; what they write now is not saved yet."""
        self._gate.shut()
        await self._receiver.stop()

    @override
    async def close(self) -> None:
        await self._gate.close_all()

    @override
    def door(self) -> str:
        return f"{self._public_url}/chat"

    @override
    def title(self, language: str) -> str:
        return self._words.say("webchat.title", language)

    @override
    def start_link(self, token: str, language: str) -> str:
        """The token is in the fragment: no server, log or referrer sees it, and fetching the link uses nothing up."""
        return f"{self._public_url}/chat?lang={language}#join={token}"

    @override
    def deaf(self) -> str | None:
        return "the chat is being closed" if self._gate.is_shut else None

    @override
    def figures(self) -> Figures:
        return Figures(connections=self._gate.open_count, refused=self._gate.refused + self._receiver.refused)

    @override
    def routes(self) -> Sequence[BaseRoute]:
        return [
            WebSocketRoute("/chat/ws", self._socket),
            *self._http.routes(),
            *self._invitations.routes(),
            *self._files.routes(),
            *self._pages.routes(),
        ]

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return read_frame(raw, envelope)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Nothing travels here: once the row counts as sent it is an entry, and every connection shows entries."""
        return SendReceipt(peer_id=message.message_id)

    async def _socket(self, websocket: WebSocket) -> None:
        await self._gate.serve(websocket, lambda accepted: Connection(self._desk, accepted))
