"""A10: whatever stands in a mail, its answer is one clean mail to its sender alone, and there is an answer.

python -m tests.acceptance.a10_outgoing_injection --database both

The mails come as from a mail server of the operator's own that proved their senders, for only then are they quoted.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import select

from actions.commands import HandToPerson, OpenCase
from bot.demo.colleague import at_work
from bot.store.store import Store
from bot.store.tables import Conversation, Outbox
from tests.acceptance.a07_no_loops import Handed, Postbox, at_rest, desk_with_relay
from tests.acceptance.bar import Bar, main
from tests.acceptance.kept import damaged
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.letters import plain_text
from tests.process.desk import ADMIN_PASSWORD, DeskProcess
from tests.process.wire import INBOX, Wire, offer

BORDER = "mx.exchange.example"
VICTIM = "victim@x.example"
BCC = f"Bcc: {VICTIM}"
FIELDS = {
    *("Message-ID", "Reply-To", "In-Reply-To", "References", "Auto-Submitted", "From", "To", "Subject", "Date"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version", "Content-Language"),
}
"""All that an answer may have, each once."""
LONGEST_LINE = 998
SUBJECT = 210
PLACES = ("Subject", "name", "filename", "address", "Message-ID", "References")
RAW = {
    "CR LF": f"Help\r\n{BCC}",
    "CR LF CR LF": f"Help\r\n\r\n{BCC}",
    "CR LF and a blank": f"Help\r\n {BCC}",
    "CR": f"Help\r{BCC}",
    "LF": f"Help\n{BCC}",
    "NUL": f"Help\0{BCC}",
    "U+2028": f"Help\u2028{BCC}",
    "U+0085 and others": f"Help\u0085{BCC}\v{BCC}\f{BCC}\x1c{BCC}",
    "10,000 characters": "Help" + "x" * 9_996,
    "10,000 Chinese characters": "投诉" * 5_000,
}


def attacks() -> Iterator[tuple[str, str]]:
    """Each as it is; as an encoded word (RFC 2047), in both forms; and as one that holds another."""
    for name, text in RAW.items():
        yield name, text
        raw = text.encode()
        b, q = base64.b64encode(raw).decode(), "".join(f"={octet:02X}" for octet in raw)
        yield f"{name}, encoded b", f"=?utf-8?B?{b}?="
        yield f"{name}, encoded q", f"=?utf-8?q?{q}?="
        yield f"{name}, encoded twice", f"=?utf-8?B?{base64.b64encode(f'=?utf-8?q?{q}?='.encode()).decode()}?="


BODIES = {
    "dots": "one\n.\n..\n.two\n...",
    "From": "From here on\nFrom: somebody else\n>From there",
    "header": f"{BCC}\nSubject: other\n\nwords",
    "bare CR": "one\rtwo\r.\rthree",
    "the end of a mail": f"one\n.\nMAIL FROM:<{INBOX}>\nRCPT TO:<{VICTIM}>\nDATA\nSubject: x\n\nmore\n.\nQUIT",
    "long and Chinese": "From 一\n.\n" + "长" * 2_000 + "\n.",
    "long": "From a\n.\n" + "y" * 5_000 + "\n.",
}
ENVELOPES = [
    f"a>\rRCPT TO:<{VICTIM}",
    f"a@mail.example\rRCPT TO:<{VICTIM}",
    "a\0b@mail.example",
    "a\u2028b@mail.example",
    "=?utf-8?q?a=0D=0AB?=@mail.example",
    f'"a\\\rRCPT TO:<{VICTIM}>"@mail.example',
    f'"a, {VICTIM}"@mail.example',
    f"{VICTIM},a@mail.example",
    f"{VICTIM}%mail.example@mail.example",
    "@x.example:routed@mail.example",
    "x" * 10_000 + "@mail.example",
]
"""Between < and > of MAIL FROM."""
ROUTE = re.compile(r"^@[^:]+:")
"""Of a source route only the address counts (RFC 5321 section 4.1.1.3)."""


@dataclass(frozen=True)
class Attack:
    what: str
    sender: str
    mail: bytes


def written(number: int, place: str, what: str, text: str, body: str = "My withdrawal is missing.") -> Attack:
    sender = f"writer{number}@mail.example"
    proof = f"{BORDER}; spf=pass smtp.mailfrom={sender}; dmarc=pass header.from=mail.example"
    id_ = f"<{number}@mail.example>"
    head = {
        "Subject": "Help",
        "name": "Li",
        "filename": "a.txt",
        "address": sender,
        "Message-ID": id_,
        "References": id_,
    }
    head[place] = f"<{text}@mail.example>" if place in ("Message-ID", "References") else text
    lines = [
        f"Authentication-Results: {proof}",
        f"Message-ID: {head['Message-ID']}",
        f"References: {head['References']}",
        f"From: {head['name']} <{head['address']}>",
        f"Reply-To: {head['name']} <{head['address'] if place == 'address' else VICTIM}>",
        f"Subject: {head['Subject']}",
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"',
        f"\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}",
        f'--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="{head["filename"]}"',
        "\r\nfile\r\n--b--\r\n",
    ]
    return Attack(f"{place}: {what}", sender, "\r\n".join(lines).encode())


def all_attacks(every: int) -> list[Attack]:
    """One of `every`; all of them with 1."""
    found = [(place, what, text) for place in PLACES for what, text in attacks()][::every]
    mails = [written(number, *one) for number, one in enumerate(found)]
    bodies = [("Subject", f"a body, {what}", "Help", text.replace("\n", "\r\n")) for what, text in BODIES.items()]
    return mails + [written(number, *one) for number, one in enumerate(bodies, len(mails))]


class Trial:
    def __init__(self, bar: Bar, desk: DeskProcess, box: Postbox, store: Store) -> None:
        self.bar, self.desk, self.box, self.store = bar, desk, box, store

    async def mails(self, sent: list[Attack]) -> None:
        said = {one.what: await offer(self.desk.smtp_port, one.mail, one.sender) for one in sent}
        refused = [what for what, reply in said.items() if not reply.startswith("250")]
        self.bar.require(not refused, "mails taken", refused or len(sent))
        await at_rest(self.store)
        unanswered = [one.what for one in sent if len(self.box.to(one.sender)) != 1]
        self.bar.require(not unanswered, "an answer to each", unanswered or f"{len(sent)} of {len(sent)}")
        wrong = await damaged(self.desk, self.store, [one.mail for one in sent])
        self.bar.require(not wrong, "what came is kept byte for byte", f"{len(sent) - len(wrong)} of {len(sent)}")

    async def envelopes(self) -> None:
        """What is taken under such a sender is answered to exactly this sender, or a person is told why not."""
        before, taken = len(self.box.handed), []
        for number, sender in enumerate(ENVELOPES):
            said = await self._raw(sender, written(1000 + number, "Subject", "", "Help").mail)
            taken += [ROUTE.sub("", sender)] if said.startswith("250 2.6.0") else []
        await at_rest(self.store)
        wrong = [one.recipients for one in self.box.handed[before:] if [*one.recipients] not in [[s] for s in taken]]
        answers = len(self.box.handed) - before
        figure = f"{len(ENVELOPES) - len(taken)} refused, {len(taken)} taken, {answers} answered"
        failed = select(Outbox.error).where(Outbox.state == "failed")
        told = await self.store.read(lambda c: list(c.execute(failed).scalars()))
        self.bar.require(not wrong, "senders in the envelope: recipients as intended", wrong or figure)
        figure = f"{len(told)}: {told[0] if told else ''}"
        self.bar.require(
            answers + len(told) == len(taken), "those that cannot be answered are shown to a person", figure
        )
        self.bar.note(f"senders taken: {taken}")

    async def _raw(self, sender: str, mail: bytes) -> str:
        """`sender` between < and >, as it is."""
        wire = await Wire.open(self.desk.smtp_port)
        try:
            said = await wire.until_data(sender)
            return await wire.message(mail) if said.startswith("354") else said
        except ConnectionError:
            return ""
        finally:
            await wire.close()

    async def agents(self, sent: list[Attack]) -> None:
        """A person answers the most wicked subjects with the most wicked texts."""
        query = select(Conversation.recipient, Conversation.id)
        ids = {row.recipient: row.id for row in await self.store.read(lambda c: c.execute(query).all())}
        chosen = [one for one in sent if one.what.startswith("Subject: ")][: len(BODIES)]
        async with at_work(self.desk.url, "admin", "Anna", ADMIN_PASSWORD, lambda *_said: None) as anna:
            for one, text in zip(chosen, BODIES.values(), strict=True):
                await anna.take_over(ids[one.sender])
                await anna.reply(ids[one.sender], text)
        await at_rest(self.store)
        answers = {
            one.sender: [a for a in self.box.to(one.sender) if a.sender == INBOX and "Auto-Submitted" not in a.mail]
            for one in chosen
        }
        wrong = [
            what
            for (what, text), one in zip(BODIES.items(), chosen, strict=True)
            if [_lines(plain_text(a.mail)) for a in answers[one.sender]] != [_lines(text)]
        ]
        self.bar.require(not wrong, "a person's answers arrive as they were written", wrong or f"{len(BODIES)}")

    async def judge(self) -> None:
        faults = [f"{one.recipients}: {fault}" for one in self.box.handed if (fault := faulty(one))]
        figure = faults or f"{len(self.box.handed)} of {len(self.box.handed)}"
        self.bar.require(not faults, "at the relay one clean header block and one recipient", figure)
        query = select(Outbox.text).where(Outbox.state == "sent")
        texts = set(map(_lines, await self.store.read(lambda c: list(c.execute(query).scalars()))))
        bodies = [_lines(plain_text(one.mail)) for one in self.box.handed]
        changed = sum(body not in texts for body in bodies)
        self.bar.require(not changed, "bodies as the desk has them", f"{len(bodies) - changed} of {len(bodies)}")
        quoted = sum(
            "Help" in str(one.mail["Subject"]) or "投诉" in str(one.mail["Subject"]) for one in self.box.handed
        )
        self.bar.note(f"{quoted} of {len(bodies)} answers quote the subject")


def _lines(text: str) -> str:
    return re.sub(r"\r\n?", "\n", text).strip("\n")


def faulty(one: Handed) -> str | None:
    """What is wrong with an answer, as bytes."""
    head, _, body = one.content.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    forms = [part.get_content_type() for part in one.mail.walk() if not part.is_multipart()]
    checks = {
        "several or other recipients": one.recipients == (str(one.mail["To"]),) and VICTIM not in one.recipients,
        "other fields": set(names) <= FIELDS,
        "a field twice": len(names) == len(set(names)),
        "a bare CR or LF": not re.search(rb"\r(?!\n)|(?<!\r)\n", one.content),
        "NUL": b"\0" not in one.content,
        "a long line": max(map(len, one.content.split(b"\r\n"))) <= LONGEST_LINE,
        "a long subject": len(str(one.mail["Subject"])) <= SUBJECT,
        "an encoded line end": not re.search(r"[\r\n\0\u2028\x85]", str(one.mail["Subject"]) + str(one.mail["To"])),
        "another body than plain text and HTML": bool(body) and forms == ["text/plain", "text/html"],
    }
    return next((what for what, well in checks.items() if not well), None)


async def run(every: int, bar: Bar, folder: Path, database_url: str) -> None:
    complaint = (OpenCase(label="withdrawal_issue"), HandToPerson(reasons=("money_missing",)))
    box, sent = Postbox(), all_attacks(every)
    settings = {"AUTHENTICATION": "trust", "TRUSTED_AUTHSERV_ID": BORDER, "AUTOMATIC_PER_HOUR": "0"}
    async with (
        serving(FakeRasa(lambda _body: complaint).app) as rasa_url,
        desk_with_relay(folder, database_url, rasa_url, box, **settings) as desk,
    ):
        store = Store(database_url)
        trial = Trial(bar, desk, box, store)
        try:
            await trial.mails(sent)
            await trial.envelopes()
            await trial.agents(sent)
            await trial.judge()
        finally:
            store.close()


if __name__ == "__main__":
    main("A10", partial(run, 1))
