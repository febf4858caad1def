"""The form in the contract suite: people with browsers without scripts, each at an address of their own."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast, override

import httpx

from channels import form
from channels.form.fields import LIMITS
from channels.form.settings import FormSettings
from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard, Peer
from tests.fakes.web import Exchangeable
from tests.form.desk import Given, Visitor
from tests.webchat.desk import serving

MAX_FILES = 2
MADE_UP = f"f1{'A' * 24}"


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form as it is posted: the same one again is the same complaint."""

    who: int
    token: str
    fields: Mapping[str, str]
    files: Sequence[Given] = ()


class FormPeer(Peer):
    """What one person writes is one form, and what they add by the link of its receipt."""

    channel_name = "form"
    max_file_bytes: ClassVar[int] = 100_000

    def __init__(self, desk: ContractDesk, url: str, http: httpx.AsyncClient) -> None:
        super().__init__(desk)
        self._url = url
        self._app = Exchangeable()
        self._browser = Visitor(http, url)
        self._tokens: dict[int, str] = {}
        self._forms: list[Form] = []

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        listener = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
            peer = cls(desk, url, http)
            await peer.restart()
            async with serving(cast(Any, peer._app), listener):
                yield peer
                await peer.channel.stop()
                await peer.channel.close()

    @override
    async def restart(self) -> None:
        settings = {
            "max_file_bytes": self.max_file_bytes,
            "max_files": MAX_FILES,
            "min_free_disk_bytes": 0,
            "number_seconds": 0,  # this desk makes no cases
            "proxies": ["127.0.0.1"],
        }
        context = self.desk.context("form", settings, public_url=self._url)
        self.channel = self.desk.built(form.build(context))
        await self.channel.start()
        self._app.routes = self.channel.routes()
        self.stopped.clear()

    @override
    async def deliver(self, text: str, who: int = 1) -> Delivery:
        return await self._fill_in(who, {"description": text})

    @override
    async def again(self, delivery: Delivery) -> Heard:
        return await self._post(self._forms[int(delivery.id)])

    @override
    async def forge(self, text: str) -> Sequence[Heard]:
        """A form without its secret, with another's, one that we never gave out, pages of strangers, and a robot."""
        mine, other = await self._token(1), await self._token(2)
        name, another = mine.partition(".")[0], other.partition(".")[2]
        told = {"description": text}
        shown = ["", name, f"{name}.", f"{name}.{another}", f"{MADE_UP}.{another}"]
        heard = [await self._post(Form(who=1, token=token, fields=told)) for token in shown]
        for origin in ("https://stranger.example", "null"):
            heard.append(await self._post(Form(who=2, token=mine, fields=told), origin=origin))
        return [*heard, await self._post(Form(who=2, token=mine, fields={**told, "website": "https://spam.example"}))]

    @override
    async def too_large(self, text: str) -> Sequence[Heard]:
        """Each kind of field beyond its limit, too many files, and more than any form can be."""
        longest = self.channel.capabilities.max_characters
        told = {"description": text}
        given = [
            await self._fill_in(1, {"description": _more_than(longest, text)}),
            await self._fill_in(1, told | {"remedy": _more_than(LIMITS["remedy"], text)}),
            await self._fill_in(1, told, [(f"{n}.txt", text.encode()) for n in range(MAX_FILES + 1)]),
            await self._fill_in(1, told, [("film.mp4", _more_than(2_000_000, text).encode())]),
        ]
        return [each.heard for each in given]

    @override
    async def flood(self, text: str) -> Sequence[Heard]:
        tries = 2 * FormSettings().forms_per_minute
        return [(await self.deliver(f"{text} {n}")).heard for n in range(tries)]

    @override
    async def file(self, name: str, data: bytes) -> Delivery:
        return await self._fill_in(1, {"description": "See the file."}, [(name, data)])

    async def _fill_in(self, who: int, fields: Mapping[str, str], files: Sequence[Given] = ()) -> Delivery:
        written = Form(who=who, token=await self._token(who), fields=fields, files=files)
        self._forms.append(written)
        return Delivery(str(len(self._forms) - 1), await self._post(written))

    async def _token(self, who: int) -> str:
        if who not in self._tokens:
            self._tokens[who] = await self._browser.token()
        return self._tokens[who]

    async def _post(self, written: Form, origin: str | None = None) -> Heard:
        headers = {"x-forwarded-for": f"203.0.113.{written.who}"} | ({"origin": origin} if origin else {})
        answer = await self._browser.send(written.fields, written.files, token=written.token, headers=headers)
        return _heard(answer.status_code)


def _more_than(characters: int, text: str) -> str:
    return text * (characters // len(text) + 1)


def _heard(status: int) -> Heard:
    """RFC 9110 section 15. 303 leads to the receipt; a form that is given back for now keeps its words."""
    if status == 303:
        return Heard.STORED
    return Heard.LATER if status == 429 or status >= 500 else Heard.REFUSED
