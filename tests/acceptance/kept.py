"""Whether everything that was accepted is there, byte for byte."""

from __future__ import annotations

import hashlib
import sys
from asyncio import create_subprocess_exec, subprocess
from collections.abc import Iterable

from sqlalchemy import select

from bot.files import Files
from bot.store.store import Store
from bot.store.tables import Inbox
from tests.process.desk import ROOT, DeskProcess


async def damaged(desk: DeskProcess, store: Store, accepted: Iterable[bytes]) -> list[str]:
    """The digests of accepted messages that are not kept exactly once, or not as they were sent."""
    query = select(Inbox.raw_sha256, Inbox.raw)
    rows = await store.read(lambda connection: [tuple(row) for row in connection.execute(query)])
    files = Files(desk.folder / "data" / "raw")
    wrong = []
    for content in accepted:
        digest = hashlib.sha256(content).hexdigest()
        kept = [raw if raw is not None else files.get(digest) for found, raw in rows if found == digest]
        if kept != [content]:
            wrong.append(digest)
    return wrong


async def shown_by_operator(desk: DeskProcess, inbox_id: int) -> bytes:
    """What `redress raw` prints."""
    run = await create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "raw", str(inbox_id)), cwd=ROOT, env=desk.env, stdout=subprocess.PIPE
    )
    content, _ = await run.communicate()
    return content


async def differently_shown(desk: DeskProcess, store: Store, accepted: Iterable[bytes]) -> list[int]:
    """The numbers of accepted messages that `redress raw` does not show as they were sent."""
    query = select(Inbox.raw_sha256, Inbox.id)
    ids = await store.read(lambda connection: {str(row[0]): int(row[1]) for row in connection.execute(query)})
    numbers = {ids[hashlib.sha256(content).hexdigest()]: content for content in accepted}
    return [number for number, content in numbers.items() if await shown_by_operator(desk, number) != content]
