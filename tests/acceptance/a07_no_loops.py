"""A7: machines that answer by themselves do not talk to each other without end, and robots get no answer.

python -m tests.acceptance.a07_no_loops --database both
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import override
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import Connection, func, or_, select

from actions.commands import OpenCase
from bot.store.migrate import migrate
from bot.store.store import Store
from bot.store.tables import Case, Inbox, Outbox
from tests.acceptance.bar import Bar, main
from tests.acceptance.relay import FakeRelay
from tests.fakes.postgres import Postgres
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import DeskProcess
from tests.process.people import letter
from tests.process.wire import offer

CAP = 3
REST_SECONDS = 120.0
HERE, THERE = "complaints@here.example", "complaints@there.example"
ROBOT = "robot@else.example"
HELD = timedelta(hours=11)
"""What waits for its turn is looked at again after at most twelve hours."""
MARKS = re.compile(
    rb"^(auto-submitted|in-reply-to|references):[^\r]*\r\n([ \t][^\r]*\r\n)*", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True)
class Handed:
    """One mail as a relay got it."""

    sender: str
    recipients: Sequence[str]
    content: bytes

    @property
    def mail(self) -> EmailMessage:
        mail = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        return mail


type Carry = Callable[[Handed], Awaitable[None]]


class Postbox(FakeRelay):
    """A relay that also keeps envelopes and bytes, and may carry each mail on before it says that it has it."""

    def __init__(self, carry: Carry | None = None) -> None:
        super().__init__()
        self.carry = carry
        self.handed: list[Handed] = []

    @override
    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        said = await super().handle_DATA(_server, _session, envelope)
        assert isinstance(envelope.content, bytes)
        one = Handed((envelope.mail_from or "").strip("<>"), tuple(envelope.rcpt_tos), envelope.content)
        self.handed.append(one)
        if self.carry is not None:
            await self.carry(one)
        return said

    def to(self, address: str) -> list[Handed]:
        return [one for one in self.handed if address in one.recipients]


@asynccontextmanager
async def desk_with_relay(
    folder: Path, database_url: str, rasa_url: str, relay: FakeRelay, **settings: str
) -> AsyncIterator[DeskProcess]:
    """Settings of the mail channel come without their prefix, for example AUTOMATIC_PER_ADDRESS="3"."""
    async with relay.listening() as port:
        way_out = {"RELAY_HOST": "127.0.0.1", "RELAY_PORT": str(port), "RELAY_STARTTLS": "false", **settings}
        given = {f"CHANNEL__MAIL__{name}": value for name, value in way_out.items()}
        desk = DeskProcess(folder, database_url, rasa_url, **given)
        await desk.start()
        try:
            yield desk
        finally:
            await desk.stop()


def unfinished(connection: Connection) -> int:
    """Messages and answers that are in hand. An answer that was told when its turn comes is not."""
    unread = connection.execute(select(func.count()).where(Inbox.state == "new")).scalar_one()
    going = or_(Outbox.state == "sending", (Outbox.state == "new") & Outbox.not_before.is_(None))
    return int(unread + connection.execute(select(func.count()).where(going)).scalar_one())


async def at_rest(*stores: Store) -> None:
    """Nothing is in hand anywhere, nor was anything begun meanwhile. Raises TimeoutError."""
    async with asyncio.timeout(REST_SECONDS):
        before = None
        while True:
            busy = sum([await store.read(unfinished) for store in stores])
            received = [
                await store.read(lambda c: c.execute(select(func.count(Inbox.id))).scalar_one()) for store in stores
            ]
            if not busy and before == received:
                return
            before = None if busy else received
            await asyncio.sleep(0.1)


class Town:
    """Two desks that reach each other by the post, and a robot."""

    def __init__(self, desks: dict[str, DeskProcess], boxes: dict[str, Postbox], stores: dict[str, Store]) -> None:
        self.desks, self.boxes, self.stores = desks, boxes, stores
        self.marks_arrive = True
        self.robot_answers_to = "Reply-To"
        for box in boxes.values():
            box.carry = self._carry

    async def post(self, mail: bytes, sender: str, desk: str = HERE, recipient: str = "") -> str:
        return await offer(self.desks[desk].smtp_port, mail, sender, recipient or desk)

    async def rest(self) -> None:
        await at_rest(*self.stores.values())

    async def _carry(self, one: Handed) -> None:
        for address in one.recipients:
            if address in self.desks:
                content, sender = one.content, one.sender
                if not self.marks_arrive:  # some gateways write mails anew
                    content, sender = MARKS.sub(b"", content), one.mail["From"].addresses[0].addr_spec
                await self.post(content, sender, address)
            elif address.endswith(ROBOT.partition("@")[2]):
                await self._answer(address, one)

    async def _answer(self, robot: str, one: Handed) -> None:
        """As the worst of autoresponders: a new mail that says of itself nothing at all."""
        to = one.mail[self.robot_answers_to].addresses[0].addr_spec
        await self.post(letter(robot, "Ticket", f"Ticket {uuid4().hex} was made."), robot, THERE, to)


@asynccontextmanager
async def town(folder: Path, database_url: str) -> AsyncIterator[Town]:
    server = Postgres.running.get(database_url)
    other_url = server.make() if server else f"sqlite:///{folder}/there.db"
    if not server:
        migrate(other_url)
    desks, boxes, stores = {}, {}, {}
    async with AsyncExitStack() as stack:
        rasa_url = await stack.enter_async_context(serving(FakeRasa(lambda _b: (OpenCase(label="unclassified"),)).app))
        for address, url in ((HERE, database_url), (THERE, other_url)):
            boxes[address] = Postbox()
            made = desk_with_relay(
                folder / address, url, rasa_url, boxes[address], ADDRESS=address, AUTOMATIC_PER_ADDRESS=str(CAP)
            )
            desks[address] = await stack.enter_async_context(made)
            stores[address] = Store(url)
            stack.callback(stores[address].close)
        yield Town(desks, boxes, stores)


async def run(bar: Bar, folder: Path, database_url: str) -> None:
    async with town(folder, database_url) as place:
        await _robots_of_the_list(bar, place)
        await _two_desks(bar, place)
        await _autoresponders(bar, place)
        _marked(bar, place)


async def _two_desks(bar: Bar, place: Town) -> None:
    """Somebody writes to one desk under the other's address. Once with all marks, then without any."""
    for marks, what in ((True, "two desks"), (False, "two desks whose marks are lost on the way")):
        place.marks_arrive = marks
        before = [len(box.handed) for box in place.boxes.values()]
        await place.post(letter(THERE, "Help", "My withdrawal is missing."), THERE)
        await place.rest()
        sent = [len(box.handed) - count for box, count in zip(place.boxes.values(), before, strict=True)]
        bar.require(0 < max(sent) <= CAP, f"{what}: at most {CAP} mails each, then silence", sent)
    sent = [len(place.boxes[HERE].to(THERE)), len(place.boxes[THERE].to(HERE))]
    bar.require(max(sent) <= CAP, f"two desks: at most {CAP} to an address in all", sent)
    await _alarm(bar, place, "two desks", HERE)


