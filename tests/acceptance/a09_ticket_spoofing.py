"""A9: nobody gets into somebody else's case by mail, and nobody hears anything of it.

python -m tests.acceptance.a09_ticket_spoofing --database both

A desk that verifies senders itself, with name servers and DKIM keys of this test. Its mails come from 127.0.0.1, of
which SPF says nothing, so that DKIM decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from actions.commands import HandToPerson, OpenCase
from bot.store.store import Store
from bot.store.tables import Case, CaseEvent, Conversation, Inbox, Note
from channels.mail.addresses import AddressBook
from tests.acceptance.a07_no_loops import Handed, Postbox, at_rest, desk_with_relay
from tests.acceptance.bar import Bar, main
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.letters import html_text, plain_text
from tests.mail.zone import Zone, domain, served, signed
from tests.process.desk import DeskProcess
from tests.process.wire import INBOX, offer

LI, BOB, EVE, DORA = "li@user.example", "bob@other.example", "eve@evil.example", "dora@dark.example"
AGENT, LEFT = "ann@exchange.example", "zoe@left.example"
DOMAINS = (
    "user.example",
    "other.example",
    "evil.example",
    "exchange.example",
    "left.example",
    "user.example-evil.test",
)
LIKE = "li@user.example-evil.test"
NO_POLICY = "nopolicy.example"
DARK = {f"{name}dark.example" for name in ("", "_dmarc.", "k1._domainkey.")}
"""What Dora's name servers are asked for; they do not answer at first."""
SECRET = "Quetzalcoatl"
"""A word of Li's complaint."""
FIRST_ID = "<first@user.example>"


@dataclass(frozen=True)
class Forgery:
    what: str
    mail: bytes
    sender: str
    recipient: str


def mail(author: str, subject: str = "Re: Help", *extra: str, words: str = "Pay it out to me.", id_: str = "") -> bytes:
    head = [f"From: {author}", f"To: <{INBOX}>", f"Subject: {subject}", f"Message-ID: {id_ or new_id()}"]
    return "\r\n".join([*head, *extra, "", words, ""]).encode()


def new_id() -> str:
    return f"<{uuid4().hex}@user.example>"


@dataclass(frozen=True)
class Target:
    """Li's case, and everything of it that a stranger may have seen."""

    answer: EmailMessage
    conversation_id: int
    key: str
    case: Any
    bob: str
    """Bob's own reply address."""
    dora: str
    """Dora's."""

    @property
    def address(self) -> str:
        return str(self.answer["Reply-To"])

    @property
    def message_id(self) -> str:
        return str(self.answer["Message-ID"])

    @property
    def number(self) -> str:
        return str(self.case.number)


def by_name(of: Target) -> list[Forgery]:
    """Whoever knows the number, or the address, and says that he is Li, or is proven to be somebody else."""
    at, number = of.address, f"Re: {of.number}"
    long_signed = signed(mail(LI), length=True)
    return [
        Forgery("number in the subject, from a stranger", signed(mail(EVE, number), "evil.example"), EVE, INBOX),
        Forgery("number in the subject, under Li's name", mail(LI, number), LI, INBOX),
        Forgery("number in the text, from a stranger", signed(mail(EVE, words=of.number), "evil.example"), EVE, INBOX),
        Forgery("Li's From and envelope, no signature", mail(LI), LI, at),
        Forgery("Li's From, signed by somebody else", signed(mail(LI), "evil.example"), LI, at),
        Forgery("Li's mail, changed after it was signed", signed(mail(LI)).replace(b"to me", b"to us"), LI, at),
        Forgery("Li's mail, longer than what was signed", long_signed + b"More.\r\n", LI, at),
        Forgery("Li's From, a key that does not exist", signed(mail(LI)).replace(b"s=k1", b"s=k2"), LI, at),
        Forgery("two From fields, Li's first", signed(mail(f"{LI}\r\nFrom: {EVE}"), "evil.example"), EVE, at),
        Forgery("two From fields, Li's last", signed(mail(f"{EVE}\r\nFrom: {LI}"), "evil.example"), EVE, at),
        Forgery("Li's address as a name", signed(mail(f'"{LI}" <{EVE}>'), "evil.example"), EVE, at),
        Forgery("Li's address before the real one", signed(mail(f"{LI} <{EVE}>"), "evil.example"), EVE, at),
        Forgery("two authors in one From", signed(mail(f"{LI}, {EVE}"), "evil.example"), EVE, at),
        Forgery("Li's envelope, Eve's From", signed(mail(EVE), "evil.example"), LI, at),
        Forgery("Li's From, null envelope sender", mail(LI), "", at),
        Forgery("Li's From, Reply-To and Sender of Eve", mail(LI, "Re", f"Reply-To: {EVE}", f"Sender: {EVE}"), EVE, at),
        Forgery("a domain that looks like Li's", signed(mail(LIKE), "user.example-evil.test"), LIKE, at),
    ]


