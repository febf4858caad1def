"""A notice that comes back for good ends the subscription of its address; nothing less does."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, select, update

from bot.store.tables import Conversation, Inbox
from escalation.broadcast.repository import broadcasts, subscriptions
from tests.broadcast.conftest import ONE_DATABASE, Cast, link_in
from tests.mail.harness import deliver

pytestmark = pytest.mark.asyncio(loop_scope="module")
LI, ANN = "li@user.example", "ann@user.example"
FOR_GOOD, FOR_NOW = "Action: failed\r\nStatus: 5.1.1\r\n", "Action: delayed\r\nStatus: 4.2.2\r\n"


def bounce(message_id: str, says: str = FOR_GOOD, recipient: str = LI) -> bytes:
    """A delivery status notification (RFC 3464) that encloses the header of the mail it is about."""
    return (
        f"From: mailer-daemon@user.example\r\nTo: complaints@exchange.example\r\nSubject: Undeliverable\r\n"
        f"Message-ID: <bounce.{hash((message_id, says))}@user.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
        "--x\r\n\r\nIt did not arrive.\r\n"
        "--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.user.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\n{says}\r\n"
        f"--x\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\nTo: {recipient}\r\n"
        "--x--\r\n"
    ).encode()


async def come_back(cast: Cast, *reports: bytes) -> None:
    """The reports arrive by SMTP, and the desk has dealt with them."""
    channel: Any = cast.desk.channels["mail"]
    await channel.start()
    for report in reports:
        assert (await deliver(channel, report, sender="")).startswith("250")
    await channel.stop()
    await cast.desk.turns.drain(5)
    cast.desk.turns._stopping = False


async def told(cast: Cast, *addresses: str) -> tuple[int, dict[str, EmailMessage]]:
    """A broadcast that has gone to these, and its mails by address."""
    for address in addresses:
        await cast.subscribe(address)
    broadcast_id = await cast.begin()
    await cast.go()
    return broadcast_id, {str(mail["To"]): mail for mail in cast.mails()}


async def row_of(cast: Cast, address: str = LI) -> subscriptions.SubscriptionRow:
    row = await cast.read(lambda c: subscriptions.find(c, "mail", address))
    assert isinstance(row, subscriptions.SubscriptionRow)
    return row


async def test_a_hard_bounce_ends_the_subscription_with_reason_and_time(cast: Cast) -> None:
    broadcast_id, mails = await told(cast, LI, ANN)
    cast.clock.move(minutes=7)
    later = await cast.begin(starts_at=cast.clock())
    await cast.ring()  # queued, not sent
    await come_back(cast, bounce(mails[LI]["Message-ID"]))
    assert await cast.states(broadcast_id) == {LI: ("bounced", "bounced"), ANN: ("sent", None)}
    assert (await cast.states(later))[LI] == ("dropped", "bounced")
    row = await row_of(cast)
    assert (row.state, (await row_of(cast, ANN)).state) == ("ended", "active")
    [*_, deed] = await cast.read(lambda c: subscriptions.deeds(c, row.id))
    inbox_id = await cast.read(lambda c: c.execute(select(Inbox.id)).scalar_one())
    assert deed == ("unsubscribed", "bounce", f"inbox:{inbox_id}", cast.clock())
    assert await cast.read(lambda c: [tuple(r) for r in c.execute(select(Inbox.state, Inbox.outcome))]) == [
        ("done", "automatic")
    ]
    await cast.begin()
    await cast.go()
    assert cast.told() == [ANN, ANN, ANN, LI]


async def test_the_dry_run_and_the_page_say_why(cast: Cast) -> None:
    _, mails = await told(cast, LI, ANN)
    await come_back(cast, bounce(mails[LI]["Message-ID"]))
    await cast.leave(ANN)
    row = await cast.read(lambda c: broadcasts.newest(c)[0])
    plan = await cast.read(lambda c: cast.service.plan(c, row))
    assert (plan.get, plan.skipped) == ({}, {"bounced": 1, "unsubscribed": 1})
    for language, result, reason in (
        ("en", "came back", "the address does not take our mail"),
        ("zh", "被退回", "该地址无法收到我们的邮件"),
    ):
        said = cast.desk.console.words.say
        assert (said("broadcasts.result_bounced", language), said("broadcasts.reason_bounced", language)) == (
            result,
            reason,
        )


@ONE_DATABASE
async def test_a_soft_bounce_ends_nothing(cast: Cast) -> None:
    broadcast_id, mails = await told(cast, LI)
    await come_back(cast, bounce(mails[LI]["Message-ID"], FOR_NOW))
    assert ((await row_of(cast)).state, await cast.states(broadcast_id)) == ("active", {LI: ("sent", None)})


@ONE_DATABASE
@pytest.mark.parametrize("how", ["unsigned", "another signature", "our domain, no mail of ours"])
async def test_a_report_that_names_no_message_of_ours_ends_nothing(cast: Cast, how: str) -> None:
    broadcast_id, mails = await told(cast, LI)
    own = str(mails[LI]["Message-ID"])
    forged = {
        "unsigned": "<1@user.example>",
        "another signature": own.replace("<r.", "<r.0"),
        "our domain, no mail of ours": "<news.17@exchange.example>",
    }[how]
    await come_back(cast, bounce(forged))
    assert ((await row_of(cast)).state, await cast.states(broadcast_id)) == ("active", {LI: ("sent", None)})


@ONE_DATABASE
async def test_whom_a_report_names_does_not_matter(cast: Cast) -> None:
    """Somebody who gets our notices cannot end another's by what they write into a report."""
    _, mails = await told(cast, LI, ANN)
    await come_back(cast, bounce(mails[LI]["Message-ID"], recipient=ANN))
    assert ((await row_of(cast)).state, (await row_of(cast, ANN)).state) == ("ended", "active")


