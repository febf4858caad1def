"""Plays many conversations at once on one desk; Rasa is restarted once, when only those who ask for it are left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.conversations.desk import Desk, running_desk
from tests.conversations.play import Player
from tests.conversations.script import Line, Script

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

AT_ONCE: Final = 6
"""Conversations that go on at the same time."""


@dataclass(frozen=True)
class Played:
    lines: Sequence[Line]
    failure: Exception | None


async def play_all(folder: Path, scripts: Sequence[Script]) -> Mapping[str, Played]:
    """By the conversation's id: what was seen, and what broke it off."""
    async with running_desk(folder) as desk:
        stage = Stage(desk, scripts)
        played = await asyncio.gather(*(stage.play(script) for script in scripts))
    return {script.id: result for script, result in zip(scripts, played, strict=True)}


class Stage:
    def __init__(self, desk: Desk, scripts: Sequence[Script]) -> None:
        self._desk = desk
        self._places = asyncio.Semaphore(AT_ONCE)
        self._left = len(scripts)
        self._waiting = 0
        self._alone = asyncio.Event()
        self._restart: asyncio.Task[None] | None = None

    async def play(self, script: Script) -> Played:
        player = Player(self._desk, script, self._restarted)
        try:
            async with self._place():
                await player.play()
        except Exception as failure:  # told by the test of this conversation
            return Played(player.seen, failure)
        finally:
            self._left -= 1
            self._see_who_waits()
        return Played(player.seen, None)

    async def _restarted(self) -> None:
        """Gives up the place and waits for everybody who does not want a restart."""
        self._waiting += 1
        self._see_who_waits()
        self._places.release()
        await self._alone.wait()
        if self._restart is None:
            self._restart = asyncio.create_task(self._desk.restart_rasa())
        await self._restart
        await self._places.acquire()

    @asynccontextmanager
    async def _place(self) -> AsyncGenerator[None]:
        async with self._places:
            yield

    def _see_who_waits(self) -> None:
        if self._left == self._waiting:
            self._alone.set()