def by_token(of: Target) -> list[Forgery]:
    """Tokens, ids and results that are altered, foreign or in the wrong hands."""
    at, own = of.address, of.message_id
    local, _, host = at.partition("@")
    key, _, tag = local.partition("+")[2].partition(".")
    altered = at.replace(f".{tag}", f".{tag[:-1]}{'a' if tag[-1] != 'a' else 'b'}")
    altered_id = own.replace(f"{tag}@", f"{tag[:-1]}{'a' if tag[-1] != 'a' else 'b'}@")
    results = f"{host}; dmarc=pass header.from=user.example; spf=pass; dkim=pass header.d=user.example"
    refers = f"In-Reply-To: {own}\r\nReferences: {own}"
    foreign = AddressBook(INBOX, b"the secret of another desk, 32 b").reply_address(key, LI)
    spliced = f"complaints+{key}.{of.bob.partition('.')[2]}"
    return [
        Forgery("forged Authentication-Results", f"Authentication-Results: {results}\r\n".encode() + mail(LI), LI, at),
        Forgery("References of ours, altered", signed(mail(LI, "Re", f"References: {altered_id}")), LI, INBOX),
        Forgery("References of ours, from a stranger", signed(mail(EVE, "Re", refers), "evil.example"), EVE, INBOX),
        Forgery("References of ours, under Li's name", mail(LI, "Re", refers), LI, INBOX),
        Forgery("Li's token, from a stranger", signed(mail(EVE), "evil.example"), EVE, at),
        Forgery("Li's token, from who was in copy", signed(mail(BOB, "Re", f"Cc: {LI}"), "other.example"), BOB, at),
        Forgery("Li's token, under an agent's name", mail(AGENT), AGENT, at),
        Forgery("Li's token, from an agent", signed(mail(AGENT), "exchange.example"), AGENT, at),
        Forgery("Li's token, from an agent who left", signed(mail(LEFT), "left.example"), LEFT, at),
        Forgery("Li's token, domain without a policy", mail(f"li@{NO_POLICY}"), f"li@{NO_POLICY}", at),
        Forgery("Li's key with Bob's signature", signed(mail(BOB), "other.example"), BOB, spliced),
        Forgery("Bob's token, from a stranger", signed(mail(EVE), "evil.example"), EVE, of.bob),
        Forgery("Bob's token, under Bob's name", mail(BOB), BOB, of.bob),
        Forgery("a token without a version, from Li", signed(mail(LI)), LI, f"complaints+{key}@{host}"),
        Forgery("a token of version 0, from Li", signed(mail(LI)), LI, at.replace(f".{tag}", f".0{tag[1:]}")),
        Forgery("a token of version 2, from Li", signed(mail(LI)), LI, at.replace(f".{tag}", f".2{tag[1:]}")),
        Forgery("a token with another letter, from Li", signed(mail(LI)), LI, altered),
        Forgery("a token of another desk, from Li", signed(mail(LI)), LI, foreign),
        Forgery("Li's Message-ID, other words", mail(LI, id_=FIRST_ID), LI, at),
        Forgery("Dora's own answer while DNS is down", signed(mail(DORA), "dark.example"), DORA, of.dora),
    ]


class Scene:
    """A desk, the people who write to it, and what it has stored."""

    def __init__(self, desk: DeskProcess, box: Postbox, store: Store) -> None:
        self.desk, self.box, self.store = desk, box, store

    async def post(self, content: bytes, sender: str, recipient: str = INBOX) -> str:
        said = await offer(self.desk.smtp_port, content, sender, recipient)
        await at_rest(self.store)
        return said

    async def complain(self, author: str, words: str, id_: str = "") -> EmailMessage:
        """A first mail; the answer to it."""
        host = author.partition("@")[2]
        await self.post(signed(mail(author, "Help", words=words, id_=id_), host), author)
        return self.box.to(author)[-1].mail

    async def newest(self) -> Any:
        columns = Inbox.conversation_id, Inbox.note, Conversation.account, Conversation.person_id, Conversation.case_id
        query = select(*columns).join(Conversation, Conversation.id == Inbox.conversation_id)
        return await self.store.read(lambda c: c.execute(query.order_by(Inbox.id.desc()).limit(1)).one())

    async def related(self, conversation_id: int) -> list[dict[str, Any]]:
        query = select(Note.data).where(Note.conversation_id == conversation_id, Note.kind == "related")
        return await self.store.read(lambda c: list(c.execute(query).scalars()))

    async def count(self, column: Any, *where: Any) -> int:
        query = select(func.count()).select_from(column.class_).where(*where)
        return await self.store.read(lambda c: int(c.execute(query).scalar_one()))