async def _autoresponders(bar: Bar, place: Town) -> None:
    for field in ("Reply-To", "From"):
        place.robot_answers_to = field
        robot = f"{field.lower()}.{ROBOT}"
        await place.post(letter(robot, "Ticket", "Ticket 1 was made."), robot, THERE)
        await place.rest()
        sent = len(place.boxes[THERE].to(robot))
        bar.require(
            sent == CAP, f"an autoresponder without any header, to our {field}: {CAP} mails, then silence", sent
        )
    await _alarm(bar, place, "autoresponders", THERE)


async def _alarm(bar: Bar, place: Town, what: str, desk: str) -> None:
    await asyncio.sleep(1.1)  # what /readyz says may be a second old
    said = (await place.desks[desk].state())["degraded"].get("mail", "")
    bar.require("to one address" in said, f"{what}: /readyz gives the alarm", said or "nothing")
    late = select(Outbox.not_before).where(Outbox.state == "new")
    found = await place.stores[desk].read(lambda c: list(c.execute(late).scalars()))
    turns = [turn for turn in found if turn is not None]
    soonest = min(turns) - datetime.now(UTC)
    bar.require(soonest > HELD, f"{what}: what is over it waits", f"{len(turns)}, {soonest / timedelta(hours=1):.1f} h")


DSN = "Content-Type: multipart/report; report-type=delivery-status; boundary=b"
MDN = "Content-Type: multipart/report; report-type=disposition-notification; boundary=b"
FIELDS = [
    *(f"Auto-Submitted: {value}" for value in ("auto-replied", "auto-generated", "auto-notified")),
    *(f"Precedence: {value}" for value in ("bulk", "list", "junk", "auto_reply")),
    "List-Id: <x.list.example>",
    "X-Auto-Response-Suppress: All",
    "X-Loop: complaints@else.example",
]
SENDERS = ["", HERE, "mailer-daemon@else.example", "noreply@else.example"]


