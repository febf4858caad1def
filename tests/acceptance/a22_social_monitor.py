"""A22: X is watched gently, each post is one item, and in public one fixed sentence is said and nothing else.

python -m tests.acceptance.a22_social_monitor --database both

X also knocks at the desk's webhook, rightly and wrongly (`x_door.py`), while looks go on. X's refusals meet desks of
their own, in the run on SQLite, for five minutes of real time; what these asked is read from the log of the server.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bot.ledger import draw_up
from bot.store.migrate import migrate
from bot.store.store import Store
from bot.store.tables import Conversation, Inbox, Outbox
from tests.acceptance.bar import Bar, arguments, main
from tests.acceptance.x_door import knock
from tests.fakes.desk import PUBLIC_URL
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.monitor.network import Call, Fault
from tests.process.desk import DeskProcess
from tests.twitter.harness import SENTENCES
from tests.twitter.x_api import ACCOUNT, CREDENTIALS, XApi

OWN = int(ACCOUNT["id"])
_OWN_LINK = re.compile(r"#join=[A-Za-z0-9_-]{43}")
"""What an author's own link has behind the address. By itself it opens nothing (docs/decisions/0023)."""
NEWS = 55
"""Another account of ours."""
MINUTE = 59.9
"""Seconds; a request may reach the server a little later than the one before it."""
LISTENED = ("mentions", "search")
REFUSALS = {
    "429 without reset": Fault(code=429),
    "429 with a past reset": Fault(code=429, reset_in=-60),
    "429 with a far reset": Fault(code=429, reset_in=86_400),
    "503": Fault(code=503),
}
CONFIDING = [
    ("en", "@DemoExchange write to anna.k@mail.example or call +1 202 555 0143"),
    ("en", "@DemoExchange my TXID 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b is not credited"),
    ("en", "@DemoExchange my seed: legal winner thank year wave sausage worth useful legal winner thank yellow"),
    ("zh", "@DemoExchange 我的邮箱 li.na@mail.example，电话 13800138000，订单 HX88124031 的提现没有到账"),
    ("zh", "@DemoExchange 我的助记词 legal winner thank year wave sausage worth useful legal winner thank yellow 被盗"),
]
CANARIES = ("anna.k@", "555 0143", "4a5e1e4baab89f3a", "legal winner", "li.na@", "13800138000", "HX88124031")


def _template(reply: Mapping[str, str]) -> str:
    return _OWN_LINK.sub("", reply["text"], count=1)


@dataclass(frozen=True, kw_only=True)
class Plan:
    mentions: int = 10_000
    authors: int = 300
    replies_per_hour: int = 200
    refusals: Sequence[str] = tuple(REFUSALS)
    watched_seconds: float = 300.0
    """How long the desks are watched that X refuses."""