async def target(scene: Scene) -> Target:
    answer = await scene.complain(LI, f"My withdrawal to {SECRET} is missing.", FIRST_ID)
    conversation_id, *_, case_id = await scene.newest()
    find = select(Conversation.key, Case.id, Case.number).join(Case).where(Conversation.id == conversation_id)
    found = await scene.store.read(lambda c: c.execute(find).one())
    assert case_id == found.id
    assert found.number in plain_text(answer)
    bob = await scene.complain(BOB, "My deposit is missing.")
    dora = await scene.complain(DORA, "My deposit is missing.")
    return Target(
        answer=answer,
        conversation_id=conversation_id,
        key=found.key,
        case=found,
        bob=str(bob["Reply-To"]),
        dora=str(dora["Reply-To"]),
    )


async def run(bar: Bar, folder: Path, database_url: str) -> None:
    records = {name: value for host in DOMAINS for name, value in domain(host).items()} | domain("dark.example")
    zone = Zone(records, set(DARK))
    complaint = (OpenCase(label="withdrawal_issue"), HandToPerson(reasons=("money_missing",)))
    caps = {"AUTOMATIC_PER_ADDRESS": "0", "AUTOMATIC_PER_HOUR": "0", "MAILS_PER_SENDER": "0"}
    box = Postbox()
    async with (
        served(zone) as port,
        serving(FakeRasa(lambda _body: complaint).app) as rasa_url,
        desk_with_relay(
            folder, database_url, rasa_url, box, AUTHENTICATION="verify", RESOLVER=f"127.0.0.1:{port}", **caps
        ) as desk,
    ):
        store = Store(database_url)
        try:
            scene = Scene(desk, box, store)
            of = await target(scene)
            await _forge(bar, scene, of, [*by_name(of), *by_token(of)])
            await _genuine(bar, scene, of, zone)
        finally:
            store.close()


async def _forge(bar: Bar, scene: Scene, of: Target, forgeries: Sequence[Forgery]) -> None:
    events = await scene.count(CaseEvent.id, CaseEvent.case_id == of.case.id)
    conversations = await scene.count(Conversation.id)
    joined, silent, proven, told, answers = [], [], [], [], 0
    for one in forgeries:
        before = len(scene.box.handed)
        said = await scene.post(one.mail, one.sender, one.recipient)
        found = await scene.newest()
        if not said.startswith("250") or found.case_id == of.case.id:
            joined.append(one.what)
        silent += [] if found.note or await scene.related(found.conversation_id) else [one.what]
        proven += [one.what] if found.account or found.person_id else []
        answers += len(scene.box.handed) - before
        told += [one.what] if any(_tells(of, one, answer) for answer in scene.box.handed[before:]) else []
    made = await scene.count(Conversation.id) - conversations
    bar.require(made == len(forgeries) >= 20, "forgeries, each a new conversation", f"{made} of {len(forgeries)}")
    bar.require(not joined, "joined", joined or 0)
    grown = await scene.count(CaseEvent.id, CaseEvent.case_id == of.case.id) - events
    bar.require(grown == 0, "events added to the case", grown)
    bar.require(not silent, "without a reason that agents see", silent or 0)
    bar.require(not proven, "taken for proven", proven or 0)
    bar.require(not told, f"of {answers} answers, with anything of the case", told or 0)


def _tells(of: Target, forgery: Forgery, answer: Handed) -> bool:
    """Whether an answer holds anything of Li's conversation that the forger did not write himself."""
    words = f"{answer.mail.items()} {plain_text(answer.mail)} {html_text(answer.mail)}"
    history = (SECRET, "withdrawal to", of.number, of.key, of.message_id.strip("<>"), FIRST_ID)
    return any(word in words and word.encode() not in forgery.mail for word in history)


async def _genuine(bar: Bar, scene: Scene, of: Target, zone: Zone) -> None:
    conversations = await scene.count(Conversation.id)
    bounces = "bounce-77@mailer.example"
    replies = {
        "DKIM pass and token": (signed(mail(LI)), LI, of.address),
        "the same from another envelope sender": (signed(mail(LI)), bounces, of.address),
        "to the inbox, answering our Message-ID": (signed(mail(LI, "Re", f"In-Reply-To: {of.message_id}")), LI, INBOX),
    }
    for what, (content, sender, recipient) in replies.items():
        said = await scene.post(content, sender, recipient)
        found = await scene.newest()
        there = said.startswith("250") and found.conversation_id == of.conversation_id
        bar.require(there and not found.note, f"joins: {what}", found.note or said)
    zone.broken.clear()
    await scene.post(signed(mail(DORA), "dark.example"), DORA, of.dora)
    found = await scene.newest()
    bar.require(not found.note, "joins: Dora's answer, since DNS answers again", found.note or "")
    made = await scene.count(Conversation.id) - conversations
    bar.require(made == 0, "conversations begun by genuine replies", made)


if __name__ == "__main__":
    main("A9", run)
