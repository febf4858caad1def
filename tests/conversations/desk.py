"""One whole desk, as `redress run` plans it: the app, a real Rasa with the trained model, the actions, the exchange."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from sqlalchemy import Row, select

from bot.settings import Settings, load
from bot.store.store import Store
from bot.store.tables import Case, Conversation, Note
from bot.supervise import MODEL, Child, plan
from escalation.console.auth import create_agent
from tests.letters import plain_text
from tests.process.desk import ADMIN_PASSWORD, ROOT, clean_environment, free_port

READY_SECONDS = 120
PATIENCE_SECONDS = 30
PAUSE_SECONDS = 0.05
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
AGENT = "Mei"
CODE = re.compile(r"\b[0-9]{6}\b")


class Desk:
    """`stop` and `start` act on one of its processes, by its name in `bot/supervise.py`."""

    def __init__(self, folder: Path) -> None:
        self._environment = {**clean_environment(), **_settings(folder)}
        with patch.dict(os.environ, self._environment, clear=True):
            self.settings: Settings = load()
            children, addresses = plan(self.settings)
        self.url, self.site = self.settings.url, addresses["demo exchange"]
        self.store = Store(self.settings.database)
        self.http = httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=PATIENCE_SECONDS)
        self.agent = httpx.AsyncClient(
            base_url=self.url, trust_env=False, timeout=PATIENCE_SECONDS, headers={"Origin": self.url}
        )
        self._children: Mapping[str, Child] = {child.name: child for child in children}
        self._running: dict[str, asyncio.subprocess.Process] = {}

    @property
    def names(self) -> Sequence[str]:
        return list(self._children)

    async def close(self) -> None:
        """The app first: it finishes what is in hand while Rasa still answers."""
        for name in reversed(list(self._running)):
            await self.stop(name)
        self.store.close()
        await self.http.aclose()
        await self.agent.aclose()

    async def start(self, name: str) -> None:
        child = self._children[name]
        with child.log.open("ab") as log:
            self._running[name] = await asyncio.create_subprocess_exec(
                *child.command, cwd=ROOT, env={**self._environment, **child.env}, stdout=log, stderr=log
            )

    async def stop(self, name: str) -> None:
        process = self._running.pop(name)
        if process.returncode is None:
            process.terminate()
        await process.wait()

    async def restart_rasa(self) -> None:
        await self.stop("rasa")
        await self.start("rasa")
        await self.until_ready(missed=True)

    async def until_ready(self, *, missed: bool = False) -> None:
        """Answering, with Rasa. `missed`: the state may be from before a stop, so the gap is waited for first."""
        async with asyncio.timeout(READY_SECONDS):
            while await self._degraded() is not missed:
                await asyncio.sleep(PAUSE_SECONDS)
            if missed:
                await self.until_ready()

    async def _degraded(self) -> bool | None:
        dead = [name for name, process in self._running.items() if process.returncode is not None]
        assert not dead, f"ended: {[self._children[name].log.read_text()[-500:] for name in dead]}"
        try:
            return bool((await self.http.get("/readyz")).json()["degraded"])
        except (httpx.HTTPError, ValueError, KeyError):
            return None

    async def agent_comes_to_work(self) -> None:
        password = secrets.token_urlsafe(12)
        await create_agent(self.store, "mei", AGENT, "agent", password)
        page = await self.agent.get("/console/login")
        fields = {"csrf": CSRF.findall(page.text)[0], "login": "mei", "password": password, "next": "/console/"}
        assert (await self.agent.post("/console/login", data=fields)).status_code == 303

    async def deed(self, conversation_id: int, name: str, **fields: str) -> None:
        """What an agent does at the console: take, reply, hand-back, resolve."""
        page = await self.agent.get(f"/console/c/{conversation_id}")
        answer = await self.agent.post(
            f"/console/c/{conversation_id}/{name}", data={"csrf": CSRF.findall(page.text)[0], **fields}
        )
        assert answer.status_code == 303, answer.text

    async def token(self, uid: str) -> str:
        """What the exchange's app gives the chat about its user."""
        async with httpx.AsyncClient(trust_env=False) as http:
            return str((await http.get(f"{self.site}/token", params={"uid": uid})).json()["token"])

    async def code_for(self, address: str) -> str:
        """The six digits of the newest letter to this address."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = await asyncio.to_thread(self._letters, address)
                if found:
                    return str(CODE.findall(found[-1])[0])
                await asyncio.sleep(PAUSE_SECONDS)

    def _letters(self, address: str) -> list[str]:
        texts = []
        for path in sorted((self.settings.data_dir / "maildrop" / "new").glob("*"), key=lambda p: p.stat().st_mtime_ns):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            if address in str(mail["To"]):
                texts.append(plain_text(mail))
        return texts

    async def conversation(self, key: str) -> Row[Any]:
        query = select(Conversation.__table__).where(Conversation.key == key)
        return await self.store.read(lambda connection: connection.execute(query).one())

    async def case(self, case_id: int) -> Row[Any]:
        query = select(Case.__table__).where(Case.id == case_id)
        return await self.store.read(lambda connection: connection.execute(query).one())

    async def briefs(self, conversation_id: int) -> list[Mapping[str, Any]]:
        """What the people were told when they were called, oldest first."""
        query = select(Note.data).where(Note.conversation_id == conversation_id, Note.kind == "brief").order_by(Note.id)
        return await self.store.read(lambda connection: list(connection.execute(query).scalars()))


def _settings(folder: Path) -> dict[str, str]:
    """No settings file, and no limit that somebody who types as fast as a test would meet."""
    values = {
        "CONFIG": os.devnull,
        "DATA_DIR": str(folder / "data"),
        "HTTP_PORT": str(free_port()),
        "SMTP_PORT": str(free_port()),
        "SITE_PORT": str(free_port()),
        "ADMIN_PASSWORD": ADMIN_PASSWORD,
        "CHANNEL__WEBCHAT__MESSAGES_PER_MINUTE": "1000",
        "WORK__RASA_SECONDS": "20",
    }
    return {f"REDRESS_{name}": value for name, value in values.items()}


@asynccontextmanager
async def running_desk(folder: Path) -> AsyncGenerator[Desk]:
    """Answering, with an agent at the console. The model is that of `redress train`."""
    assert MODEL.exists(), "there is no model: `redress train` makes it"
    desk = Desk(folder)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(desk.close)
        for name in desk.names:
            await desk.start(name)
        await desk.until_ready()
        await desk.agent_comes_to_work()
        yield desk
