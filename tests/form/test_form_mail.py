"""An address that was typed, over a real relay: only our own words before its owner has said yes, all of it after."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.script import script_of
from tests.form.desk import PATIENCE_SECONDS, FormDesk, form_desk, on_both
from tests.process.wire import offer

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVERT = "Casino-Bonus"
GIVEN = {
    "description": f"{ADVERT} https://x.test/{ADVERT} my withdrawal is missing",
    "name": ADVERT,
    "amount": f"3200 {ADVERT}",
}
FILES = [(f"{ADVERT}.txt", b"proof")]


SAID = {
    "en": ("confirmation mail", "Your address is confirmed", "goes on by e-mail"),
    "zh": ("确认邮件", "邮箱地址已确认", "通过电子邮件进行"),
    "zh-Hant": ("確認郵件", "電子信箱地址已確認", "通過電子郵件進行"),
}


def given(place: FormDesk) -> dict[str, str]:
    return {**GIVEN, "email": place.address}


@on_both
@pytest.mark.parametrize("language", SAID)
async def test_the_owner_of_the_address_gets_a_copy_and_the_news(place: FormDesk, language: str) -> None:
    async with place.visitor() as visitor:
        page = await visitor.file(given(place), FILES, language=language)
        assert SAID[language][0] in page
        [asking] = await place.mails(1)
        assert ADVERT not in f"{asking.mail.items()} {asking.body}"
        link = place.link()

        looked = await visitor.http.get(link)
        assert looked.status_code == 200
        assert [row.channel for row in await place.conversations()] == ["form", "mail"]  # looking does nothing
        said = await visitor.http.post(link)
        assert SAID[language][1] in said.text
        [_, copy] = await place.mails(2)
        [case] = await place.cases()
        for words in (
            *given(place).values(),
            FILES[0][0],
            case.number,
            f"/track/{case.number}/",
            "complaints@exchange.example",
        ):
            assert words in copy.body
        for letter in (asking, copy):
            script = script_of(letter.body)
            assert script == (None if language == "en" else language)
            assert letter.mail["content-language"] == {"zh": "zh-CN"}.get(language, language)
        assert [letter.recipient for letter in place.letters] == [place.address, place.address]

        again = await visitor.http.post(link)
        assert again.status_code == 200
        await answered_by_mail(place)
        receipt = await visitor.http.get(visitor.receipt)
        assert SAID[language][2] in receipt.text


async def answered_by_mail(place: FormDesk) -> None:
    """An agent's words in the same conversation, and what comes back to them."""
    agent = await place.agent()
    conversation = (await place.conversations())[0].id
    await place.desk.console.handling.take_over(agent, conversation)
    await place.desk.console.handling.reply(agent, conversation, "We found your money.", "n1")
    [*_, letter] = await place.mails(3)
    assert "We found your money." in letter.body
    content = f"From: {place.address}\r\nSubject: Re\r\nMessage-ID: <1.{place.address}>\r\n\r\nThank you.\r\n".encode()
    reply_to = str(letter.mail["Reply-To"] or letter.mail["From"]).rpartition("<")[2].strip(">")
    assert (await offer(place.smtp_port, content, place.address, reply_to)).startswith("250")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(row.text == "Thank you." and row.outcome == "joined" for row in await place.received()):
            await asyncio.sleep(0.02)


@on_both
async def test_a_mailbox_is_asked_once_a_day_whoever_types_it_how_often(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        for spelling in (place.address, place.address.upper(), place.address.replace("@", "+shop@")):
            page = await visitor.file({**GIVEN, "email": spelling})
            assert "at most once in 24 hours" in page
        await place.settled()
        assert len(place.letters) == 1
        assert len(await place.cases()) == 3


async def test_the_mailbox_is_asked_again_the_next_day(tmp_path: Path) -> None:
    async with form_desk(tmp_path) as place, place.visitor() as visitor:
        await visitor.file(given(place))
        place.clock.move(hours=25)
        await visitor.file(given(place))
        letters = await place.mails(2)
        assert len(await place.cases()) == 2
        assert not [letter for letter in letters if ADVERT in letter.body]


async def test_a_link_that_ran_out_or_was_made_up_confirms_nothing(tmp_path: Path) -> None:
    async with form_desk(tmp_path) as place, place.visitor() as visitor:
        await visitor.file(given(place))
        await place.mails(1)
        link = place.link()
        assert (await visitor.http.post(f"{place.url}/confirm/{'x' * 43}")).status_code == 404
        place.clock.move(days=8)
        assert (await visitor.http.get(link)).status_code == 404
        assert (await visitor.http.post(link)).status_code == 404
        assert len(place.letters) == 1


async def test_without_an_address_the_page_says_what_the_way_back_is(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        page = await visitor.file({"description": "x is missing"})
        assert "You gave no e-mail address" in page
        agent = await place.agent()
        [conversation] = await place.conversations()
        await place.desk.console.handling.take_over(agent, conversation.id)
        await place.desk.console.handling.reply(agent, conversation.id, "We found your money.", "n1")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "We found your money." not in (await visitor.http.get(visitor.receipt)).text:
                await asyncio.sleep(0.02)
        assert place.letters == []


async def test_a_form_sent_again_after_the_conversation_moved_stays_one_case(place: FormDesk) -> None:
    async with place.visitor() as visitor:
        token = await visitor.token()
        await visitor.file(given(place), token=token)
        await place.mails(1)
        await visitor.http.post(place.link())
        await place.mails(2)
        page = await visitor.file({**given(place), "description": "It was 300."}, token=token)
        [case] = await place.cases()
        assert case.number in page
        assert len(await place.received()) == 2
