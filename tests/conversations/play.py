"""Plays one conversation through the chat protocol of docs/chat-protocol.md, and tells what its user saw."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.conversations.desk import PATIENCE_SECONDS, PAUSE_SECONDS, Desk
from tests.conversations.script import ANY, Line, Script

NUMBER: Final = re.compile(r"RD-[0-9A-Z]{5}-[0-9A-Z]{5}")
ARTICLE: Final = re.compile(r"(?:Read it again in our help: “(.+)”, |本文(?:来自帮助|來自幫助)中心《(.+)》：)\S+$")
VARYING: Final = re.compile(
    rf"{NUMBER.pattern}|https?://\S+|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?: [0-9:]{{5}} UTC)?"
    r"|[0-9]{1,2} [A-Z][a-z]+ 20[0-9]{2}|20[0-9]{2}年[0-9]{1,2}月[0-9]{1,2}日"
)
OPEN_QUESTIONS: Final = {"yes", "no", "skip"}
"""Buttons that answer a question: whoever is left with one has not come to an end."""
DEEDS: Final = {"(takes over)": "take", "(hands back)": "hand-back", "(resolves)": "resolve"}
Entry = dict[str, Any]


class DeadEnd(AssertionError):
    """The conversation has neither been settled nor become a case, or a number was told that is not the case's."""


