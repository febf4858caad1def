"""A case that a caller names is joined only when an agent says that it is the same person."""

from __future__ import annotations

import pytest

from tests.phone_desk.desk import PhoneDesk, at, kept, number_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_second_call_joins_the_case_under_the_agents_name(place: PhoneDesk) -> None:
    li, ann = place.people["li"], place.people["ann"]
    first = await kept(place, "li", {"at": at(place.ago(days=3))})
    number = await number_of(li, first)
    before = await place.case(number)
    mistyped_but_clear = number.lower().replace("-", " ")
    second = await kept(place, "ann", {"number": mistyped_but_clear, "person": "same", "words": "Still nothing."})
    assert second != first
    assert await number_of(ann, second) == number
    case = await place.case(number)
    assert (case.first_contact_at, case.decision_due_at) == (before.first_contact_at, before.decision_due_at)
    events = [(event.kind, event.actor) for event in await place.events(case.id)]
    assert ("conversation_joined", "agent:2") in events
    assert [kind for kind, _ in events].count("opened") == 1
    [message] = await place.received(second)
    assert message.outcome == "joined"
    [answer] = await place.answers(second)
    assert answer.state == "by_hand"
    assert "has been added to your case" in answer.text


async def test_without_that_it_is_a_new_case_that_shows_the_relation(place: PhoneDesk) -> None:
    li = place.people["li"]
    number = await number_of(li, await kept(place, "li", {}))
    other = await kept(place, "li", {"number": number, "person": "new"})
    new = await number_of(li, other)
    assert new != number
    page = (await li.get(f"/console/c/{other}")).text
    assert "a case number was mentioned" in page
    assert number in page
    assert not [e for e in await place.events((await place.case(number)).id) if e.kind == "conversation_joined"]


async def test_a_resolved_case_is_opened_again(place: PhoneDesk) -> None:
    li = place.people["li"]
    first = await kept(place, "li", {})
    number = await number_of(li, first)
    await li.post(f"/console/c/{first}/take")
    await li.post(f"/console/c/{first}/resolve")
    assert (await place.case(number)).status == "resolved"
    await kept(place, "li", {"number": number, "person": "same"})
    assert (await place.case(number)).status == "open"