def _robot(sender: str, *fields: str, body: str = "My withdrawal is missing.", subject: str = "Help") -> bytes:
    head = [f"From: <{sender or 'postmaster@else.example'}>", f"To: <{HERE}>", f"Subject: {subject}"]
    head += [f"Message-ID: <{uuid4().hex}@else.example>", "MIME-Version: 1.0", *fields]
    return "\r\n".join([*head, "", body, ""]).encode()


def _report(kind: str, own: str) -> str:
    """A report on our own mail `own`, as RFC 3464 and RFC 8098 write it."""
    fields = f"Original-Message-ID: {own}\r\nFinal-Recipient: rfc822; li@else.example\r\n"
    if kind == "delivery-status":
        told = f"Reporting-MTA: dns; else.example\r\n\r\n{fields}Action: failed\r\nStatus: 5.1.1\r\n"
    else:
        told = f"{fields}Disposition: manual-action/MDN-sent-manually; displayed\r\n"
    parts = ["text/plain\r\n\r\nSee below.\r\n", f"message/{kind}\r\n\r\n{told}"]
    parts.append(f"text/rfc822-headers\r\n\r\nMessage-ID: {own}\r\n")
    return "".join(f"--b\r\nContent-Type: {part}\r\n" for part in parts) + "--b--"


async def _robots_of_the_list(bar: Bar, place: Town) -> None:
    """First a person, whose answer shows that the desk does answer, and is what the robots refer to."""
    await place.post(letter("li@else-where.example", "Help", "My withdrawal is missing."), "li@else-where.example")
    await place.rest()
    (ours,) = place.boxes[HERE].handed
    own = str(ours.mail["Message-ID"])
    reply = f"In-Reply-To: {own}\r\nReferences: {own}"
    robots = {field: (f"r{n}@quiet.example", _robot(f"r{n}@quiet.example", field)) for n, field in enumerate(FIELDS)}
    robots |= {f"from <{sender}>": (sender, _robot(sender)) for sender in SENDERS}
    for sender in ("", "dsn@quiet.example"):
        robots[f"DSN from <{sender}>"] = sender, _robot(sender, DSN, body=_report("delivery-status", own))
        robots[f"MDN from <{sender}>"] = sender, _robot(sender, MDN, body=_report("disposition-notification", own))
    away = _robot("a1@quiet.example", reply, subject=f"Automatic reply: {ours.mail['Subject']}", body="I am away.")
    robots["reply to a reply, by its subject"] = "a1@quiet.example", away
    away = _robot(
        "a2@quiet.example", reply, body="您好，我正在休假，12月1日回来。", subject=f"Re: {ours.mail['Subject']}"
    )
    robots["reply to a reply, by its words"] = "a2@quiet.example", away
    robots["our own mail come back"] = "a3@quiet.example", ours.content
    cases = await _count_cases(place)
    said = [await place.post(mail, sender) for sender, mail in robots.values()]
    bar.require(
        all(one.startswith("250") for one in said), "automatic mails of the list taken", Counter(s[:3] for s in said)
    )
    await place.rest()
    answered = [one.recipients for one in place.boxes[HERE].handed[1:]]
    bar.require(not answered, f"answers to {len(robots)} automatic mails", answered or 0)
    opened = await _count_cases(place) - cases
    bar.require(opened == 0, "cases that they opened, DSN and MDN among them", opened)
    kinds = await place.stores[HERE].read(lambda c: Counter(c.execute(select(Inbox.kind)).scalars()))
    bar.note(f"kept as {dict(kinds)}")


async def _count_cases(place: Town) -> int:
    return await place.stores[HERE].read(lambda c: int(c.execute(select(func.count(Case.id))).scalar_one()))


def _marked(bar: Bar, place: Town) -> None:
    sent = [one for box in place.boxes.values() for one in box.handed]
    null = sum(one.sender == "" for one in sent)
    bar.require(null == len(sent), "MAIL FROM:<>", f"{null} of {len(sent)} automatic mails")
    marked = sum(one.mail["Auto-Submitted"] == "auto-replied" for one in sent)
    bar.require(marked == len(sent), "Auto-Submitted: auto-replied", f"{marked} of {len(sent)}")
    threaded = sum(bool(one.mail["In-Reply-To"]) for one in sent)
    bar.require(threaded == len(sent), "In-Reply-To", f"{threaded} of {len(sent)}")


if __name__ == "__main__":
    main("A7", run)
