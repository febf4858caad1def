"""An agent at the console: logs in, takes over and replies over HTTP, as a browser would."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from bot.demo.stage import DemoFailed, Say

CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Colleague:
    def __init__(self, http: httpx.AsyncClient, name: str, say: Say) -> None:
        self._http = http
        self._name = name
        self._say = say

    async def take_over(self, conversation_id: int) -> None:
        await self._post(conversation_id, "take", {})
        self._say(self._name, "(takes over)")

    async def reply(self, conversation_id: int, text: str) -> None:
        await self._post(conversation_id, "reply", {"text": text, "nonce": secrets.token_hex(16)})

    async def resolve(self, conversation_id: int) -> None:
        await self._post(conversation_id, "resolve", {})
        self._say(self._name, "(resolves)")

    async def _post(self, conversation_id: int, deed: str, fields: dict[str, str]) -> None:
        page = await self._http.get(f"/console/c/{conversation_id}")
        answer = await self._http.post(
            f"/console/c/{conversation_id}/{deed}", data={"csrf": _field(CSRF, page.text), **fields}
        )
        if answer.status_code not in (200, 204, 303):
            raise DemoFailed(f"the console refused to {deed} with {answer.status_code}")


@asynccontextmanager
async def at_work(url: str, login: str, name: str, password: str, say: Say) -> AsyncIterator[Colleague]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, headers={"Origin": url}) as http:
        page = await http.get("/console/login")
        fields = {"csrf": _field(CSRF, page.text), "login": login, "password": password, "next": "/console/"}
        answer = await http.post("/console/login", data=fields)
        if answer.status_code != 303:
            raise DemoFailed(f"the console did not let {login} in ({answer.status_code})")
        yield Colleague(http, name, say)


def _field(pattern: re.Pattern[str], page: str) -> str:
    match = pattern.search(page)
    if match is None:
        raise DemoFailed("the console's page has no form")
    return match.group(1)
