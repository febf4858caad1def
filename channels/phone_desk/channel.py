"""The phone desk as the rest of the desk sees it: nothing comes in by itself, and nothing goes out by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, override

from channels.contract import Capabilities, Channel, ChannelContext, OutboundMessage, ReadMessage, SendReceipt
from channels.faults import ByHand
from channels.phone_desk.reading import read_keyed_in
from channels.phone_desk.recording import CHANNEL, Recording
from channels.phone_desk.settings import PhoneDeskSettings
from channels.record_contract import Recorder


class PhoneDeskChannel(Channel):
    name = CHANNEL

    def __init__(self, context: ChannelContext, settings: PhoneDeskSettings) -> None:
        self.capabilities = Capabilities(
            max_characters=20_000, patience_seconds=120, one_reply=True, repeat_harmless=True, keyed_in=True
        )
        self._words = context.words
        self._door = settings.door
        self._recording = Recording(settings.max_files, settings.upload_limits, context)

    @override
    async def stop(self) -> None:
        await self._recording.stop()

    @override
    def door(self) -> str:
        return self._door

    @override
    def title(self, language: str) -> str:
        return self._words.say("phone_desk.title", language)

    @override
    def recorder(self) -> Recorder:
        return self._recording

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return read_keyed_in(raw, envelope, self._words)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        """An agent reads the words out, or prints and posts them; until they say so, nothing was sent."""
        raise ByHand
