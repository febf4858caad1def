"""/readyz: a deaf listener is not ready, and a crowd of askers costs one probe."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import override

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from bot import health
from bot.fresh import Fresh
from bot.health import Health
from bot.rasa_client import RasaClient
from bot.store.live_tables import Heartbeat
from bot.store.migrate import migrate
from bot.store.store import Store
from tests.fakes.channel import FakeChannel
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving
from tests.store.test_stuck import read_only


class Listener(FakeChannel):
    down: str | None = None
    ill: str | None = None

    @override
    def deaf(self) -> str | None:
        return self.down

    @override
    def trouble(self) -> str | None:
        return self.ill


async def test_a_listener_that_is_down_means_not_ready(store: Store, tmp_path: Path) -> None:
    listener, fake = Listener(), FakeRasa()
    async with serving(fake.app) as url:
        rasa = RasaClient(url, SECRET, timeout_seconds=2)
        looker = Health(store=store, data_dir=tmp_path, channels={"fake": listener}, rasa=rasa)
        app = Starlette(routes=looker.routes())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
            well = await http.get("/readyz")
            listener.down = "the listener does not take messages; restart the desk"
            deaf = await http.get("/readyz")
            listener.down = None
            again = await http.get("/readyz")
        await rasa.close()
    assert (well.status_code, well.json()["ready"], well.json()["degraded"]) == (200, True, {})
    assert deaf.status_code == 503
    assert deaf.json()["reason"] == {"fake": "the listener does not take messages; restart the desk"}
    assert again.status_code == 200


async def test_a_model_that_could_not_be_taken_up_degrades(store: Store, tmp_path: Path) -> None:
    fake = FakeRasa()
    fake.mode = "old model"
    async with serving(fake.app) as url:
        rasa = RasaClient(url, SECRET, timeout_seconds=2)
        state = await Health(store=store, data_dir=tmp_path, channels={}, rasa=rasa).state()
        await rasa.close()
    assert list(state.degraded) == ["model"]
    assert "the one before keeps serving" in state.degraded["model"]


async def test_a_channel_in_trouble_and_a_rasa_that_is_down_only_degrade(store: Store, tmp_path: Path) -> None:
    listener = Listener()
    listener.ill = "the relay does not answer"
    rasa = RasaClient("http://127.0.0.1:9", SECRET, timeout_seconds=2)
    state = await Health(store=store, data_dir=tmp_path, channels={"fake": listener}, rasa=rasa).state()
    await rasa.close()
    assert state.blocked == {}
    assert set(state.degraded) == {"fake", "rasa"}


async def test_a_value_is_found_out_once_while_it_is_fresh() -> None:
    moment, asked = 0.0, 0

    async def find_out() -> int:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise ConnectionError
        return asked

    fresh = Fresh(find_out, 1.0, lambda: moment)
    assert [await fresh.get(), await fresh.get()] == [1, 1]
    moment = 1.0
    assert [await fresh.get(), await fresh.get()] == [2, 2]
    moment = 2.0
    with pytest.raises(ConnectionError):
        await fresh.get()
    assert await fresh.get() == 4


@asynccontextmanager
async def looking(store: Store, folder: Path) -> AsyncIterator[Health]:
    rasa = RasaClient("http://127.0.0.1:9", SECRET, timeout_seconds=2)
    troubles = {"clock": lambda: "20 s ahead"}
    yield Health(store=store, data_dir=folder, channels={}, rasa=rasa, troubles=troubles)
    await rasa.close()


async def test_a_database_that_takes_nothing_in_time_means_not_ready(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process hangs with a row that our writer needs: whoever asks hears that, and does not hang too."""
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.2)
    let_go = threading.Event()
    held = asyncio.create_task(store.write(lambda _connection: let_go.wait(10)))
    async with looking(store, tmp_path) as looker, asyncio.timeout(5):
        assert (await looker.state()).blocked == {"database": "does not take anything within 0.2 s"}
    let_go.set()
    await held
    async with looking(store, tmp_path) as looker:
        state = await looker.state()
    assert (state.blocked, state.degraded["clock"]) == ({}, "20 s ahead")


async def test_a_probe_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    async with looking(store, tmp_path) as looker:
        await looker.state()
    assert await store.read(lambda c: c.execute(select(Heartbeat)).all()) == []
    assert list(tmp_path.glob(".probe*")) == []


async def test_a_database_that_may_only_be_read_means_not_ready(postgres: Callable[[], str], tmp_path: Path) -> None:
    store = Store(url := postgres())
    read_only(url, on=True)
    async with looking(store, tmp_path) as looker:
        await looker.state()  # hears that the connection of before was ended
        looker._probed._known = None
        app = Starlette(routes=looker.routes())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
            answer = await http.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert "read-only" in answer.json()["reason"]["database"]
    read_only(url, on=False)
    store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 3 MB."""
    (disk := tmp_path / "disk").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


async def test_a_full_disk_under_the_database_means_not_ready(small_disk: Path, tmp_path: Path) -> None:
    migrate(url := f"sqlite:///{small_disk / 'redress.db'}")
    store = Store(url)
    (tmp_path / "data").mkdir()
    with (small_disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"\0" * 4096)
    async with looking(store, tmp_path / "data") as looker:
        assert "full" in (await looker.state()).blocked["database"]
    store.close()
