"""What the form asks, and how a stored one is read: whole, in both languages, and never twice."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from starlette.requests import Request

from actions.forms import FACTS, NAMED
from bot import catalogue
from bot.redacting import without_secrets
from bot.understanding.labels import COMPLAINTS
from channels.form.caller import place_of
from channels.form.fields import AS_FACT, facts, faults, fill, names
from channels.form.reading import digest, read_form, written
from channels.form.settings import read_settings
from channels.form.topics import OTHER, groups, topics
from escalation.confirming.asking import mailbox_key

WORDS = catalogue.whole()
PLAIN = {"role": "self", "description": "x"}


def test_every_class_that_a_case_can_be_about_is_a_topic_in_one_group() -> None:
    assert set(topics()) == {*COMPLAINTS, OTHER}
    assert sorted(topic for group in groups().values() for topic in group) == sorted(topics())


@pytest.mark.parametrize("topic", topics())
def test_a_topic_asks_nothing_twice_and_has_words_for_all_it_asks(topic: str) -> None:
    asked = names(topic)
    assert len(asked) == len(set(asked))
    for language in ("en", "zh"):
        labels = [WORDS.say(f"form.ask_{name}", language, limit="1") for name in asked]
        assert len(labels) == len(set(labels))
        assert WORDS.say(f"form.topic_{topic}", language)


def test_answers_are_facts_under_the_bots_names() -> None:
    unknown = {name for asked in topics().values() for name in asked} - FACTS.keys() - NAMED
    assert unknown == {"provider", "earlier"}  # which the bot never asks for
    assert set(AS_FACT.values()) <= FACTS.keys() | NAMED
    filled = fill({"topic": "withdrawal_issue", "asset": "USDT", "happened": "20 Nov", "uid": "10001", "city": "X"})
    assert facts(filled) == {"asset": "USDT", "since": "20 Nov", "uid": "10001"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("topic", topics())
def test_our_own_words_in_it_say_nothing_and_hide_nothing(topic: str, language: str) -> None:
    """The labels are not studied, and beside them nothing looks like a secret (a postcode is no one-time code)."""
    given = {name: "518000" for name in names(topic)}
    message = read_form(written(fill({**given, "topic": topic}), language, ()), {}, WORDS)
    assert without_secrets(message)[1] == ()
    assert message.complaint is not None
    assert set(message.complaint.words.split()) == {"518000"}


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff", b'{"language": 1, "fields": {}, "topic": "", "role": ""}'])
def test_what_is_no_form_has_a_note(raw: bytes) -> None:
    message = read_form(raw, {}, WORDS)
    assert message.note
    assert message.complaint is None


def test_the_same_form_gives_the_same_bytes_and_another_one_others() -> None:
    filled = fill({**PLAIN, "topic": "withdrawal_issue"})
    assert digest(written(filled, "en", ())) == digest(written(fill({**PLAIN, "topic": "withdrawal_issue"}), "en", ()))
    assert digest(written(filled, "en", ())) != digest(written(filled, "zh", ()))
    assert json.loads(written(filled, "en", ()))["version"] == 1


@pytest.mark.parametrize(
    ("email", "fine"),
    [
        ("li.mei+x@mail.example", True),
        ("a@b", False),
        ("a b@mail.example", False),
        ("a@mail.example, c@mail.example", False),
        ("<a@mail.example>", False),
        ("a@mail.example\nBcc: c@mail.example", False),
        ("李@mail.example", False),
    ],
)
def test_only_one_plain_mailbox_is_an_address(email: str, fine: bool) -> None:
    assert [fault.field for fault in faults(fill({**PLAIN, "email": email}), 100)] == ([] if fine else ["email"])


def test_spellings_of_one_mailbox_are_one() -> None:
    assert mailbox_key("Li.Mei+shop@Mail.Example") == mailbox_key("li.mei@mail.example")
    assert mailbox_key("li.mei@mail.example") != mailbox_key("li.mei@other.example")


def test_controls_and_halves_of_characters_are_taken_out() -> None:
    assert fill({**PLAIN, "description": " a\x00b\ud800\r\nc "}).values["description"] == "a\ufffdb\ufffd\nc"


def request(peer: str, forwarded: str = "") -> Request:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return Request({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "place"),
    [
        ("203.0.113.5", "", "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),  # nobody's word for it
        ("10.0.0.7", "9.9.9.9, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.7", "198.51.100.1, 10.0.0.8", "198.51.100.1"),
        ("10.0.0.7", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("127.0.0.1", "198.51.100.1", None),
        ("10.0.0.7", "nonsense", None),
    ],
)
def test_who_asks_is_whom_a_proxy_of_ours_names(peer: str, forwarded: str, place: str | None) -> None:
    assert place_of(request(peer, forwarded), ("10.0.0.7", "10.0.0.8")) == place


@pytest.mark.parametrize("wrong", [{"proxies": ["nginx"]}, {"max_characters": 1}, {"nothing": 1}])
def test_a_wrong_setting_is_named(wrong: Mapping[str, object]) -> None:
    with pytest.raises(ValueError, match=f"channel.form.{next(iter(wrong))}"):
        read_settings(wrong)
