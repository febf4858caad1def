"""How an acceptance bar reports: one line per requirement, PASS or FAIL with its figure, and an exit code.

Every bar is a script: `python -m tests.acceptance.<bar> [--database sqlite|postgres|both]`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.store.migrate import migrate
from tests.fakes.postgres import running_postgres

DATABASES = {"sqlite": ("sqlite",), "postgres": ("postgres",), "both": ("sqlite", "postgres")}


@dataclass
class Bar:
    name: str
    failed: list[str] = field(default_factory=list)

    def require(self, condition: object, what: str, figure: object = "") -> None:
        verdict = "PASS" if condition else "FAIL"
        print(f"{verdict} {self.name} {what}" + (f": {figure}" if figure != "" else ""), flush=True)
        if not condition:
            self.failed.append(what)

    def note(self, what: str) -> None:
        """A figure that no requirement hangs on."""
        print(f"     {self.name} {what}", flush=True)


Run = Callable[[Bar, Path, str], Awaitable[None]]


async def measure(name: str, run: Run, folder: Path, database_url: str) -> Bar:
    bar = Bar(name)
    await run(bar, folder, database_url)
    return bar


def arguments(description: str | None, databases: str = "sqlite") -> argparse.ArgumentParser:
    """What every bar understands; a bar may add to it."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=DATABASES, default=databases)
    return parser


def main(name: str, run: Run, database: str | None = None) -> None:
    """Runs the bar on a fresh database of each kind asked for, in a temporary folder, and ends the program."""
    failed: list[str] = []
    for engine in DATABASES[database or arguments(sys.modules["__main__"].__doc__).parse_args().database]:
        with tempfile.TemporaryDirectory(prefix=f"redress-{name}-") as folder, fresh(engine, Path(folder)) as url:
            print(f"     {name} on {engine}", flush=True)
            failed += asyncio.run(measure(name, run, Path(folder), url)).failed
    print(f"{'FAIL' if failed else 'PASS'} {name}")
    sys.exit(1 if failed else 0)


@contextmanager
def fresh(engine: str, folder: Path) -> Iterator[str]:
    """The URL of a migrated, empty database."""
    if engine == "postgres":
        with running_postgres() as server:
            yield server.make()
    else:
        url = f"sqlite:///{folder}/redress.db"
        migrate(url)
        yield url
