"""What is answered to a caller waits until an agent has told or posted it, in the language of the caller."""

from __future__ import annotations

import asyncio
import html
import re

import pytest
from sqlalchemy import update

from bot.store.tables import Timer
from escalation.by_hand import How, NotWaiting, Telling
from escalation.console.repository.queue import View
from tests.console.world import Visitor
from tests.phone_desk.desk import PhoneDesk, kept, number_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAID = {
    "en": "a person reads it within 24 hours and answers you",
    "zh": "您的投诉已登记，案件编号",
    "zh-Hant": "您的投訴已登記，案件編號",
}
DATES = {
    "en": r"\d{1,2} [A-Z][a-z]+ \d{4}",
    "zh": r"\d{4}年\d{1,2}月\d{1,2}日",
    "zh-Hant": r"\d{4}年\d{1,2}月\d{1,2}日",
}
CALLER = "Mei Chen"
ADDRESS = "1 Peak Road\nHong Kong"


async def count_by_hand(visitor: Visitor) -> int:
    page = (await visitor.get(f"/console/?view={View.BY_HAND}")).text
    found = re.search(r'id="view-by_hand"[^>]*>[^<]*<span class="count">(\d+)<', page)
    assert found
    return int(found.group(1))


@pytest.mark.parametrize("language", ["en", "zh", "zh-Hant"])
async def test_the_acknowledgement_is_read_out_and_counts_when_it_was_told(place: PhoneDesk, language: str) -> None:
    li, ann = place.people["li"], place.people["ann"]
    before = await count_by_hand(li)
    talk = await kept(place, "li", {"language": language})
    number = await number_of(li, talk)
    [answer] = await place.answers(talk)
    assert (answer.state, answer.sent_at, answer.peer_id) == ("by_hand", None, None)
    page = html.unescape((await li.get(f"/console/record/{talk}")).text)
    assert "Read this to the caller" in page
    assert re.search(SAID[language], page)
    assert number in answer.text
    assert re.search(DATES[language], answer.text)
    assert answer.text in page
    assert await count_by_hand(li) == before + 1
    assert "to be told or printed" in (await li.get(f"/console/c/{talk}")).text

    said = await ann.post(f"/console/letter/{answer.id}", {"how": "told"})
    assert said.status_code == 303
    [answer] = await place.answers(talk)
    assert (answer.state, answer.peer_id) == ("sent", "told:agent:2")
    assert answer.sent_at is not None
    [note] = await place.notes(talk, "told")
    assert (note.agent_id, note.data) == (2, {"outbox_id": answer.id})
    events = await place.events((await place.case(number)).id)
    assert ("told", "agent:2") in [(event.kind, event.actor) for event in events]
    assert await count_by_hand(li) == before
    late = await li.post(f"/console/letter/{answer.id}", {"how": "posted"})
    assert late.status_code == 409
    assert "colleague was faster" in late.text
    assert await place.notes(talk, "posted") == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Your complaint, case", "Copy of your complaint", "Complaint department")),
        ("zh", ("您的投诉（案件", "您的投诉副本", "投诉受理部门")),
        ("zh-Hant", ("您的投訴（案件", "您的投訴副本", "投訴受理部門")),
    ],
)
async def test_the_letter_has_all_that_a_letter_needs(place: PhoneDesk, language: str, words: tuple[str, ...]) -> None:
    told = {"arrived": "letter", "language": language, "way": "paper", "address": ADDRESS, "words": "Where is <it>?"}
    talk = await kept(place, "li", told, [("scan.pdf", b"%PDF-1.4 scan")])
    number = await number_of(place.people["li"], talk)
    [answer] = await place.answers(talk)
    page = (await place.people["li"].get(f"/console/letter/{answer.id}")).text
    letter = html.unescape(page[page.index('<article class="letter"') :])
    for expected in (*words, number, ADDRESS, CALLER, "Where is <it>?", "scan.pdf", *answer.text.splitlines()):
        assert expected in letter
    assert re.search(DATES[language], letter)
    assert f'lang="{ {"en": "en", "zh": "zh-CN", "zh-Hant": "zh-Hant"}[language] }"' in letter
    assert (await place.answers(talk))[0].state == "by_hand"  # looking at it settles nothing
    assert (await place.people["li"].post(f"/console/letter/{answer.id}", {"how": "posted"})).status_code == 303
    assert (await place.answers(talk))[0].peer_id == "posted:agent:1"


