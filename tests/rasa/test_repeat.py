"""The desk asks again about a message when it could not keep the answer: the same message, the same commands."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.rasa.processes import SECRET, Door, Running

SIGNED_IN = {"uid": "u1", "name": "Ada", "proven_by": "app_token"}
LOST = {"en": "purple monkey dishwasher", "zh": "紫色 猴子 洗碗机"}
WITHDRAWAL = {"en": "where is my withdrawal", "zh": "我的提现一直没到账"}
TO_PERSON = ["open_case", "hand_to_person"]


def turn(inbox_id: int, sender: str, text: str, language: str = "en") -> dict[str, Any]:
    metadata = {"account": SIGNED_IN}
    return {"sender": sender, "text": text, "inbox_id": inbox_id, "language": language, "metadata": metadata}


def commands(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [message["custom"] for message in answer.json()["messages"]]


def asked(door: Door, body: Mapping[str, Any], times: int = 1) -> list[dict[str, Any]]:
    """The commands that answer a message, which are the same each time it is asked about."""
    first, *others = [commands(door.post(body)) for _ in range(times)]
    assert all(other == first for other in others)
    return first


def kinds(answer: list[dict[str, Any]]) -> list[str]:
    return [command.get("key", command["command"]) for command in answer]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("refusal", ["/no", "words"])
def test_a_repeated_no_opens_the_case_each_time(door: Door, language: str, refusal: str) -> None:
    sender = f"webchat:repeated-{refusal.strip('/')}-{language}"
    text = {"en": "no", "zh": "没有"}[language] if refusal == "words" else refusal
    asked(door, turn(1, sender, WITHDRAWAL[language], language))
    opened, hand = asked(door, turn(2, sender, text, language), times=3)
    assert (opened["command"], opened["label"]) == ("open_case", "withdrawal_issue")
    assert opened["reasons"] == ["answer_did_not_help"]
    assert hand["command"] == "hand_to_person"
    assert kinds(asked(door, turn(3, sender, text, language))) == ["how_can_i_help"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_repeated_misunderstanding_counts_once(door: Door, language: str) -> None:
    sender = f"webchat:repeated-lost-{language}"
    assert kinds(asked(door, turn(1, sender, LOST[language], language), times=3)) == ["not_understood"]
    assert kinds(asked(door, turn(2, sender, LOST[language], language), times=3)) == TO_PERSON
    assert kinds(asked(door, turn(3, sender, LOST[language], language))) == ["not_understood"]


def test_the_same_words_in_another_message_are_another_message(door: Door) -> None:
    for inbox_id, wanted in ((1, ["not_understood"]), (2, TO_PERSON)):
        assert kinds(asked(door, turn(inbox_id, "webchat:same-words", LOST["en"]))) == wanted


def test_a_question_that_was_asked_twice_is_still_open(door: Door) -> None:
    asked(door, turn(1, "webchat:repeated-question", WITHDRAWAL["en"]), times=2)
    assert kinds(asked(door, turn(2, "webchat:repeated-question", "/yes"), times=2)) == [
        "resolve",
        "tip_withdrawal_issue",
    ]


def test_a_repeated_message_is_the_same_where_a_long_conversation_is_folded(door: Door) -> None:
    """Rounds of different lengths, so that some "no" is the message that meets the limit (EVENTS_KEPT)."""
    sender, inbox_id = "webchat:repeated-long", 0
    for greetings in (0, 1, 2) * 6:
        for text in (*["hello"] * greetings, WITHDRAWAL["en"]):
            inbox_id += 1
            asked(door, turn(inbox_id, sender, text))
        inbox_id += 1
        assert kinds(asked(door, turn(inbox_id, sender, "/no"), times=2)) == TO_PERSON


def test_a_message_that_is_asked_about_twice_at_once_is_answered_once_and_again(door: Door) -> None:
    sender = "webchat:repeated-at-once"
    asked(door, turn(1, sender, WITHDRAWAL["en"]))
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: commands(door.post(turn(2, sender, "/no"))), range(2)))
    assert [kinds(answer) for answer in answers] == [TO_PERSON, TO_PERSON]
    assert kinds(asked(door, turn(3, sender, "/no"))) == ["how_can_i_help"]


def test_a_message_whose_answer_came_too_late_is_answered_the_same(door: Door, rasa: Running) -> None:
    sender = "webchat:repeated-late"
    asked(door, turn(1, sender, WITHDRAWAL["en"]))
    rasa.pause()
    try:
        with httpx.Client(timeout=0.5, trust_env=False) as hurried, pytest.raises(httpx.ReadTimeout):
            hurried.post(f"{door.url}/turn", json=turn(2, sender, "/no"), headers={"Authorization": f"Bearer {SECRET}"})
    finally:
        rasa.resume()
    assert kinds(asked(door, turn(2, sender, "/no"), times=2)) == TO_PERSON
    assert kinds(asked(door, turn(3, sender, "/no"))) == ["how_can_i_help"]
