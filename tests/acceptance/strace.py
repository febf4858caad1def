"""What a running program asks of its kernel, seen and spoilt with strace (Debian: apt install strace)."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ATTACH_SECONDS = 20.0
_LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?)(?: (\w+))?.*?(?: <(\d+\.\d+)>)?$")
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")


class CannotTrace(Exception):
    """strace is not here or may not look; the message says which."""


@dataclass(frozen=True)
class Call:
    """One system call; times are seconds since 1970."""

    name: str
    arguments: str
    result: int
    began: float
    ended: float


def missing() -> str | None:
    return None if shutil.which("strace") else "strace is not installed: apt install strace"


@asynccontextmanager
async def following(pids: Sequence[int], output: Path, *options: str) -> AsyncIterator[None]:
    """strace on these processes and their threads while the block runs. Raises CannotTrace."""
    if lacking := missing():
        raise CannotTrace(lacking)
    attached = [f"--attach={pid}" for pid in pids]
    process = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-ttt", "-T", "-yy", "-s", "300000", "-o", str(output), *options, *attached),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await _attached(process, pids)
        yield
    finally:
        if process.returncode is None:
            process.terminate()  # it lets go of what it follows
        await process.communicate()


async def _attached(process: asyncio.subprocess.Process, pids: Sequence[int]) -> None:
    async with asyncio.timeout(ATTACH_SECONDS):
        while not all(_traced(pid) for pid in pids):
            if process.returncode is not None:
                _, said = await process.communicate()
                raise CannotTrace(said.decode().strip())
            await asyncio.sleep(0.05)


def _traced(pid: int) -> bool:
    """Whether every thread is followed."""
    return all(
        not re.search(r"^TracerPid:\t0$", (task / "status").read_text(), re.MULTILINE)
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def calls(output: Path) -> Iterator[Call]:
    """In the order in which they began."""
    open_calls: dict[str, tuple[float, str]] = {}
    found = []
    for line in output.read_text(encoding="utf-8", errors="replace").splitlines():
        matched = _LINE.match(line)
        if matched is None:
            continue
        pid, began, rest = matched[1], float(matched[2]), matched[3]
        if rest.endswith(_UNFINISHED):
            open_calls[pid] = began, rest.removesuffix(_UNFINISHED)
            continue
        if resumed := _RESUMED.match(rest):
            began, head = open_calls.pop(pid, (began, ""))
            rest = head + resumed[1]
        if call := _CALL.match(rest):
            seconds = float(call[5] or 0)
            found.append(Call(call[1], call[2], int(call[3].replace("?", "-1")), began, began + seconds))
    return iter(sorted(found, key=lambda one: one.began))
