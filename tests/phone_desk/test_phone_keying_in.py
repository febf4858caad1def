"""A call or a letter that an agent keys in is a case like any other: number, clock, evidence, queue."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from tests.phone_desk.desk import NUMBER, PhoneDesk, at, form, kept, key_in, number_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_call_is_a_case_at_once_and_its_clock_runs_from_the_receipt(place: PhoneDesk) -> None:
    li, received_at = place.people["li"], place.ago(hours=35)
    recording = ("call.wav", b"RIFF....WAVE" + b"\0" * 2000)
    talk = await kept(place, "li", {"at": at(received_at), "uid": "80021"}, [recording])
    number = await number_of(li, talk)
    assert NUMBER.fullmatch(number)
    case = await place.case(number)
    assert (case.label, case.language, case.severity) == ("withdrawal_issue", "en", "normal")
    assert case.first_contact_at == received_at
    assert case.answer_due_at == received_at + timedelta(hours=24)
    assert case.opened_at > place.ago(minutes=2)
    [message] = await place.received(talk)
    assert (message.outcome, message.received_at) == ("opened", received_at)
    assert message.envelope["keyed_in"]["by"] == "agent:1"
    for words in (f"Phone call received: {received_at:%Y-%m-%d %H:%M} UTC", "Taken by: Li Wei", "UID as stated: 80021"):
        assert words in message.text
    [file] = await place.evidence(talk)
    assert (file.filename, file.size) == (recording[0], len(recording[1]))
    assert file.sha256 == hashlib.sha256(recording[1]).hexdigest()
    conversation = await place.conversation(talk)
    assert (conversation.owner, conversation.account, conversation.person_id) == ("queue", None, None)
    waiting = (await li.get("/console/?view=waiting")).text
    assert number in waiting
    assert "Phone and letters" in waiting


async def test_the_same_form_sent_twice_is_one_case_and_a_correction_is_kept(place: PhoneDesk) -> None:
    li, ann = place.people["li"], place.people["ann"]
    hidden, hour = await form(li), {"at": at(place.ago(hours=1))}
    first = await kept(place, "li", hour, hidden=hidden)
    assert await kept(place, "li", hour, hidden=hidden) == first
    assert len(await place.received(first)) == 1
    assert await kept(place, "li", {**hour, "words": "It was 300, not 200."}, hidden=hidden) == first
    assert [message.outcome for message in await place.received(first)] == ["opened", "joined"]
    assert "It was 300, not 200." in (await place.received(first))[1].text
    of_colleague = {**await form(ann), "nonce": hidden["nonce"]}
    assert await kept(place, "ann", hour, hidden=of_colleague) != first


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"at": "yesterday"}, "day and the time"),
        ({"at": "2024-11-22T08:30"}, "Check the year"),
        ({"zone": "9999"}, "day and the time"),
        ({"words": " "}, "Write down what was said"),
        ({"words": f"It is {'abandon ' * 11}about"}, "belongs in no record"),
        ({"words": "x" * 20_001}, "at most 20000"),
        ({"taken_by": ""}, "who took the call"),
        ({"way": "email"}, "an address is needed"),
        ({"way": "email", "email": "mei at example"}, "not an e-mail address"),
        ({"way": "paper"}, "postal address is needed"),
        ({"arrived": "letter", "phone": ""}, "phone number is needed"),
        ({"number": "RD-AAAAA-AAAAA"}, "no case with this number"),
    ],
)
async def test_what_is_wrong_is_said_and_everything_typed_comes_back(
    place: PhoneDesk, fields: dict[str, str], sentence: str
) -> None:
    answer = await key_in(place, "li", {"name": "Nobody <Else>", **fields})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Nobody &lt;Else&gt;" in answer.text
    assert fields.get("words", "").strip() in answer.text


async def test_nothing_is_received_in_the_future_wherever_the_agent_is(place: PhoneDesk) -> None:
    for fields in (
        {"at": at(place.ago(minutes=-5))},
        {"at": at(place.ago(minutes=-65)), "zone": "60"},
        {"at": at(place.ago(minutes=55)), "zone": "-60"},
    ):
        answer = await key_in(place, "li", fields)
        assert answer.status_code == 422
        assert "in the future" in answer.text
        assert fields["at"] in answer.text


async def test_the_local_time_of_the_agent_counts(place: PhoneDesk) -> None:
    moment = place.ago(hours=2)
    talk = await kept(place, "li", {"at": at(moment + timedelta(hours=8)), "zone": "480"})
    [message] = await place.received(talk)
    assert message.received_at == moment