async def test_what_an_agent_answers_later_waits_to_be_told_too(place: PhoneDesk) -> None:
    li = place.people["li"]
    talk = await kept(place, "li", {})
    [first] = await place.answers(talk)
    await li.post(f"/console/letter/{first.id}", {"how": "told"})
    await li.post(f"/console/c/{talk}/take")
    await li.post(f"/console/c/{talk}/reply", {"nonce": "n1", "text": "We found your money."})
    [_, reply] = await place.until(talk, "by_hand", 1)
    letter = (await li.get(f"/console/letter/{reply.id}")).text
    assert "We found your money." in letter
    assert "Li Wei" in letter
    assert "Copy of your complaint" not in letter
    await li.post(f"/console/c/{talk}/resolve")
    await place.until(talk, "by_hand", 2)
    talk_page = (await li.get(f"/console/?view={View.BY_HAND}")).text
    assert f'href="/console/c/{talk}"' in talk_page


async def test_two_agents_at_once_tell_it_once(place: PhoneDesk) -> None:
    talk = await kept(place, "li", {})
    [answer] = await place.answers(talk)
    telling = Telling(store=place.desk.store, clock=place.clock, hub=place.desk.hub)
    both = [telling.settle(await place.agent(login), answer.id, How.TOLD) for login in ("li", "ann")]
    ended = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each).__name__ for each in ended) == ["NotWaiting", "int"]
    assert len(await place.notes(talk, "told")) == 1
    with pytest.raises(NotWaiting):
        await telling.settle(await place.agent("li"), 10**9, How.TOLD)


async def test_who_waits_for_an_answer_hears_so_in_words_for_paper(place: PhoneDesk) -> None:
    talk = await kept(place, "li", {"language": "zh-Hant"})
    overdue = update(Timer).where(Timer.kind == "queue_patience", Timer.key == str(talk))
    await place.desk.store.write(lambda c: c.execute(overdue.values(due_at=place.ago(minutes=1))))
    [_, notice] = await place.until(talk, "by_hand", 2)
    assert notice.text.startswith("目前還沒有空閒的客服人員答覆您")


async def test_strangers_and_other_sites_key_in_nothing(place: PhoneDesk) -> None:
    talk = await kept(place, "li", {})
    [answer] = await place.answers(talk)
    async with Visitor(place.url) as stranger:
        for path in ("/console/record/", f"/console/record/{talk}", f"/console/letter/{answer.id}"):
            page = await stranger.get(path)
            assert (page.status_code, page.headers["location"].split("?")[0]) == (303, "/console/login")
        files = {"words": (None, "x")}
        posted = await stranger.client.post("/console/record/", files=files, headers={"origin": place.url})
        assert posted.status_code == 401
        assert (await stranger.send(f"/console/letter/{answer.id}", {"how": "told"})).status_code == 401
    li = place.people["li"]
    for origin, csrf in (("https://evil.example", await li.token()), (place.url, "made-up")):
        parts = {"csrf": (None, csrf), "nonce": (None, "n" * 22), "words": (None, "x")}
        answered = await li.client.post("/console/record/", files=parts, headers={"origin": origin})
        assert answered.status_code == 403
    assert (await li.post(f"/console/letter/{answer.id}", {"how": "shouted"})).status_code == 422
    assert (await li.get("/console/letter/999999")).status_code == 404
    assert (await place.answers(talk))[0].state == "by_hand"