class Player:
    """One user, and what happens to them. `restarted` restarts Rasa, or waits until that was done."""

    def __init__(self, desk: Desk, script: Script, restarted: Callable[[], Awaitable[None]]) -> None:
        self._desk = desk
        self._script = script
        self._restarted = restarted
        self._entries: dict[int, Entry] = {}
        self._told: list[Entry] = []
        self._written = False
        self.seen: list[Line] = []

    async def play(self) -> None:
        """Fills `seen`, line by line as a transcript has them. Raises DeadEnd."""
        desk, made = self._desk, (await self._desk.http.post("/chat/session", json={})).json()
        self._session, self._key = {name: made[name] for name in ("session", "secret")}, made["session"]
        token = await desk.token(self._script.account) if self._script.account else None
        hello = {"type": "hello", "version": 1, **self._session, "after": 0, "language": self._script.language}
        async with connect(desk.url.replace("http", "ws", 1) + "/chat/ws", max_size=2**21) as socket:
            await socket.send(json.dumps({**hello, "token": token}))
            for deed in self._script.deeds:
                await self._do(socket, deed)
        await self._end()

    async def _do(self, socket: ClientConnection, deed: Line) -> None:
        self.seen.append(deed)
        match deed.kind:
            case "user":
                await self._send(socket, type="message", text=deed.text)
            case "code":
                await self._send(socket, type="message", text=await self._desk.code_for(deed.text))
            case "file":
                await self._send(socket, type="message", text="", files=[await self._upload(deed.text)])
            case "press":
                await self._send(socket, type="press", button=self._button(deed.text))
            case "agent":
                await self._agent(socket, deed.text)
            case "restart":
                await self._restarted()
        await self._hear(socket)

    async def _send(self, socket: ClientConnection, **frame: Any) -> None:
        await socket.send(json.dumps({"id": uuid4().hex, **frame}))
        while (answer := await self._next(socket))["type"] != "stored":
            assert answer["type"] != "error", answer
        self._written = True

    def _button(self, title: str) -> str:
        """By its label, among those shown last."""
        offered = {button["title"]: button["name"] for entry in self._told for button in entry["buttons"]}
        assert title in offered, f"{self._script.id}: there is no button {title}, only {list(offered)}"
        return str(offered[title])

    async def _upload(self, name: str) -> str:
        content = f"what {name} shows".encode()
        headers = {
            "Authorization": f"Bearer {self._session['session']}.{self._session['secret']}",
            "Tus-Resumable": "1.0.0",
        }
        named = {"Upload-Length": str(len(content)), "Upload-Metadata": f"filename {_base64(name)}"}
        made = await self._desk.http.post("/chat/files", headers={**headers, **named})
        path = httpx.URL(made.headers["Location"]).path
        piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        sent = await self._desk.http.patch(path, headers={**headers, **piece}, content=content)
        assert sent.status_code == 204, sent.text
        return path.rpartition("/")[2]

    async def _agent(self, socket: ClientConnection, what: str) -> None:
        """Everything that an agent does is heard by the user, as one entry."""
        conversation, before = await self._desk.conversation(self._key), len(self._entries)
        if what in DEEDS:
            await self._desk.deed(conversation.id, DEEDS[what])
        else:
            await self._desk.deed(conversation.id, "reply", text=what, nonce=uuid4().hex)
        while len(self._entries) == before:
            await self._next(socket)
        news = self._entries[max(self._entries)]
        assert what in DEEDS or (news["author"], news["text"]) == ("agent", what), news

    async def _next(self, socket: ClientConnection) -> Entry:
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame: Entry = json.loads(await socket.recv())
        for entry in frame.get("entries", [frame] if frame["type"] == "entry" else []):
            self._entries[entry["seq"]] = entry
        return frame

    async def _hear(self, socket: ClientConnection) -> None:
        """Everything that is said to what was done, once the desk has dealt with it, as the socket brings it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self._written and (await self._desk.conversation(self._key)).pending:
                await asyncio.sleep(PAUSE_SECONDS)
        authorization = f"Bearer {self._session['session']}.{self._session['secret']}"
        before = max((entry["seq"] for entry in self._told), default=0)
        answer = await self._desk.http.get(
            "/chat/history", params={"after": before}, headers={"Authorization": authorization}
        )
        history = answer.json()["entries"]
        while not {entry["seq"] for entry in history} <= self._entries.keys():
            await self._next(socket)
        news = [self._entries[entry["seq"]] for entry in history if entry["author"] != "user"]
        if news:
            self._told = news
        self.seen += [Line("desk", _shown(entry)) for entry in news if entry["author"] != "agent"]

    async def _end(self) -> None:
        """How it ended, and what the person is told who was called last."""
        conversation = await self._desk.conversation(self._key)
        number = "" if conversation.case_id is None else (await self._desk.case(conversation.case_id)).number
        told = {n for e in self._entries.values() if e["author"] in ("bot", "desk") for n in NUMBER.findall(e["text"])}
        if told != ({number} if number else set()):
            raise DeadEnd(f"told of case {told or 'none'}, stored is {number or 'none'}")
        self.seen.append(Line("end", await self._how(conversation)))
        for brief in (await self._desk.briefs(conversation.id))[-1:]:
            facts = [f"{name} {value}" for name, value in brief.get("facts", {}).items()]
            also = [f"also {name}" for name in brief.get("also", [])]
            self.seen.append(Line("summary", VARYING.sub(ANY, "; ".join([str(brief.get("class")), *facts, *also]))))

    async def _how(self, conversation: Any) -> str:
        if conversation.case_id is not None:
            case = await self._desk.case(conversation.case_id)
            return f"case {case.label}, {_has_it(conversation.owner)}" + (", resolved" if case.status != "open" else "")
        if conversation.owner != "bot":
            return _has_it(conversation.owner)
        if conversation.resolved_at is not None:
            return "resolved"
        if any(button["name"] in OPEN_QUESTIONS for entry in self._told for button in entry["buttons"]):
            raise DeadEnd("the last question is open, and there is no case")
        return "nothing is open"


def _has_it(owner: str) -> str:
    return {"bot": "the assistant has it", "queue": "a person is called"}.get(owner, "a person has it")


def _shown(entry: Entry) -> str:
    """The words of an entry. What differs from one run to the next is left out, as are the body of an article and the
    classes among which the user may choose (they are the model's guesses)."""
    text = entry["text"].strip()
    if article := ARTICLE.search(text):
        text = f"{article[1] or article[2]} {ANY}"
    text = VARYING.sub(ANY, text)
    buttons = [button for button in entry["buttons"] if not button["name"].startswith("class:")]
    guessed = f"{ANY} " if len(buttons) < len(entry["buttons"]) else ""
    titles = guessed + " ".join(f"[{button['title']}]" for button in buttons)
    return f"{text}\n{titles}" if titles else text


def _base64(name: str) -> str:
    return base64.b64encode(name.encode()).decode()
