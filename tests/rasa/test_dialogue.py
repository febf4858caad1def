"""Messages through the real channel, model, rules and actions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rasa.processes import Door

SIGNED_IN = {"uid": "u1", "name": "Ada", "proven_by": "app_token"}
LATE = {"escalate": True, "hand_over": False, "severity": "high", "reasons": ["money_missing"]}


def short(commands: list[dict[str, Any]]) -> list[str]:
    """say:greeting, answer:fees, open_case:spam, hand_to_person. The wait for the user's silence is left out."""
    telling = ("key", "article", "label")
    told = [command for command in commands if command["command"] != "hand_if_silent"]
    return [":".join([c["command"], *(c[field] for field in telling if field in c)]) for c in told]


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("hello", "en", ["say:greeting"]),
        ("你好", "zh", ["say:greeting"]),
        ("thank you", "en", ["say:welcome"]),
        ("谢谢", "zh", ["say:welcome"]),
        ("I want to talk to a person", "en", ["hand_to_person"]),
        ("转人工", "zh", ["hand_to_person"]),
        ("what is the status of my case", "en", ["tell_case_status"]),
        ("never mind", "en", ["resolve", "say:never_mind"]),
        ("算了", "zh", ["resolve", "say:never_mind"]),
        (
            "my account was hacked, my coins are gone",
            "en",
            ["answer:account_hacked", "open_case:account_security_theft", "say:facts_wanted", "hand_to_person"],
        ),
        (
            "我的账户被盗了，币都不见了",
            "zh",
            ["answer:account_hacked", "open_case:account_security_theft", "say:facts_wanted", "hand_to_person"],
        ),
    ],
)
def test_a_first_message(door: Door, text: str, language: str, wanted: list[str]) -> None:
    assert short(door.say(f"webchat:first {text}".replace(" ", "-"), text, language)) == wanted


@pytest.mark.parametrize(("text", "language"), [("where is my withdrawal", "en"), ("我的提现一直没到账", "zh")])
def test_where_is_my_withdrawal_is_answered_from_the_records(door: Door, text: str, language: str) -> None:
    said, check = door.say(f"webchat:records-{language}", text, language, account=SIGNED_IN)
    assert said["key"] == "withdrawal_status_in_review"
    assert said["values"]["amount"] == "500"
    assert check == {
        "command": "say",
        "key": "did_this_help",
        "values": {},
        "buttons": ["yes", "no", "person"],
        "named": {},
    }


def test_without_proof_of_identity_no_record_is_read(door: Door) -> None:
    claimed = {"uid": "u1", "name": "Ada", "proven_by": None}
    commands = door.say("webchat:unproven", "where is my withdrawal", account=claimed)
    assert "say:sign_in_hint" in short(commands)
    assert not [command for command in commands if command.get("key", "").startswith("withdrawal_status")]
    assert "w1" not in str(commands)


@pytest.mark.parametrize(("text", "language"), [("where is my withdrawal", "en"), ("我的提现一直没到账", "zh")])
def test_where_proof_can_be_given_it_is_offered(door: Door, text: str, language: str) -> None:
    commands = door.say(f"webchat:provable-{language}", text, language, can_prove=True)
    assert "say:prove_hint" in short(commands)
    assert commands[-1]["buttons"] == ["yes", "no", "person", "prove"]


def test_records_that_are_down_are_said_to_be_down(door: Door) -> None:
    commands = door.say("webchat:down", "my deposit has not arrived", account=SIGNED_IN)
    asked = ["say:backoffice_down", "open_case:deposit_issue", "say:facts_wanted", "hand_to_person"]
    assert short(commands) == asked


def test_the_answer_helped(door: Door) -> None:
    door.say("webchat:helped", "where is my withdrawal", account=SIGNED_IN)
    assert short(door.say("webchat:helped", "/yes")) == ["resolve", "say:tip_withdrawal_issue"]
    assert short(door.say("webchat:helped", "/yes")) == ["say:how_can_i_help"]


def test_the_answer_did_not_help(door: Door) -> None:
    door.say("webchat:unhelped", "我的提现一直没到账", "zh", account=SIGNED_IN)
    commands = door.say("webchat:unhelped", "没有", "zh", account=SIGNED_IN)
    assert short(commands) == ["open_case:withdrawal_issue", "hand_to_person"]  # the records told all the facts
    assert commands[0]["reasons"] == ["answer_did_not_help"]


def test_a_pressed_class_button_is_that_class(door: Door) -> None:
    commands = door.say("webchat:button", "/withdrawal_issue", account=SIGNED_IN)
    assert short(commands)[0] == "say:withdrawal_status_in_review"


def test_two_misunderstandings_in_a_row_lead_to_a_person(door: Door) -> None:
    first = door.say("webchat:lost", "purple monkey dishwasher")
    assert short(first) == ["say:not_understood"]
    assert first[0]["buttons"][-1] == "person"
    assert short(door.say("webchat:lost", "purple monkey dishwasher")) == ["open_case:unclassified", "hand_to_person"]


def test_a_greeting_between_two_misunderstandings_keeps_the_person_away(door: Door) -> None:
    door.say("webchat:found", "purple monkey dishwasher")
    door.say("webchat:found", "hello")
    assert short(door.say("webchat:found", "purple monkey dishwasher")) == ["say:not_understood"]


def test_what_the_desk_found_out_travels_to_the_action(door: Door) -> None:
    signals = {"escalate": True, "hand_over": False, "severity": "high", "reasons": ["legal"]}
    entities = [{"kind": "asset", "value": "BTC", "start": 0, "end": 3}]
    opened, _, hand = door.say("mail:77", "where is my withdrawal", signals=signals, entities=entities)
    assert (opened["label"], opened["severity"], opened["reasons"]) == ("withdrawal_issue", "high", ["legal"])
    assert opened["facts"] == {"asset": "BTC"}
    assert hand["reasons"] == ["legal"]


