"""A8: nobody has the desk send advertisements: victims of forged mails get one mail in our words only, or none.

python -m tests.acceptance.a08_not_a_spam_relay --database both

A mail server of the operator's own, which found out who wrote, is played by the Authentication-Results of each mail.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from email.message import EmailMessage
from functools import partial
from pathlib import Path

from sqlalchemy import select

from actions.commands import HandToPerson, OpenCase
from bot.store.store import Store
from bot.store.tables import Outbox
from tests.acceptance.a07_no_loops import Postbox, at_rest, desk_with_relay
from tests.acceptance.bar import Bar, main
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.letters import html_text, plain_text
from tests.process.desk import DeskProcess
from tests.process.people import post

MAILS = 1000
AT_ONCE = 10
BORDER = "mx.exchange.example"
ADVERT = "Casino-Bonus"
RESULTS = [
    "dmarc=none header.from={domain}",
    "dmarc=fail header.from={domain}",
    "spf=softfail smtp.mailfrom={domain}; dmarc=temperror header.from={domain}",
    "dmarc=fail header.from={domain}",
]
"""Half are proven to be forged; of the other half nobody can tell."""


def forged(victim: str, found: str, number: int) -> bytes:
    """Every place that a stranger fills in says the advert. Some in Chinese, so that both languages answer."""
    results = f"Authentication-Results: {BORDER}; {found.format(domain=victim.partition('@')[2])}\r\n"
    head = f"From: {ADVERT} <{victim}>\r\nSubject: {ADVERT} https://x.test/{ADVERT}\r\n"
    ids = f"Message-ID: <{ADVERT}.{number}@x.test>\r\nReferences: <{ADVERT}.0@x.test>\r\nReply-To: {ADVERT}@x.test\r\n"
    kind = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    words = f"我的提现没有到账。{ADVERT} 加微信" if number % 3 == 0 else f"My withdrawal is missing. {ADVERT}"
    text = f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words} https://x.test/{ADVERT}\r\n"
    named = f'Content-Disposition: attachment; filename="{ADVERT}.txt"'
    return (
        results + head + ids + kind + text + f"--b\r\nContent-Type: text/plain\r\n{named}\r\n\r\nx\r\n--b--\r\n"
    ).encode()


async def run(mails: int, bar: Bar, folder: Path, database_url: str) -> None:
    complaint = (OpenCase(label="withdrawal_issue"), HandToPerson(reasons=("money_missing",)))
    box, cap = Postbox(), mails * 2 // 5
    caps = {"AUTOMATIC_PER_HOUR": str(cap), "AUTHENTICATION": "trust", "TRUSTED_AUTHSERV_ID": BORDER}
    async with (
        serving(FakeRasa(lambda _body: complaint).app) as rasa_url,
        desk_with_relay(folder, database_url, rasa_url, box, **caps) as desk,
    ):
        store = Store(database_url)
        try:
            bar.require("mail" not in (await desk.state())["degraded"], "no alarm before")
            await _flood(desk, mails)
            await at_rest(store)
            _judge(bar, box, mails, cap)
            await _alarm(bar, desk, store, mails // 2 - cap)
        finally:
            store.close()


async def _flood(desk: DeskProcess, mails: int) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        found = RESULTS[number % len(RESULTS)]
        victim = f"{'fail' if 'fail h' in found else 'victim'}{number}@x{number % 7}.example"
        async with slots:
            await post(desk, forged(victim, found, number), victim)

    await asyncio.gather(*(one(number) for number in range(mails)))


def _judge(bar: Bar, box: Postbox, mails: int, cap: int) -> None:
    recipients = Counter(address for one in box.handed for address in one.recipients)
    bar.require(len(box.handed) == cap, f"mails that left for {mails} forged ones, cap {cap}", len(box.handed))
    most = max(recipients.values())
    bar.require(most == 1 and len(recipients) == cap, "to each address at most one", most)
    failed = [address for address in recipients if address.startswith("fail")]
    bar.require(not failed, "to those whose domain says that it was not them", len(failed))
    advertising = [one.recipients for one in box.handed if ADVERT in _shown(one.mail)]
    bar.require(not advertising, "mails with a word of the advert", len(advertising))
    subjects = Counter(str(one.mail["Subject"]) for one in box.handed)
    bar.note(f"subjects: {dict(subjects)}")


def _shown(mail: EmailMessage) -> str:
    """All of it but the ids that thread an answer, which no mail program shows."""
    fields = {name: value for name, value in mail.items() if name not in ("In-Reply-To", "References")}
    return f"{fields} {plain_text(mail)} {html_text(mail)}"


async def _alarm(bar: Bar, desk: DeskProcess, store: Store, waiting: int) -> None:
    await asyncio.sleep(1.1)  # what /readyz says may be a second old
    state = await desk.state()
    said = state["degraded"].get("mail", "")
    bar.require("automatic mails within an hour" in said, "/readyz gives the alarm", said or "nothing")
    bar.require(state["ready"], "and mail is still taken")
    states = Counter(await store.read(lambda c: list(c.execute(select(Outbox.state)).scalars())))
    bar.require(states["new"] == waiting, "answers over the cap that wait", dict(states))


if __name__ == "__main__":
    main("A8", partial(run, MAILS))
