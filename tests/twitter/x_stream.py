"""The filtered stream of the X fake: rules of an app, and connections that last until somebody ends them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.monitor.network import Refused

KEEP_ALIVE = b"\r\n"
BEARER = "AAAAAAAAAbearer-of-the-test%3D"


class Rules:
    def __init__(self) -> None:
        self.kept: dict[str, dict[str, str]] = {}
        self._number = 0

    def add(self, value: str, tag: str) -> str:
        """Raises Refused: the same words twice are none."""
        if any(rule["value"] == value for rule in self.kept.values()):
            raise Refused(400, "DuplicateRule")
        self._number += 1
        rule_id = str(100 + self._number)
        self.kept[rule_id] = {"id": rule_id, "value": value, "tag": tag}
        return rule_id

    def told(self) -> dict[str, Any]:
        found = {"data": list(self.kept.values())} if self.kept else {}
        return {**found, "meta": {"sent": "2026-11-22T09:00:00.000Z", "result_count": len(self.kept)}}

    def change(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Refused."""
        for rule_id in asked.get("delete", {}).get("ids", []):
            self.kept.pop(rule_id, None)
        made = [self.kept[self.add(rule["value"], rule.get("tag", ""))] for rule in asked.get("add", [])]
        return {"data": made, "meta": {"summary": {"created": len(made)}}}


class Connections:
    """What is sent reaches every connection that is open then."""

    def __init__(self) -> None:
        self._open: set[asyncio.Queue[bytes | None]] = set()
        self._changed = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, released: asyncio.Event) -> None:
        """Until it is cut, the caller goes away, or the server does."""
        lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        await self._count(lines, here=True)
        gone = [asyncio.ensure_future(reader.read(1)), asyncio.ensure_future(released.wait())]
        try:
            while True:
                line = asyncio.ensure_future(lines.get())
                await asyncio.wait([line, *gone], return_when=asyncio.FIRST_COMPLETED)
                if not line.done() or line.result() is None:
                    line.cancel()
                    return
                writer.write(line.result() or b"")
                await writer.drain()
        finally:
            for each in gone:
                each.cancel()
            await self._count(lines, here=False)

    def send(self, content: bytes) -> None:
        for lines in self._open:
            lines.put_nowait(content)

    def keep_alive(self) -> None:
        self.send(KEEP_ALIVE)

    def line(self, told: Any) -> None:
        self.send(json.dumps(told).encode() + b"\r\n")

    def cut(self) -> None:
        for lines in self._open:
            lines.put_nowait(None)

    async def until(self, count: int) -> None:
        """Waits for that many connections."""
        async with self._changed, asyncio.timeout(20):
            await self._changed.wait_for(lambda: len(self._open) == count)

    async def _count(self, lines: asyncio.Queue[bytes | None], *, here: bool) -> None:
        (self._open.add if here else self._open.discard)(lines)
        async with self._changed:
            self._changed.notify_all()
