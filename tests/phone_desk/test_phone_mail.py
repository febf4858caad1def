"""An e-mail address that a caller gave: asked first, and only then everything that waits goes there."""

from __future__ import annotations

import asyncio
import html
import re

import httpx
import pytest

from tests.phone_desk.desk import PATIENCE_SECONDS, PhoneDesk, kept, number_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
LINK = re.compile(r"http://[^\s]+/confirm/[^\s]+")
COPY = {"en": "Copy of your complaint", "zh": "您的投诉副本", "zh-Hant": "您的投訴副本"}


async def mails_to(place: PhoneDesk, address: str, count: int) -> list[str]:
    """Returns the bodies when the relay has so many."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            there = [b for to, b in zip(place.relay.recipients, place.relay.bodies, strict=True) if to == address]
            if len(there) >= count:
                return there
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("language", ["en", "zh", "zh-Hant"])
async def test_what_waited_leaves_by_mail_when_the_owner_has_confirmed(place: PhoneDesk, language: str) -> None:
    li, address = place.people["li"], f"mei.{language.lower()}@mail.example"
    words = f"Secret words in {language}"
    talk = await kept(place, "li", {"way": "email", "email": address, "language": language, "words": words})
    number = await number_of(li, talk)
    page = html.unescape((await li.get(f"/console/record/{talk}")).text)
    assert "asked by e-mail to confirm" in page
    [asked] = await mails_to(place, address, 1)
    assert words not in asked
    assert number not in asked
    await li.post(f"/console/c/{talk}/take")
    await li.post(f"/console/c/{talk}/reply", {"nonce": "n1", "text": "We found your money."})
    await place.until(talk, "by_hand", 2)
    assert len(await mails_to(place, address, 1)) == 1

    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.post(LINK.findall(asked)[0])).status_code == 200
    _, reply, copy = await mails_to(place, address, 3)
    assert "We found your money." in reply
    for expected in (COPY[language], words, number):
        assert expected in copy
    acknowledged, *others = await place.until(talk, "sent", 2)
    assert (acknowledged.state, [each.state for each in others]) == ("dropped", ["sent", "sent"])
    assert f'href="/console/c/{talk}"' not in (await li.get("/console/?view=by_hand")).text

    await li.post(f"/console/c/{talk}/reply", {"nonce": "n2", "text": "It is on its way."})
    assert "It is on its way." in (await mails_to(place, address, 4))[3]


async def test_an_address_is_not_written_to_when_paper_was_chosen(place: PhoneDesk) -> None:
    address = "paper@mail.example"
    talk = await kept(place, "li", {"way": "paper", "address": "1 Peak Road", "email": address})
    [answer] = await place.answers(talk)
    assert answer.state == "by_hand"
    assert address not in place.relay.recipients
    assert address in (await place.received(talk))[0].text
