"""A21: each of Telegram's updates is one event, whatever comes twice, mixed up, odd or while the desk dies.

python -m tests.acceptance.a21_telegram_delivery --database both

The desk dies by kill -9 at moments that are seen from outside: when its rows are to be seen in the database and it has
not answered everybody yet, when Telegram withholds the answer to the request that confirms, and while somebody else
holds the database. The short form is `test_a21.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, override

import httpx
from sqlalchemy import create_engine, func, select, text
from starlette.requests import Request
from starlette.responses import Response

from bot.ledger import draw_up
from bot.store.store import Store
from bot.store.tables import Inbox, Outbox
from channels.telegram.settings import WEBHOOK_PATH
from channels.telegram.webhook import SECRET_HEADER
from tests.acceptance.bar import Bar, main
from tests.acceptance.books import waiting
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import DeskProcess
from tests.telegram.bot_api import TOKEN, BotApi, Fault, Refused
from tests.telegram.harness import WEBHOOK_SECRET

BURST = 20
"""Updates that are on their way when the desk dies."""
MOST_TRIES = 10
GROUP: dict[str, Any] = {"id": -100500, "type": "supergroup", "title": "Traders"}
ODD = [b"not JSON", b"null", b"[" * 50_000, b'{"update_id": "seven", "message": {"chat": []}}']
"""Bodies without a number of their own."""
POISON: list[dict[str, Any]] = [{"text": 7}, {"date": "never"}, {"message_id": [], "photo": 1}, {"entities": [7, {}]}]
"""What makes a message unreadable for the library."""
Update = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    updates: int = 100
    """Delivered five times each."""
    kills: int = 3
    """At each moment."""
    pause_seconds: int = 20
    """What Telegram asks for."""


@dataclass
class Server(BotApi):
    """Notes what it handed out and when it was asked to send; can withhold the answer to a confirmation."""

    holding: bool = False
    withheld: list[dict[str, Any]] = field(default_factory=list)
    handed: list[dict[str, Any]] = field(default_factory=list)
    sendings: list[tuple[float, int]] = field(default_factory=list)
    """When somebody tried to send, in seconds of the monotonic clock, and the status that was answered."""

    @override
    async def _call(self, request: Request) -> Response:
        began = time.monotonic()
        answer = await super()._call(request)
        if request.path_params["method"].lower() == "sendmessage":
            self.sendings.append((began, answer.status_code))
        return answer

    async def offer(self, updates: Sequence[Update]) -> None:
        """All at once, to whoever polls."""
        self.pending += updates
        await self._tell()

    @override
    async def _on_getupdates(self, parameters: dict[str, Any]) -> Any:
        if self.holding and int(parameters.get("offset", 0)):
            self.withheld.append(parameters)
            await self.released.wait()
            raise Refused(409, "Conflict: terminated by other getUpdates request")
        batch = await super()._on_getupdates(parameters)
        self.handed += batch
        return batch


class Trial:
    """One Bot API and one database; the desk is started, killed and started again around them."""

    def __init__(self, bar: Bar, plan: Plan, api: Server, store: Store, desk: Callable[[str], DeskProcess]) -> None:
        self.bar, self.plan, self.api, self.store = bar, plan, api, store
        self._desk_in = desk
        self.mode, self.desk = "webhook", desk("webhook")
        self.wanted: set[str] = set()
        self.single: set[int] = set()
        """Chats in which one ordinary message was written."""
        self._chat, self._chance = 1000, random.Random(21)
        self.http = httpx.AsyncClient(trust_env=False, timeout=30)

    async def start(self) -> None:
        """On new ports: while the desk was dead, others may have taken the old ones."""
        self.desk = self._desk_in(self.mode)
        await self.desk.start()

    def write(self, count: int) -> list[Update]:
        """So many new messages, each in a chat of its own, in either language."""
        words = ("My withdrawal is missing", "我的提现没有到账")
        chats = range(self._chat + 1, self._chat + count + 1)
        self._chat += count
        self.single.update(chats)
        return [self.numbered(message=self.api.message(words[chat % 2], chat)) for chat in chats]

    def numbered(self, **content: Any) -> Update:
        self.api.last_id += 1
        self.wanted.add(f"4242:{self.api.last_id}")
        return {"update_id": self.api.last_id, **content}

    async def post(self, update: Update | bytes, secret: str | None = WEBHOOK_SECRET) -> int:
        """The status of the answer; 0 when there was none."""
        body = {"content": update} if isinstance(update, bytes) else {"json": update}
        headers = {} if secret is None else {SECRET_HEADER: secret}
        try:
            answer = await self.http.post(f"{self.desk.url}{WEBHOOK_PATH}", headers=headers, **body)
        except httpx.HTTPError:
            return 0
        return answer.status_code

    async def deliver(self, updates: Sequence[Update | bytes]) -> list[int]:
        return [await self.post(update) for update in updates]

    async def until(self, reached: Callable[[], bool], seconds: float = 90) -> None:
        async with asyncio.timeout(seconds):
            while not reached():
                await asyncio.sleep(0.05)

    async def at_rest(self) -> None:
        async with asyncio.timeout(120):
            while await self.store.read(waiting):
                await asyncio.sleep(0.1)

    async def kept(self, updates: Sequence[Update] | None = None) -> int:
        """How many rows there are, of these updates or at all."""
        query = select(func.count()).select_from(Inbox)
        if updates is not None:
            query = query.where(Inbox.external_id.in_([f"4242:{update['update_id']}" for update in updates]))
        return await self.store.read(lambda connection: int(connection.execute(query).scalar_one()))

    async def secrets(self) -> None:
        shown = [None, "", "wrong", WEBHOOK_SECRET[:-1], WEBHOOK_SECRET + "x", WEBHOOK_SECRET.upper()]
        made_up = {"update_id": 1, "message": self.api.message("made up", 7)}
        answers = Counter([await self.post(made_up, secret) for secret in shown])
        self.bar.require(set(answers) == {403}, "no, empty or wrong secret: 403", dict(answers))
        self.bar.require(await self.kept() == 0, "rows of it", await self.kept())

    async def five_times(self) -> None:
        updates = self.write(self.plan.updates)
        batch = [update for update in updates for _ in range(5)]
        self._chance.shuffle(batch)
        halves = await asyncio.gather(self.deliver(batch[::2]), self.deliver(batch[1::2]))
        answers = Counter(code for half in halves for code in half)
        self.bar.require(set(answers) == {200}, "five times each, shuffled, by two: answers", dict(answers))
        stored = await self.kept(updates)
        self.bar.require(stored == len(updates), "one event each", f"{stored} for {len(updates)}")

    async def killed_between_store_and_answer(self) -> None:
        kills = between = stored = lies = 0
        updates: list[Update] = []
        while kills < self.plan.kills or (not between and kills < MOST_TRIES):
            burst = self.write(BURST)
            updates += burst
            kills += 1
            stored, answered, wrong = await self._killed_in(burst)
            between, lies = between + stored - answered, lies + wrong
        kept = await self.kept(updates)
        self.bar.require(between > 0, f"stored but not answered when killed, in {kills} kills", between)
        self.bar.require(not lies, "answered 200 and not stored", lies)
        self.bar.require(kept == len(updates), "one event each after redelivery", f"{kept} for {len(updates)}")

    async def _killed_in(self, burst: Sequence[Update]) -> tuple[int, int, int]:
        """How many were stored, answered, and answered without being stored, when the desk died. Delivers again."""
        before = await self.kept()
        posting = asyncio.gather(*(self.post(update) for update in burst))
        await asyncio.to_thread(_kill_when_stored, self.store.url, before + BURST // 2, self.desk.pid)
        await self.desk.kill()
        answers = await posting
        stored = await self.kept(burst)
        taken = [update for update, code in zip(burst, answers, strict=True) if code == 200]
        wrong = len(taken) - await self.kept(taken)
        await self.start()
        again = await asyncio.gather(*(self.post(update) for update in burst))
        assert set(again) == {200}, again
        return stored, len(taken), wrong

    async def odd_bodies(self) -> None:
        """Twice each, with an ordinary message behind them."""
        before = await self.kept()
        answers = Counter(await self.deliver([*ODD, *ODD, *self.write(1)]))
        self.bar.require(set(answers) == {200}, "bodies that are no update do not stop the queue", dict(answers))
        kept = await self.kept() - before - 1
        self.bar.require(kept == len(ODD), "each of them kept once", f"{kept} for {len(ODD)}")

    async def killed_before_confirming(self) -> None:
        """Stored, and Telegram does not know yet: it hands everything out again."""
        updates: list[Update] = []
        self.api.holding = True
        for number in range(1, self.plan.kills + 1):
            new = self.write(BURST)
            updates += new
            self.api.pending += new
            await self.start()
            await self.until(lambda number=number: len(self.api.withheld) == number)  # type: ignore[misc]
            await self.desk.kill()
        self.api.holding = False
        stored, left = await self.kept(updates), len(self.api.pending)
        await self.start()
        await self.until(lambda: not self.api.pending)
        kept = await self.kept(updates)
        figure = f"{stored} stored and {left} unconfirmed before, {kept} stored after, for {len(updates)}"
        self.bar.require(stored == left == kept == len(updates), "killed before confirming: one event each", figure)

    async def killed_before_storing(self) -> None:
        """Fetched, while somebody else holds the database: nothing of it is stored when the desk dies."""
        updates: list[Update] = []
        stored = 0
        for _ in range(self.plan.kills):
            new = self.write(BURST)
            updates += new
            with _held(self.store.url):
                handed = len(self.api.handed)
                await self.api.offer(new)
                await self.until(lambda handed=handed: len(self.api.handed) >= handed + BURST)  # type: ignore[misc]
                await asyncio.sleep(0.3)  # until they have come to the desk
                await self.desk.kill()
            stored += await self.kept(new)
            await self.start()
            await self.until(lambda: not self.api.pending)
        kept = await self.kept(updates)
        figure = f"{stored} stored before, {kept} after, for {len(updates)}"
        self.bar.require((stored, kept) == (0, len(updates)), "killed before storing: one event each", figure)

    async def edits(self) -> None:
        first, second = "My order 8812 is lost", "My order 8813 is lost"
        self._chat += 1
        message = self.api.message(first, self._chat)
        original = self.numbered(message=message)
        edited = self.numbered(edited_message={**message, "text": second, "edit_date": message["date"] + 60})
        await self._fetched([original, edited])
        query = select(Inbox.text, Inbox.note, Inbox.raw).where(Inbox.sender == str(self._chat)).order_by(Inbox.seq)
        rows = await self.store.read(lambda connection: [tuple(row) for row in connection.execute(query)])
        beside = [said for said, _, _ in rows] == [first, second]
        marked = beside and str(message["message_id"]) in (rows[1][1] or "") and rows[0][1] is None
        same = beside and json.loads(rows[0][2] or b"null") == original
        self.bar.require(marked and same, "an edit beside its original, marked; the original as it was", len(rows))

    async def groups(self) -> None:
        """Also those that name nobody: not a row, not a word. Who speaks to the bot is once told where to talk."""
        self.api.known_chats.add(GROUP["id"])
        before = await self.kept()
        said = [f"my withdrawal {number} is stuck" for number in range(20)]
        await self._fetched([self._in_group(words) for words in said])
        self.bar.require(not (spoken := self._heard(GROUP["id"])), "words said in a group", len(spoken))
        await self._fetched([self._in_group("@redress_test_bot where is my money?") for _ in range(3)])
        await self._fetched(self.write(1))
        await self.until(lambda: bool(self._heard(GROUP["id"])))
        told = self._heard(GROUP["id"])
        once = len(told) == 1 and "https://t.me/" in told[0]
        self.bar.require(once, "addressed three times it says once where to talk", len(told))
        self.bar.require((kept := await self.kept() - before - 1) == 0, "rows of a group", kept)

    async def poison(self) -> None:
        """Updates that no library reads, and behind each an ordinary one in the same chat."""
        updates = []
        for odd in POISON:
            self._chat += 1
            good = self.api.message("My withdrawal is missing", self._chat)
            updates += [self.numbered(message={**good, **odd}), self.numbered(message=good)]
        await self._fetched(updates)
        kept = await self.kept(updates)
        self.bar.require(kept == len(updates), "poison and what is behind it, kept once", f"{kept} for {len(updates)}")
        unanswered = [chat for chat in range(self._chat - len(POISON) + 1, self._chat + 1) if not self._heard(chat)]
        self.bar.require(not unanswered, "chats left without an answer", len(unanswered))

    async def refusals(self) -> None:
        """What Telegram says when it does not send, one chat after the other."""
        seconds = self.plan.pause_seconds
        said = await self._answering(Fault(code=429, description="Too Many Requests", retry_after=seconds))
        pause = self.api.sendings[-1][0] - self.api.sendings[-2][0]
        self.bar.require(said == [429, 200], "429: tried again once", said)
        self.bar.require(pause >= seconds, f"after the {seconds} s asked for", f"{pause:.1f} s")
        said = await self._answering(Fault(code=500), Fault(code=503))
        self.bar.require(said == [500, 503, 200], "5xx: tried until it is sent, and then no more", said)
        self.api.blocked_by.add(self._chat + 1)
        said = await self._answering(sent=0)
        query = select(Outbox.state).order_by(Outbox.id.desc()).limit(1)
        state = await self.store.read(lambda connection: connection.execute(query).scalar_one())
        self.bar.require((said, state) == ([403], "failed"), "403: not tried again, and failed", f"{said}, {state}")
        said = await self._answering()
        self.bar.require(said == [200], "the next chat is answered", said)

    async def _answering(self, *faults: Fault, sent: int = 1) -> list[int]:
        """What was said to each try to answer one new message, when nothing is left to be sent."""
        tries, chat = len(self.api.sendings), self._chat + 1
        self.api.fail_next["sendmessage"] = list(faults)
        await self._fetched(self.write(1))
        assert len(self._heard(chat)) == sent
        return [status for _, status in self.api.sendings[tries:]]

    async def _fetched(self, updates: Sequence[Update]) -> None:
        """Hands them out and waits until they are confirmed and nothing is left to be done or sent."""
        await self.api.offer(updates)
        await self.until(lambda: not self.api.pending)
        await self.at_rest()

    def _in_group(self, words: str) -> Update:
        self.api.last_id += 1
        return {"update_id": self.api.last_id, "message": {**self.api.message(words, 9), "chat": GROUP}}

    def _heard(self, chat: int) -> list[str]:
        return [sent["text"] for sent in self.api.sent if sent["chat"]["id"] == chat]

    async def books(self) -> None:
        await self.at_rest()
        query = select(Inbox.external_id)
        ids = Counter(await self.store.read(lambda connection: list(connection.execute(query).scalars())))
        lost, wanted, events = self.wanted - set(ids), len(self.wanted) + len(ODD), sum(ids.values())
        self.bar.require(not lost and events == wanted, "in the end one event per update", f"{events} for {wanted}")
        answers = Counter(sent["chat"]["id"] for sent in self.api.sent)
        twice = [chat for chat in self.single if answers[chat] > 1]
        self.bar.require(not twice, "messages answered twice", f"{len(twice)} of {len(self.single)}")
        book = await self.store.read(draw_up)
        stuck = book.outcomes.get("in_progress") or book.outcomes.get("parked")
        self.bar.require(book.balanced and not stuck, "the ledger balances, nothing is parked", book.outcomes)


async def run(plan: Plan, bar: Bar, folder: Path, database_url: str) -> None:
    api, store = Server(), Store(database_url)
    async with api.running(), serving(FakeRasa().app) as rasa_url:
        trial = Trial(bar, plan, api, store, partial(_desk, folder, database_url, rasa_url, api.url))
        try:
            await trial.start()
            for part in (trial.secrets, trial.five_times, trial.killed_between_store_and_answer, trial.odd_bodies):
                await part()
            await trial.desk.stop()
            trial.mode = "polling"
            polled = (trial.killed_before_confirming, trial.killed_before_storing, trial.edits, trial.groups)
            for part in (*polled, trial.poison, trial.refusals, trial.books):
                await part()
        finally:
            await trial.http.aclose()
            await trial.desk.kill()
            store.close()


def _desk(folder: Path, database_url: str, rasa_url: str, api_url: str, mode: str) -> DeskProcess:
    section = {"token": TOKEN, "api_url": api_url, "mode": mode, "webhook_secret": WEBHOOK_SECRET, "poll_seconds": 1}
    channel = json.dumps({"telegram": section})
    return DeskProcess(folder, database_url, rasa_url, WORK__LEASE_SECONDS="3", CHANNEL=channel)


def _kill_when_stored(database_url: str, rows: int, pid: int) -> None:
    """As soon as there are more rows than that. Raises TimeoutError."""
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    until = time.monotonic() + 30
    with engine.connect() as connection:
        while connection.execute(text("SELECT count(*) FROM inbox")).scalar_one() <= rows:
            if time.monotonic() > until:
                raise TimeoutError
        os.kill(pid, signal.SIGKILL)
    engine.dispose()


@contextmanager
def _held(database_url: str) -> Iterator[None]:
    """Somebody else holds what is needed to store anything."""
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    lock = ("BEGIN IMMEDIATE",) if engine.name == "sqlite" else ("BEGIN", "LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
    with engine.connect() as connection:
        for statement in lock:
            connection.execute(text(statement))
        yield
        connection.execute(text("ROLLBACK"))
    engine.dispose()


if __name__ == "__main__":
    main("A21", partial(run, Plan()))
