"""The desk as a channel sees it: a door that stores, and can be told to fail, to wait, or to lose its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.files import Files
from channels.contract import Accept, Accepted, ChannelContext, InboundMessage, Words

SECRET = bytes(range(32))
EXCHANGE_NAMES = {"en": "Demo Exchange", "zh": "演示交易所"}
PATIENCE_SECONDS = 10.0
PUBLIC_URL = "https://desk.exchange.example"
LINK = f"{PUBLIC_URL}/chat?lang="


class FakeDesk:
    """Dedupes like the inbox, in memory; or passes everything on to the real one, once a test gives it `inbox`."""

    def __init__(self, inbox: Accept | None = None) -> None:
        self.inbox: Accept = inbox or self._remember
        self.attempts = 0
        self.failures = 0
        """Attempts that ended with an error."""
        self.fail_next: list[Exception] = []
        """Raised by the next attempts, one each; nothing is stored."""
        self.lose_next: list[Exception] = []
        """Raised by the next attempts although the message is stored: its answer was lost."""
        self.door = asyncio.Event()
        self.door.set()
        self.knocked = asyncio.Event()
        self.finished = asyncio.Event()
        self._stored: dict[str, tuple[int, InboundMessage]] = {}
        self._changed = asyncio.Condition()

    @property
    def stored(self) -> list[InboundMessage]:
        """Each message once, in the order in which they came."""
        return [message for _, message in self._stored.values()]

    def ids(self) -> list[str]:
        return list(self._stored)

    async def accept(self, message: InboundMessage) -> Accepted:
        self.attempts += 1
        self.knocked.set()
        await self._tell()
        try:
            return await self._attempt(message)
        except Exception:
            self.failures += 1
            raise

    async def _attempt(self, message: InboundMessage) -> Accepted:
        if self.fail_next:
            raise self.fail_next.pop(0)
        await self.door.wait()
        accepted = await self.inbox(message)
        self._stored.setdefault(message.external_id, (accepted.inbox_id, message))
        self.finished.set()
        await self._tell()
        if self.lose_next:
            raise self.lose_next.pop(0)
        return accepted

    def ended_badly_since(self, attempts: int, failures: int) -> bool:
        """Whether an attempt has failed since there were so many, or one waits before the closed door. One that has
        begun and not ended yet tells nothing."""
        return self.failures > failures or (self.attempts > attempts and not self.door.is_set())

    async def until(self, *, stored: int = 0, attempts: int = 0) -> None:
        async with self._changed, asyncio.timeout(PATIENCE_SECONDS):
            await self._changed.wait_for(lambda: len(self._stored) >= stored and self.attempts >= attempts)

    async def _remember(self, message: InboundMessage) -> Accepted:
        known = self._stored.get(message.external_id)
        number = known[0] if known else len(self._stored) + 1
        return Accepted(inbox_id=number, conversation_id=number, seq=number, duplicate=known is not None)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class Links:
    """Every author has a link of their own."""

    async def link(self, conversation_key: str, language: str) -> str:
        return f"{LINK}{language}"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the channel asked for {name}")


class NotAsked:
    """In place of what the channel has no use for; asking for it fails the test."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the channel asked for {name}")


def context(folder: Path, desk: FakeDesk, words: Words, settings: Mapping[str, Any], **changes: Any) -> ChannelContext:
    """What a channel is built from; `changes` are fields of it."""
    values: dict[str, Any] = {
        "settings": settings,
        "host": "127.0.0.1",
        "ports": {"smtp": 0},
        "exchange_names": EXCHANGE_NAMES,
        "data_dir": folder,
        "public_url": "http://127.0.0.1:8080",
        "secret": SECRET,
        "accept": desk.accept,
        "evidence": Files(folder / "evidence"),
        "transcript": NotAsked(),
        "uploads": NotAsked(),
        "attention": NotAsked(),
        "invitations": NotAsked(),
        "words": words,
        "app_token_secret": "",
        "site_origins": (),
    }
    return ChannelContext(**(values | changes))
