"""What a channel is handed at its start, with a desk in memory behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.files import Files
from channels.contract import ChannelContext, Words
from tests.fakes.desk import PUBLIC_URL, Links, NotAsked
from tests.monitor.harness import Desk


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
