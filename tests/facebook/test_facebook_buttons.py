"""Buttons: only ours, only for their person, only for some days; everything else is words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.understanding.labels import CLASSES
from channels.facebook.buttons import MOST, Buttons
from channels.facebook.channel import FacebookChannel
from tests.facebook.graph_api import PAGE, GraphApi
from tests.facebook.harness import SECRET, answer
from tests.monitor.harness import Desk


class Today:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


def payload(buttons: Buttons, name: str, person: str = "77") -> str:
    [reply] = buttons.quick_replies([(name, "Title")], person)
    return str(reply["payload"])


@pytest.mark.parametrize("name", ["yes", "never_mind", *(f"class:{label}" for label in CLASSES)])
def test_every_button_of_the_desk_comes_back(name: str) -> None:
    buttons = Buttons(SECRET, PAGE, 7)
    assert buttons.pressed(payload(buttons, name, "9" * 32), "9" * 32) == name


def test_a_button_holds_for_its_person_page_and_key_only() -> None:
    made = payload(Buttons(SECRET, PAGE, 7), "person")
    others = [(Buttons(SECRET, PAGE, 7), "78"), (Buttons(SECRET, "1", 7), "77"), (Buttons(bytes(32), PAGE, 7), "77")]
    assert [buttons.pressed(made, person) for buttons, person in others] == [None] * 3


@pytest.mark.parametrize(
    "made_up", [None, 3, "", "yes", "yes|", "yes|739942|", "yes|739942|AAAA", "|||", "yes|９|x", "é|1|\ud800", "a|-1|b"]
)
def test_a_made_up_payload_is_no_button(made_up: object) -> None:
    assert Buttons(SECRET, PAGE, 7).pressed(made_up, "77") is None


def test_a_button_expires_and_its_day_cannot_be_moved() -> None:
    today = Today()
    buttons = Buttons(SECRET, PAGE, 7, today)
    made = payload(buttons, "yes")
    name, day, mac = made.split("|")
    assert buttons.pressed(f"{name}|{int(day) + 1}|{mac}", "77") is None
    today.moment += timedelta(days=7)
    assert buttons.pressed(made, "77") == "yes"
    today.moment += timedelta(days=1)
    assert buttons.pressed(made, "77") is None


def test_only_as_many_and_as_long_as_messenger_takes() -> None:
    replies = Buttons(SECRET, PAGE, 7).quick_replies([(f"n{i}", "A title of many characters") for i in range(20)], "77")
    assert len(replies) == MOST
    assert {reply["title"] for reply in replies} == {"A title of many cha…"}
    assert Buttons(SECRET, PAGE, 7).quick_replies([("x" * 1000, "Title")], "77") == []


async def test_a_press_is_its_name_and_a_forged_one_is_words(
    api: GraphApi, desk: Desk, served: FacebookChannel
) -> None:
    api.message("hello", ago=60)
    await served.send(answer(buttons=[("person", "Talk to a person"), ("no", "否")]))
    api.press(api.sent[0])
    api.press(api.sent[0], 1, person="78")
    api.message("Yes", quick_reply={"payload": "person|739942|AAAAAAAAAAAAAAAAAAAAAA=="})
    api.event("77", postback={"mid": "m_start", "title": "Get started", "payload": "GET_STARTED"})
    await api.deliver()
    read = [await served.read(stored.raw, stored.envelope) for stored in desk.stored.values()]
    assert [(each.text, each.payload) for each in read] == [
        ("hello", None),
        ("Talk to a person", "person"),
        ("否", None),
        ("Yes", None),
        ("Get started", None),
    ]
