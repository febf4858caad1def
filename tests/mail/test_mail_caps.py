"""How much automatic mail leaves: per address and day, for all per hour; over restarts and at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from channels.faults import NeedsPerson, RetryLater
from channels.mail.caps import DAY, HOUR, Caps
from channels.mail.settings import check
from tests.fakes.desk import SECRET, FakeDesk
from tests.mail.harness import answer, channel

type Build = Callable[[], Caps]


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def build(tmp_path: Path, clock: Clock) -> Build:
    """A process that has just started."""
    settings = check({"automatic_per_address": 2, "automatic_per_hour": 10})
    return lambda: Caps(tmp_path / "mail", settings, SECRET, clock)


async def wait_of(caps: Caps, name: str, recipient: str = "li@user.example") -> float:
    """0 when it may go."""
    try:
        await caps.take(answer(message_id=name, recipient=recipient))
    except RetryLater as later:
        return later.after_seconds or -1
    return 0


async def test_an_address_over_its_cap_is_told_for_an_hour(build: Build, clock: Clock) -> None:
    caps = build()
    for name in ("a", "b"):
        assert await wait_of(caps, name) == 0
    assert caps.trouble() is None
    assert await wait_of(caps, "c") == DAY
    assert "more than 2 automatic mails to one address" in str(caps.trouble())
    clock.now += HOUR
    assert caps.trouble() is None


async def test_an_address_gets_so_many_a_day_and_each_waiting_letter_knows_its_turn(build: Build, clock: Clock) -> None:
    assert await wait_of(build(), "a") == 0
    clock.now += 100
    assert await wait_of(build(), "b") == 0
    assert await wait_of(build(), "c") == DAY - 100
    assert await wait_of(build(), "d", "LI@User.example") == DAY
    with pytest.raises(NeedsPerson):
        await wait_of(build(), "e")
    assert await wait_of(build(), "f", "other@user.example") == 0
    assert await wait_of(build(), "a") == 0  # once counted, however often the relay wants it again
    clock.now += DAY - 100
    assert await wait_of(build(), "d") == 100
    assert await wait_of(build(), "c") == 0
    clock.now += 100
    assert await wait_of(build(), "d") == 0
    assert await wait_of(build(), "g") == DAY - 100


async def test_letters_that_the_desk_began_have_a_count_of_their_own(build: Build) -> None:
    caps = build()
    for name in ("a", "b"):
        assert await wait_of(caps, name) == 0
    await caps.take(answer(message_id="code", thread={}))
    assert await wait_of(caps, "c") > 0


async def test_all_together_have_a_cap_that_is_told(build: Build, clock: Clock) -> None:
    caps = build()
    for number in range(10):
        assert await wait_of(caps, f"m{number}", f"{number}@user.example") == 0
        clock.now += 60
    assert caps.trouble() is None
    assert await wait_of(caps, "late", "late@user.example") == HOUR - 600
    assert "more than 10 automatic mails within an hour" in str(caps.trouble())
    clock.now += HOUR - 600
    assert caps.trouble() is None
    assert await wait_of(caps, "late", "late@user.example") == 0
    assert await wait_of(caps, "later", "later@user.example") > 0


async def test_many_at_once_from_several_processes(build: Build) -> None:
    processes = [build() for _ in range(4)]
    waits = await asyncio.gather(
        *(wait_of(processes[n % 4], f"m{n}", f"{n // 4}@user.example") for n in range(16)), return_exceptions=False
    )
    assert sum(wait == 0 for wait in waits) == 8
    for address in range(4):
        assert sum(wait == 0 for wait in waits[address * 4 : address * 4 + 4]) == 2


async def test_no_caps(tmp_path: Path) -> None:
    caps = Caps(tmp_path / "mail", check({"automatic_per_address": 0, "automatic_per_hour": 0}), SECRET)
    for number in range(20):
        assert await wait_of(caps, str(number)) == 0
    assert not (tmp_path / "mail").exists()


async def test_a_damaged_count_is_begun_anew(build: Build, tmp_path: Path) -> None:
    assert await wait_of(build(), "a") == 0
    (tmp_path / "mail" / "automatic.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(RetryLater):
        await build().take(answer(message_id="b"))
    assert await wait_of(build(), "b") == 0


async def test_no_address_is_kept(build: Build, tmp_path: Path) -> None:
    await wait_of(build(), "a", "hidden-person@user.example")
    assert b"hidden-person" not in (tmp_path / "mail" / "automatic.sqlite").read_bytes()


async def test_people_are_never_capped(tmp_path: Path) -> None:
    one = channel(tmp_path, FakeDesk(), automatic_per_address=1, automatic_per_hour=1)
    await one.send(answer(message_id="a"))
    with pytest.raises(RetryLater):
        await one.send(answer(message_id="b"))
    for number in range(20):
        await one.send(answer(message_id=f"person{number}", automatic=False))
    assert len(list((tmp_path / "maildrop" / "new").iterdir())) == 21
    await one.close()


async def test_the_desk_hears_of_a_full_hour(tmp_path: Path) -> None:
    one = channel(tmp_path, FakeDesk(), automatic_per_hour=1)
    await one.send(answer(message_id="a"))
    assert one.trouble() is None
    with pytest.raises(RetryLater):
        await one.send(answer(message_id="b", recipient="other@user.example"))
    assert "automatic mails within an hour" in str(one.trouble())
    await one.close()
