"""Every file is scanned after its commit, once; a scanner that is down loses none and judges none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.attachments.scanner import NotScanned, Scanner, ScannerDown, Verdict
from bot.attachments.scanning import DOWN, FAILED_AGAIN, FIRST_RETRY, MOST_ATTEMPTS
from bot.hub import conversation_topic
from bot.repository import file_checks
from bot.store.store import Store
from tests.attachments.clamd import EICAR, FOUND, FakeClamd, clamd
from tests.attachments.world import Desk
from tests.conftest import MovedClock


@pytest.fixture
async def fake() -> AsyncIterator[FakeClamd]:
    async with clamd(max_stream=1_000_000) as started:
        yield started


@pytest.fixture
def desk(store: Store, clock: MovedClock, tmp_path: Path, fake: FakeClamd) -> Desk:
    return Desk(store, clock, tmp_path, fake.port)


async def test_harmless_and_infected_files_are_told_apart_and_both_kept(desk: Desk, fake: FakeClamd) -> None:
    clean, infected = await desk.receive(b"a statement"), await desk.receive(EICAR)
    assert await desk.scan_of(clean) == "waiting"
    assert await desk.scans.scan_due() == 2
    assert await desk.scan_of(clean) == "clean"
    found = await desk.check(infected)
    assert (found.scan, found.finding, found.scanned_at) == ("infected", FOUND, desk.clock())
    assert desk.evidence.get(infected) == EICAR
    assert sorted(fake.scanned) == sorted([b"a statement", EICAR])


async def test_the_same_content_is_scanned_once(desk: Desk, fake: FakeClamd) -> None:
    for _ in range(3):
        await desk.receive(b"the same")
    await desk.scans.scan_due()
    await desk.receive(b"the same")
    assert await desk.scans.scan_due() == 0
    assert fake.scanned == [b"the same"]


async def test_a_large_file_arrives_whole(desk: Desk, fake: FakeClamd) -> None:
    data = bytes(range(256)) * 3000
    await desk.receive(data)
    assert await desk.scans.scan_due() == 1
    assert fake.scanned == [data]


async def test_while_it_is_down_files_wait_and_nothing_is_counted(desk: Desk, fake: FakeClamd) -> None:
    digest = await desk.receive(EICAR)
    await fake.stop()
    assert await desk.scans.scan_due() == 0
    assert desk.scans.trouble() == DOWN
    waiting = await desk.check(digest)
    assert (waiting.scan, waiting.scan_attempts) == ("waiting", 0)
    await fake.start()
    assert await desk.scans.scan_due() == 0, "it is not asked again before its pause is over"
    desk.elapsed += 1
    assert await desk.scans.scan_due() == 1
    assert desk.scans.trouble() is None
    assert await desk.scan_of(digest) == "infected"


async def test_the_pause_grows_and_has_an_end(desk: Desk, fake: FakeClamd) -> None:
    await fake.stop()
    pauses: list[float] = []
    for _ in range(9):
        await desk.scans.scan_due()
        began = desk.elapsed
        while desk.scans.down and desk.elapsed < desk.scans._ask_at:
            desk.elapsed += 0.5
        pauses.append(desk.elapsed - began)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_one_that_goes_is_noticed_while_no_file_comes(desk: Desk, fake: FakeClamd) -> None:
    await desk.scans.scan_due()
    assert (desk.scans.trouble(), fake.heard) == (None, ["PING"])
    await fake.stop()
    await desk.scans.scan_due()
    assert desk.scans.trouble() is None
    desk.elapsed += 10
    await desk.scans.scan_due()
    assert desk.scans.trouble() == DOWN


async def test_one_that_hangs_over_everything_is_down(store: Store, clock: MovedClock, tmp_path: Path) -> None:
    async with clamd() as fake:
        desk = Desk(store, clock, tmp_path, fake.port, seconds=0.1)
        digest = await desk.receive(b"x")
        fake.hung = True
        assert await desk.scans.scan_due() == 0
        assert desk.scans.trouble() == DOWN
        assert (await desk.check(digest)).scan_attempts == 0


@pytest.mark.parametrize("fault", ["error", "drop", "nonsense", "hang"])
async def test_a_file_that_it_cannot_judge_is_tried_again_then_marked(
    store: Store, clock: MovedClock, tmp_path: Path, fault: str
) -> None:
    async with clamd() as fake:
        desk = Desk(store, clock, tmp_path, fake.port, seconds=0.2)
        digest = await desk.receive(b"hard")
        fake.script = [fault] * MOST_ATTEMPTS
        for attempt in range(MOST_ATTEMPTS):
            assert await desk.scan_of(digest) == "waiting"
            await desk.scans.scan_due()
            clock.move(seconds=(FIRST_RETRY * 2**attempt).total_seconds())
        assert await desk.scan_of(digest) == "failed"
        assert desk.scans.trouble() is None
        assert len(fake.scanned) == MOST_ATTEMPTS
        clock.move(seconds=FAILED_AGAIN.total_seconds())
        await desk.scans.scan_due()
        assert await desk.scan_of(digest) == "clean"


async def test_another_file_does_not_wait_for_one_that_cannot_be_judged(desk: Desk, fake: FakeClamd) -> None:
    hard = await desk.receive(b"hard")
    fake.script = ["error"]
    await desk.scans.scan_due()
    good = await desk.receive(b"good")
    await desk.scans.scan_due()
    assert (await desk.scan_of(hard), await desk.scan_of(good)) == ("waiting", "clean")


async def test_a_file_beyond_its_limit_is_marked_at_once(desk: Desk) -> None:
    digest = await desk.receive(b"x" * 1_000_001)
    await desk.scans.scan_due()
    found = await desk.check(digest)
    assert (found.scan, found.finding, found.scan_attempts) == ("failed", "too large for the scanner", 1)


async def test_evidence_that_is_gone_is_marked_and_stops_nobody(desk: Desk) -> None:
    lost, good = await desk.receive(b"lost"), await desk.receive(b"good")
    desk.evidence.path(lost).unlink()
    await desk.scans.scan_due()
    assert await desk.scan_of(good) == "clean"
    assert (await desk.check(lost)).scan_attempts == 1


async def test_one_process_of_several_has_a_file(desk: Desk, store: Store, clock: MovedClock) -> None:
    digest = await desk.receive(b"x")
    until = clock() + timedelta(minutes=1)
    taken = [await store.write(lambda c: file_checks.claim(c, digest, clock(), until, "scan")) for _ in range(2)]
    assert taken == [True, False]
    assert await desk.scans.scan_due() == 0
    clock.move(minutes=1)
    assert await desk.scans.scan_due() == 1, "its process died: another one goes on"


async def test_open_pages_hear_of_a_verdict(desk: Desk) -> None:
    await desk.receive(b"x")
    async with desk.hub.watch(conversation_topic("fake", "key-1")) as woken:
        await desk.scans.scan_due()
        async with asyncio.timeout(5):
            await anext(woken)


async def test_the_client_alone(tmp_path: Path, fake: FakeClamd) -> None:
    scanner, path = Scanner("127.0.0.1", fake.port, 5), tmp_path / "file"
    path.write_bytes(EICAR)
    assert await scanner.scan(path) == Verdict(infected=True, finding=FOUND)
    path.write_bytes(b"")
    assert await scanner.scan(path) == Verdict(infected=False)
    fake.script = ["error"]
    with pytest.raises(NotScanned):
        await scanner.scan(path)
    await fake.stop()
    with pytest.raises(ScannerDown):
        await scanner.scan(path)


@pytest.mark.parametrize(
    ("scan", "scanning", "bar"),
    [
        ("waiting", False, None),
        ("waiting", True, "unscanned"),
        ("clean", True, None),
        ("clean", False, None),
        ("failed", True, "scan_failed"),
        ("failed", False, None),
        ("infected", True, "infected"),
        ("infected", False, "infected"),
    ],
)
async def test_who_may_open_what(desk: Desk, scan: str, scanning: bool, bar: str | None) -> None:
    digest = await desk.receive(b"x")
    await desk.store.write(lambda c: file_checks.change(c, digest, scan=scan))
    assert file_checks.barred(await desk.check(digest), scanning=scanning) == bar


def test_a_file_that_nobody_has_noted_yet_waits_where_there_is_a_scanner() -> None:
    assert file_checks.barred(None, scanning=True) == "unscanned"
    assert file_checks.barred(None, scanning=False) is None
