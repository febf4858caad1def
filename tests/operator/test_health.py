"""/readyz: a deaf listener is not ready, and a crowd of askers costs one probe."""

from __future__ import annotations

from pathlib import Path
from typing import override

import httpx
import pytest
from starlette.applications import Starlette

from bot.fresh import Fresh
from bot.health import Health
from bot.rasa_client import RasaClient
from bot.store.store import Store
from tests.fakes.channel import FakeChannel
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving


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
        health = Health(store=store, data_dir=tmp_path, channels={"fake": listener}, rasa=rasa)
        app = Starlette(routes=health.routes())
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
