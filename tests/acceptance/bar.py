"""How an acceptance bar reports: one line per requirement, PASS or FAIL with its figure, and an exit code."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.store.migrate import migrate


@dataclass
class Bar:
    name: str
    failed: list[str] = field(default_factory=list)

    def require(self, condition: object, what: str, figure: object = "") -> None:
        verdict = "PASS" if condition else "FAIL"
        print(f"{verdict} {self.name} {what}" + (f": {figure}" if figure != "" else ""), flush=True)
        if not condition:
            self.failed.append(what)


Run = Callable[[Bar, Path, str], Awaitable[None]]


async def measure(name: str, run: Run, folder: Path, database_url: str) -> Bar:
    bar = Bar(name)
    await run(bar, folder, database_url)
    return bar


def main(name: str, run: Run) -> None:
    """Runs the bar on a fresh SQLite database in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix=f"redress-{name}-") as folder:
        url = f"sqlite:///{folder}/redress.db"
        migrate(url)
        bar = asyncio.run(measure(name, run, Path(folder), url))
    print(f"{'FAIL' if bar.failed else 'PASS'} {name}")
    sys.exit(1 if bar.failed else 0)