class Trial:
    def __init__(self, bar: Bar, plan: Plan, api: XApi, store: Store, desk: DeskProcess) -> None:
        self.bar, self.plan, self.api, self.store, self.desk = bar, plan, api, store, desk
        self.wanted: set[str] = set()

    async def confide(self) -> None:
        """Posts that hold what belongs to nobody else; the desk finds them at its start."""
        language_of = {}
        for number, (language, words) in enumerate(CONFIDING):
            post_id = self.api.say(words, 2000 + number, ago=30, lang=language)
            language_of[post_id] = language
        self.wanted |= set(language_of)
        await self.desk.start()
        async with asyncio.timeout(60):
            while len(self.api.posted) < len(CONFIDING):
                await asyncio.sleep(0.1)
        right = [reply for reply in self.api.posted if _template(reply) == SENTENCES[language_of[reply["to"]]]]
        figure = f"{len(right)} of {len(CONFIDING)}"
        self.bar.require(len(right) == len(CONFIDING), "posts that confide: the template in their language", figure)

    async def door(self) -> None:
        """The webhook, before there is a crowd: authors of it are the first to come."""
        authors = [10_000 + number for number in range(min(10, self.plan.authors))]
        self.wanted |= await knock(self.bar, self.api, self.desk.url, self.store, authors)

    async def crowd(self) -> None:
        """Copies, reposts, our own posts; pages that are out of order, break off or are refused; and kill -9."""
        for endpoint in LISTENED:
            self.api.fail_next[endpoint] = [Fault(), Fault(untidy=True), Fault(truncated=True)]
        before = len(self.wanted)
        for number in range(self.plan.mentions):
            author = 10_000 + number % self.plan.authors
            post_id = self.api.say(f"@DemoExchange where is my withdrawal {number % 50}?", author)
            self.wanted.add(post_id)
            if number % 20 == 0:
                self._besides(post_id, author)
        await self._until_kept(before + self.plan.mentions // 2)
        await self.desk.kill()
        await self.desk.start()
        await self._until_kept(len(self.wanted))
        await self._at_rest()

    def _besides(self, post_id: str, author: int) -> None:
        copied = [{"type": "retweeted", "id": post_id}]
        self.api.say("RT @DemoExchange where is my withdrawal?", author, referenced_tweets=copied)
        self.api.say("@DemoExchange answers its own post", OWN)
        self.api.say("@DemoExchange has news", NEWS)

    async def _until_kept(self, count: int) -> None:
        query = select(func.count()).select_from(Inbox)
        async with asyncio.timeout(600):
            while await self.store.read(lambda connection: connection.execute(query).scalar_one()) < count:
                await asyncio.sleep(0.2)

    async def _at_rest(self) -> None:
        """Nothing is left to be done within ten minutes: what is beyond this hour's replies waits for the next."""
        async with asyncio.timeout(900):
            while await self.store.read(_due):
                await asyncio.sleep(0.5)

    async def judge(self) -> None:
        query = select(Inbox.external_id)
        kept = Counter(await self.store.read(lambda connection: list(connection.execute(query).scalars())))
        figure = f"{sum(kept.values())} for {len(self.wanted)}"
        self.bar.require(
            set(kept) == self.wanted and max(kept.values()) == 1, "one item per post, none of ours", figure
        )
        talks = await self.store.read(lambda c: c.execute(select(func.count()).select_from(Conversation)).scalar_one())
        authors = self.plan.authors + len(CONFIDING)
        self.bar.require(talks == authors, "one conversation per author", f"{talks} for {authors}")
        unknown = select(func.count()).select_from(Outbox).where(Outbox.state == "unknown")
        self._judge_replies(await self.store.read(lambda connection: int(connection.execute(unknown).scalar_one())))
        over = self.api.over_quota
        self.bar.require(over == 0, "requests beyond the quota", over)
        book = await self.store.read(draw_up)
        self.bar.require(book.balanced and not book.outcomes.get("in_progress"), "the ledger balances", book.outcomes)

    def _judge_replies(self, interrupted: int) -> None:
        """`interrupted`: deliveries that the kill cut off. Nobody risks them twice, and each may have been a reply."""
        posted, most = self.api.posted, self.plan.replies_per_hour
        answered = Counter(self.api.posts[int(reply["to"])]["author_id"] for reply in posted)
        self.bar.require(max(answered.values()) == 1, "replies to one author, at most", max(answered.values()))
        figure = f"{len(posted)} of {most}, {interrupted} deliveries interrupted"
        self.bar.require(most - interrupted <= len(posted) <= most, "replies in an hour", figure)
        ours = answered[str(OWN)] + answered[str(NEWS)]
        self.bar.require(ours == 0, "replies to ourselves", ours)
        others = [reply for reply in posted if _template(reply) not in SENTENCES.values()]
        self.bar.require(not others, "replies that are not the template", f"{len(others)} of {len(posted)}")
        tokens = {token for reply in posted for token in _OWN_LINK.findall(reply["text"])}
        self.bar.require(len(tokens) == len(posted), "replies with a link of their author's own", len(tokens))
        logged = self.desk.log.read_text(encoding="utf-8")
        told = [canary for canary in CANARIES if canary in logged or any(canary in reply["text"] for reply in posted)]
        self.bar.require(not told, "canaries in public or in the log", f"{len(told)} of {len(CANARIES)}")


def _due(connection: Any) -> bool:
    """Whether anything received is unfinished, or the first unsent word of a conversation may leave soon."""
    if connection.execute(select(Inbox.id).where(Inbox.state == "new").limit(1)).first():
        return True
    columns = select(Outbox.conversation_id, Outbox.not_before).order_by(Outbox.seq.desc())
    unsent = connection.execute(columns.where(Outbox.state.in_(("new", "sending"))))
    first = {row.conversation_id: row.not_before for row in unsent}
    soon = datetime.now(UTC) + timedelta(minutes=10)
    return any(moment is None or moment < soon for moment in first.values())


async def refused(bar: Bar, plan: Plan, name: str, folder: Path, rasa_url: str) -> None:
    """A desk that is told who it is, and to which X refuses everything else."""
    folder.mkdir()
    database_url = f"sqlite:///{folder}/redress.db"
    migrate(database_url)
    async with XApi().running() as api:
        for endpoint in LISTENED:
            api.fail_next[endpoint] = [REFUSALS[name]] * 10_000
        desk = _desk(folder, database_url, rasa_url, api.url, plan)
        await desk.start()
        await asyncio.sleep(plan.watched_seconds)
        await desk.stop()
    _judge_pace(bar, name, [call for call in api.calls if call.endpoint in LISTENED])


def _judge_pace(bar: Bar, name: str, calls: Sequence[Call]) -> None:
    """From the third failure on: of each feed, and of both together when both have failed so often."""
    asked = {endpoint: [call.at for call in calls if call.endpoint == endpoint] for endpoint in LISTENED}
    bar.require(all(map(bool, asked.values())), f"{name}: asked", {each: len(at) for each, at in asked.items()})
    if all(len(moments) > 2 for moments in asked.values()):
        began = max(moments[2] for moments in asked.values())
        gaps = _gaps([call.at for call in calls if call.at >= began])
        gaps += [gap for moments in asked.values() for gap in _gaps(moments[2:])]
        bar.require(*_at_most_once_a_minute(f"{name}: calls after three failures", gaps))
    else:
        bar.require(REFUSALS[name].code == 429, f"{name}: fewer than three failures, since it waits")
    if REFUSALS[name].code == 429:
        gaps = [gap for moments in asked.values() for gap in _gaps(moments)]
        bar.require(*_at_most_once_a_minute(f"{name}: before a feed is asked again", gaps))


def _at_most_once_a_minute(what: str, gaps: Sequence[float]) -> tuple[bool, str, str]:
    figure = f"{min(gaps):.1f} s apart at least" if gaps else "none came"
    return all(gap >= MINUTE for gap in gaps), what, figure


def _gaps(moments: Sequence[datetime]) -> list[float]:
    return [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]


async def run(plan: Plan, bar: Bar, folder: Path, database_url: str) -> None:
    async with serving(FakeRasa().app) as rasa_url, asyncio.TaskGroup() as tasks:
        # Refusals never come to the database: they are watched once.
        for name in plan.refusals if database_url.startswith("sqlite") else ():
            tasks.create_task(refused(bar, plan, name, folder / name.replace(" ", "-"), rasa_url))
        await watched(bar, plan, folder, database_url, rasa_url)


async def watched(bar: Bar, plan: Plan, folder: Path, database_url: str, rasa_url: str) -> None:
    api, store = XApi(sloppy=True), Store(database_url)
    api.users[str(NEWS)] = {"id": str(NEWS), "name": "News", "username": "DemoNews"}
    # The crowd writes within seconds, so that a desk that is started again looks at all of its pages once more.
    api.quotas |= {"post": 10_000, "search": 400}
    async with api.running():
        desk = _desk(folder, database_url, rasa_url, api.url, plan)
        trial = Trial(bar, plan, api, store, desk)
        try:
            await trial.confide()
            await trial.door()
            await trial.crowd()
            await trial.judge()
        finally:
            await desk.kill()
            store.close()


def _desk(folder: Path, database_url: str, rasa_url: str, api_url: str, plan: Plan) -> DeskProcess:
    section = {
        **CREDENTIALS,
        "api_url": api_url,
        "poll_seconds": 5,
        "backfill_seconds": 5,
        "webhook": True,
        "own_usernames": ["DemoNews"],
        "replies_per_hour": plan.replies_per_hour,
    }
    channel = json.dumps({"twitter": section})
    return DeskProcess(folder, database_url, rasa_url, PUBLIC_URL=PUBLIC_URL, WORK__LEASE_SECONDS="3", CHANNEL=channel)


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--mentions", type=int, default=10_000)
    given = parser.parse_args()
    main("A22", partial(run, Plan(mentions=given.mentions)), given.database)
