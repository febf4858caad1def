"""A5: floods of empty lines, silent and very slow clients cost little memory and keep nobody else out.

python -m tests.acceptance.a05_memory_and_connections

The clients come from addresses in 127.0.0.0/8, so the caps per address alone would not stop them. Left to
`make acceptance`; `tests/mail` has its parts (floods, caps, deadlines, who makes room).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.acceptance.bar import Bar, main
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import DeskProcess
from tests.process.people import letter
from tests.process.wire import Wire, offer

MIB = 1024 * 1024
FLOODS = 4
FLOOD_MIB = 24
IDLE = 1000
SLOW = 200
PER_ADDRESS = 20
SESSION_SECONDS = 30
"""The deadline of a session; ten minutes unless set."""
MAILS_BESIDE = 10
MOST_SECONDS = 3.0
MOST_GROWTH_MIB = 400
OWN_ADDRESS = "127.0.9.9"


class Memory:
    """Watches how much of it the app holds."""

    def __init__(self, desk: DeskProcess) -> None:
        self._desk = desk
        self.before = self.most = desk.resident_bytes()

    @property
    def growth_mib(self) -> float:
        return (self.most - self.before) / MIB

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        async def watch() -> None:
            while True:
                self.most = max(self.most, self._desk.resident_bytes())
                await asyncio.sleep(0.05)

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def run(bar: Bar, folder: Path, database_url: str) -> None:
    async with serving(FakeRasa().app) as rasa_url:
        desk = DeskProcess(folder, database_url, rasa_url, CHANNEL__MAIL__SESSION_SECONDS=str(SESSION_SECONDS))
        await desk.start()
        try:
            await _normal_mail(desk, 0)
            memory, pid = Memory(desk), desk.pid
            async with memory.watched():
                await _floods(bar, desk)
                await _crowd(bar, desk)
            figure = f"{memory.growth_mib:.0f} MiB over {memory.before / MIB:.0f} MiB"
            bar.require(memory.growth_mib <= MOST_GROWTH_MIB, "growth of the app's memory", figure)
            ready = (await desk.state())["ready"]
            bar.require(desk.alive and desk.pid == pid and ready, "no crash")
        finally:
            await desk.stop()


async def _floods(bar: Bar, desk: DeskProcess) -> None:
    floods = [asyncio.create_task(_flood(desk, f"127.0.3.{number + 1}")) for number in range(FLOODS)]
    waits = await _beside(desk, 1)
    replies = Counter([reply[:9] for reply in await asyncio.gather(*floods)])
    bar.require(set(replies) == {"552 5.3.4"}, f"{FLOODS} floods of {FLOOD_MIB} MiB of empty lines", dict(replies))
    _quick(bar, "beside the floods", waits)


async def _flood(desk: DeskProcess, source: str) -> str:
    wire = await Wire.open(desk.smtp_port, source)
    await wire.until_data("flood@mail.example")
    for _ in range(FLOOD_MIB):
        await wire.send(b"\r\n" * (MIB // 2))
    await wire.send(b".\r\n")
    reply = await wire.reply()
    await wire.close()
    return reply


async def _crowd(bar: Bar, desk: DeskProcess) -> None:
    """Silent and slow clients together, more than there are places, until the desk has closed the last of them."""
    silent = [await Wire.open(desk.smtp_port, f"127.0.1.{n // PER_ADDRESS + 1}") for n in range(IDLE)]
    slow = [await Wire.open(desk.smtp_port, f"127.0.2.{n // PER_ADDRESS + 1}") for n in range(SLOW)]
    bar.note(f"{len(silent)} silent and {len(slow)} slow clients connected")
    began = time.monotonic()
    ends = asyncio.gather(*(_until_closed(wire, began) for wire in silent), *(_drip(wire, began) for wire in slow))
    waits = await _beside(desk, 2)
    _quick(bar, "beside silent and slow clients", waits)
    async with asyncio.timeout(SESSION_SECONDS * 4):
        latest = max(await ends)
    bar.require(latest <= SESSION_SECONDS + 5, "all of them closed by the deadline", f"the last after {latest:.0f} s")


async def _until_closed(wire: Wire, began: float) -> float:
    """Says nothing. Seconds until the desk closed."""
    try:
        while await wire.reader.read(4096):
            continue
    except ConnectionError:
        pass
    await wire.close()
    return time.monotonic() - began


async def _drip(wire: Wire, began: float) -> float:
    """One byte a second. Seconds until the desk closed."""
    closed = asyncio.create_task(_until_closed(wire, began))
    for byte in b"EHLO mail.example\r\n" * SESSION_SECONDS:
        done, _ = await asyncio.wait({closed}, timeout=1)
        if done:
            break
        wire.writer.write(bytes([byte]))
    return await closed


async def _beside(desk: DeskProcess, batch: int) -> Sequence[float]:
    """Seconds that normal mails took, each with the tries that it needed."""
    return [await _normal_mail(desk, batch * 100 + number) for number in range(MAILS_BESIDE)]


async def _normal_mail(desk: DeskProcess, number: int) -> float:
    sender = f"writer{number}@mail.example"
    mail = letter(sender, "投诉", "我的提现没有到账。")
    began = time.monotonic()
    while not (await offer(desk.smtp_port, mail, sender, source=OWN_ADDRESS)).startswith("250"):
        assert time.monotonic() - began < 60
        await asyncio.sleep(0.2)
    return time.monotonic() - began


def _quick(bar: Bar, where: str, waits: Sequence[float]) -> None:
    figure = f"{len(waits)} mails, {max(waits):.2f} s at most"
    bar.require(max(waits) <= MOST_SECONDS, f"a normal mail {where} hears 250 within {MOST_SECONDS:g} s", figure)


if __name__ == "__main__":
    main("A5", run)