@pytest.mark.parametrize(
    ("text", "language"), [("Complaint\nmy withdrawal has not arrived", "en"), ("投诉\n我的提现一直没到账", "zh")]
)
def test_a_complaint_by_its_subject_is_a_case_at_once(door: Door, text: str, language: str) -> None:
    commands = door.say(f"mail:urgent-{language}", text, language, account=SIGNED_IN, urgent=True)
    assert short(commands) == ["say:withdrawal_status_in_review", "open_case:withdrawal_issue", "hand_to_person"]
    assert commands[1]["severity"] == "high"


def test_conversations_do_not_hear_each_other(door: Door) -> None:
    door.say("webchat:one", "where is my withdrawal", account=SIGNED_IN)
    assert short(door.say("webchat:two", "/yes")) == ["say:how_can_i_help"]


@pytest.mark.parametrize("text", ["24/7", "and/or", "1/2 of my coins", "提现/充值"])
def test_a_slash_inside_a_text_is_just_a_character(door: Door, text: str) -> None:
    assert door.say(f"webchat:slash-{len(text)}", text)


def test_a_long_conversation_is_folded_and_keeps_its_question(door: Door) -> None:
    for _ in range(25):
        door.say("webchat:long", "hello")
    door.say("webchat:long", "where is my withdrawal", account=SIGNED_IN)
    for _ in range(12):
        door.say("webchat:long", "hello")
    assert short(door.say("webchat:long", "/yes")) == ["resolve", "say:tip_withdrawal_issue"]


def test_a_class_with_an_article_is_answered_with_it(door: Door) -> None:
    for language, text in (("en", "how much are the trading fees"), ("zh", "手续费怎么算")):
        commands = door.say(f"webchat:fees-{language}", text, language)
        assert short(commands) == ["answer:fees", "say:did_this_help"]


@pytest.mark.parametrize(
    ("language", "first", "answer", "correction", "question"),
    [
        ("en", "my deposit has not arrived", "TRC20", "no, it was ERC20", "how much are the trading fees?"),
        ("zh", "我的充值一直没到账", "TRC20", "不是，应该是ERC20", "手续费怎么算？"),
    ],
)
def test_a_form_from_the_first_question_to_the_person(
    door: Door, language: str, first: str, answer: str, correction: str, question: str
) -> None:
    def say(text: str, **more: Any) -> list[dict[str, Any]]:
        return door.say(f"webchat:form-{language}", text, language, live=True, **more)

    amount = [{"kind": "amount", "value": "500 USDT"}]
    begun = say(first, signals=LATE, entities=amount)
    assert short(begun) == ["open_case:deposit_issue", "say:form_begins", "say:ask_network"]
    case = {"number": "RD-7KWHM-3XTPA", "status": "open", "label": "deposit_issue", "facts": {}}
    named = say(answer, entities=[{"kind": "network", "value": "TRC20"}], case=case)
    assert short(named) == ["open_case:deposit_issue", "say:ask_tx_hash"]
    assert named[0]["quiet"] is True
    corrected = say(correction, entities=[{"kind": "network", "value": "ERC20"}], case=case)
    assert short(corrected) == ["open_case:deposit_issue", "say:noted", "say:ask_tx_hash"]
    assert short(say(question, case=case)) == ["answer:fees", "say:ask_tx_hash"]
    assert short(say("/file", case=case)) == ["open_case:deposit_issue", "say:file_taken", "say:ask_tx_hash"]
    done = say("/skip", case=case)
    assert short(done) == ["say:form_done", "hand_to_person"]
    assert done[-1]["brief"]["facts"] == {"amount": "500 USDT", "asset": "USDT", "network": "ERC20"}


def test_never_mind_in_a_form_leaves_the_case_and_waits_for_silence(door: Door) -> None:
    case = {"number": "RD-7KWHM-3XTPA", "status": "open"}
    door.say("webchat:left", "my deposit has not arrived", live=True, signals=LATE)
    left = door.say("webchat:left", "never mind", live=True, case=case)
    assert short(left) == ["say:form_left"]
    assert left[0]["values"] == {"number": "RD-7KWHM-3XTPA"}
    assert left[-1]["command"] == "hand_if_silent"


@pytest.mark.parametrize(("text", "language"), [("hello?", "en"), ("人呢", "zh")])
def test_whoever_calls_hears_the_question_again(door: Door, text: str, language: str) -> None:
    sender = f"webchat:calling-{language}"
    door.say(sender, {"en": "how much are the trading fees", "zh": "手续费怎么算"}[language], language, live=True)
    calls = {"hand_over": True, "reasons": ["person_asked"]}
    assert short(door.say(sender, text, language, live=True, signals=calls)) == ["say:still_here", "say:did_this_help"]
    assert short(door.say(sender, text, language, live=True, signals=calls))[-1] == "hand_to_person"


def test_what_two_messages_say_together_is_judged_together(door: Door) -> None:
    door.say("webchat:together", "my deposit has not arrived", signals={"features": ["moved", "missing"]})
    said = door.say("webchat:together", "purple monkey dishwasher", signals={"features": [], "days": 3.0})
    assert said[0]["reasons"] == ["money_missing"]
    door.say("webchat:apart", "my deposit has not arrived", signals={"features": ["moved", "missing"]}, epoch=0)
    apart = door.say("webchat:apart", "purple monkey dishwasher", signals={"days": 3.0}, epoch=2)
    assert short(apart) == ["say:not_understood"]
