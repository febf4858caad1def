"""An address that was typed, over a real relay: only our own words before its owner has said yes, all of it after."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.store.tables import Outbox
from tests.form.desk import PATIENCE_SECONDS, FormDesk, form_desk
from tests.process.wire import offer

ADVERT = "Casino-Bonus"
ADDRESS = "li.mei@mail.example"
GIVEN = {
    "description": f"{ADVERT} https://x.test/{ADVERT} my withdrawal is missing",
    "name": ADVERT,
    "amount": f"3200 {ADVERT}",
    "email": ADDRESS,
}
FILES = [(f"{ADVERT}.txt", b"proof")]


async def unsent(place: FormDesk) -> int:
    query = select(func.count()).where(Outbox.state.in_(("new", "sending")))
    return await place.desk.store.read(lambda c: int(c.execute(query).scalar_one()))


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_owner_of_the_address_gets_a_copy_and_the_news(
    tmp_path: Path, database_url: str, language: str
) -> None:
    async with form_desk(tmp_path, database_url) as place, place.visitor() as visitor:
        page = await visitor.file(GIVEN, FILES, language=language)
        assert {"en": "confirmation mail", "zh": "确认邮件"}[language] in page
        await place.mails(1)
        assert ADVERT not in f"{place.relay.mails[0].items()} {place.relay.bodies[0]}"
        link = place.link()

        looked = await visitor.http.get(link)
        assert looked.status_code == 200
        assert [row.channel for row in await place.conversations()] == ["form", "mail"]  # looking does nothing
        said = await visitor.http.post(link)
        assert {"en": "Your address is confirmed", "zh": "邮箱地址已确认"}[language] in said.text
        await place.mails(2)
        [case] = await place.cases()
        copy = place.relay.bodies[1]
        for words in (
            *GIVEN.values(),
            FILES[0][0],
            case.number,
            f"/track/{case.number}/",
            "complaints@exchange.example",
        ):
            assert words in copy
        assert place.relay.recipients == [ADDRESS, ADDRESS]

        again = await visitor.http.post(link)
        assert again.status_code == 200
        await answered_by_mail(place)
        receipt = await visitor.http.get(visitor.receipt)
        assert {"en": "goes on by e-mail", "zh": "通过电子邮件进行"}[language] in receipt.text


async def answered_by_mail(place: FormDesk) -> None:
    """An agent's words in the same conversation, and what comes back to them."""
    agent = await place.agent()
    conversation = (await place.conversation_ids())[0]
    await place.desk.console.handling.take_over(agent, conversation)
    await place.desk.console.handling.reply(agent, conversation, "We found your money.", "n1")
    await place.mails(3)
    mail = place.relay.mails[2]
    assert "We found your money." in place.relay.bodies[2]
    content = f"From: {ADDRESS}\r\nSubject: Re\r\nMessage-ID: <1@mail.example>\r\n\r\nThank you.\r\n".encode()
    reply_to = str(mail["Reply-To"] or mail["From"]).rpartition("<")[2].strip(">")
    assert (await offer(place.smtp_port, content, ADDRESS, reply_to)).startswith("250")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(row.text == "Thank you." and row.outcome == "joined" for row in await place.received()):
            await asyncio.sleep(0.02)


async def test_a_mailbox_is_asked_once_a_day_whoever_types_it_how_often(tmp_path: Path, database_url: str) -> None:
    async with form_desk(tmp_path, database_url) as place, place.visitor() as visitor:
        for spelling in (ADDRESS, ADDRESS.upper(), "li.mei+shop@mail.example"):
            page = await visitor.file({**GIVEN, "email": spelling})
            assert "at most once in 24 hours" in page
        await place.mails(1)
        assert await unsent(place) == 0
        assert len(await place.cases()) == 3


async def test_the_mailbox_is_asked_again_the_next_day(tmp_path: Path) -> None:
    async with form_desk(tmp_path) as place, place.visitor() as visitor:
        await visitor.file(GIVEN)
        place.clock.move(hours=25)
        await visitor.file(GIVEN)
        await place.mails(2)
        assert len(await place.cases()) == 2
        assert not [body for body in place.relay.bodies if ADVERT in body]


async def test_a_link_that_ran_out_or_was_made_up_confirms_nothing(tmp_path: Path) -> None:
    async with form_desk(tmp_path) as place, place.visitor() as visitor:
        await visitor.file(GIVEN)
        await place.mails(1)
        link = place.link()
        assert (await visitor.http.post(f"{place.url}/confirm/{'x' * 43}")).status_code == 404
        place.clock.move(days=8)
        assert (await visitor.http.get(link)).status_code == 404
        assert (await visitor.http.post(link)).status_code == 404
        assert len(place.relay.mails) == 1


async def test_without_an_address_the_page_says_what_the_way_back_is(tmp_path: Path) -> None:
    async with form_desk(tmp_path) as place, place.visitor() as visitor:
        page = await visitor.file({"description": "x is missing"})
        assert "You gave no e-mail address" in page
        agent = await place.agent()
        [conversation] = await place.conversation_ids()
        await place.desk.console.handling.take_over(agent, conversation)
        await place.desk.console.handling.reply(agent, conversation, "We found your money.", "n1")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "We found your money." not in (await visitor.http.get(visitor.receipt)).text:
                await asyncio.sleep(0.02)
        assert place.relay.mails == []


async def test_a_form_sent_again_after_the_conversation_moved_stays_one_case(tmp_path: Path) -> None:
    async with form_desk(tmp_path) as place, place.visitor() as visitor:
        token = await visitor.token()
        await visitor.file(GIVEN, token=token)
        await place.mails(1)
        await visitor.http.post(place.link())
        await place.mails(2)
        page = await visitor.file({**GIVEN, "description": "It was 300."}, token=token)
        [case] = await place.cases()
        assert case.number in page
        assert len(await place.received()) == 2