@ONE_DATABASE
async def test_any_other_mail_to_the_address_that_comes_back_ends_it_too(cast: Cast) -> None:
    async with cast.http() as http:
        await http.post("/subscribe?lang=en", data={"address": LI})
    await cast.deliver()
    [letter] = cast.mails()
    await cast.subscribe(LI)  # at the same moment: the letter is no older than the proof
    # As a conversation keeps it: in the letters that its user wrote.
    await cast.desk.store.write(lambda c: c.execute(update(Conversation).values(recipient="Li@User.example")))
    await come_back(cast, bounce(letter["Message-ID"]))
    assert (await row_of(cast)).state == "ended"


async def test_who_proves_again_that_mail_arrives_is_subscribed_again(cast: Cast) -> None:
    _, mails = await told(cast, LI)
    report, again = (
        bounce(mails[LI]["Message-ID"]),
        bounce(mails[LI]["Message-ID"], "Action: failed\r\nStatus: 5.2.1\r\n"),
    )
    await come_back(cast, report)
    cast.clock.move(days=2)
    async with cast.http() as http:
        await http.post("/subscribe?lang=en", data={"address": LI})
        await cast.deliver()
        link = link_in(cast.mails()[-1], "confirm")
        cast.clock.move(minutes=1)
        answer: httpx.Response = await http.post(link)
    assert (answer.status_code, (await row_of(cast)).state) == (200, "active")
    await come_back(cast, again)  # late, and about a notice from before the proof
    assert (await row_of(cast)).state == "active"
    await cast.begin(starts_at=cast.clock())
    await cast.go()
    assert cast.told().count(LI) == 3


@ONE_DATABASE
async def test_an_old_confirmation_link_does_not_bring_back_what_bounced(cast: Cast) -> None:
    async with cast.http() as http:
        await http.post("/subscribe?lang=en", data={"address": LI})
        await cast.deliver()
        link = link_in(cast.mails()[0], "confirm")
        await http.post(link)
        await cast.begin()
        await cast.go()
        await come_back(cast, bounce(cast.mails()[-1]["Message-ID"]))
        await http.post(link)
    assert (await row_of(cast)).state == "ended"


async def test_the_same_report_twice_is_one_step(cast: Cast) -> None:
    _, mails = await told(cast, LI)
    message_id = mails[LI]["Message-ID"]
    await come_back(
        cast, bounce(message_id), bounce(message_id), bounce(message_id, "Action: failed\r\nStatus: 5.0.0\r\n")
    )
    row = await row_of(cast)

    def steps(connection: Connection) -> list[str]:
        return [how for _, how, *_ in subscriptions.deeds(connection, row.id)]

    assert await cast.read(steps) == ["link", "bounce"]
