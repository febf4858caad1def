"""What a channel is handed at its start, with a desk in memory behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.files import Files
from channels.contract import ChannelContext, Words
from tests.fakes.desk import NotAsked
from tests.monitor.harness import Desk

PUBLIC_URL = "https://desk.exchange.example"
LINK = f"{PUBLIC_URL}/chat?lang="


class Links:
    """Every author has a link of their own."""

    async def link(self, conversation_key: str, language: str) -> str:
        return f"{LINK}{language}"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a social channel asked for {name}")


def context(folder: Path, desk: Desk, words: Words, public_url: str = PUBLIC_URL, **settings: Any) -> ChannelContext:
    return ChannelContext(
        settings=settings,
        host="127.0.0.1",
        ports={"smtp": 0},
        exchange_names={"en": "Demo Exchange", "zh": "演示交易所"},
        data_dir=folder,
        public_url=public_url,
        secret=bytes(range(32)),
        accept=desk.accept,
        evidence=Files(folder / "evidence"),
        transcript=NotAsked(),
        uploads=NotAsked(),
        attention=NotAsked(),
        invitations=Links(),
        words=words,
        app_token_secret="",
        site_origins=(),
    )
