"""The parts of live chat that need no server."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import wording
from channels.contract import Author, Entry, OutboundMessage
from channels.web.budget import Budget, Budgets
from channels.web.origins import Origins, as_origin
from channels.web.sessions import Sessions
from channels.webchat.cursor import Cursor
from channels.webchat.frames import BadFrame, parse
from channels.webchat.reading import read_frame
from channels.webchat.settings import WebChatSettings, read_settings
from tests.webchat.desk import WEBCHAT, FakeDesk, build_channel


def entry(seq: int) -> Entry:
    return Entry(seq=seq, author=Author.BOT, author_name="", text=str(seq), at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://App.Example", "https://app.example"),
        ("https://app.example:443/", "https://app.example"),
        ("http://app.example:80", "http://app.example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_compared_as_browsers_write_it(written: str, origin: str) -> None:
    assert as_origin(written) == origin


@pytest.mark.parametrize(
    "written", ["", "*", "null", "app.example", "ftp://app.example", "https://a.example/path", "https://u@a.example"]
)
def test_what_is_not_an_origin_is_named(written: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(written))):
        as_origin(written)


def test_only_a_loopback_desk_has_other_names() -> None:
    assert Origins("http://127.0.0.1:8080", ()).allows("http://localhost:8080")
    assert not Origins("http://127.0.0.1:8080", ()).allows("http://localhost:8081")
    assert not Origins("https://desk.example", ()).allows("https://localhost")
    assert Origins("https://desk.example/path", ()).allows("https://desk.example")


def test_sessions_are_unlike_and_bound_to_this_instance() -> None:
    here, elsewhere = Sessions(b"a" * 32, "test", "c"), Sessions(b"b" * 32, "test", "c")
    made = {here.new().id for _ in range(100)}
    assert len(made) == 100
    session = here.new()
    assert here.valid(session.id, session.secret)
    assert not elsewhere.valid(session.id, session.secret)


def test_a_budget_refills_steadily() -> None:
    now = 0.0
    budget = Budget(30, lambda: now)
    assert [budget.take() for _ in range(30)] == [0.0] * 30
    assert budget.take() == pytest.approx(2.0)
    now = 2.0
    assert budget.take() == 0.0
    assert budget.take() > 0
    now = 1000.0
    assert budget.full()


def test_budgets_of_silent_sessions_are_forgotten_and_others_kept() -> None:
    now = 0.0
    budgets = Budgets(1, lambda: now, sweep_at=10)
    for number in range(9):
        budgets.of(f"silent {number}").take()
    now = 61.0
    budgets.of("busy").take()
    budgets.of("new")
    assert len(budgets) == 2
    assert budgets.of("busy").take() > 0


@given(st.permutations(range(1, 12)), st.lists(st.integers(1, 11)))
def test_a_cursor_shows_each_entry_once_whatever_the_order(order: list[int], cuts: list[int]) -> None:
    cursor, visible, shown = Cursor(0), list[int](), list[int]()
    for seq in order:
        visible.append(seq)
        if seq not in cuts:
            batch = cursor.take(entry(number) for number in visible if number > cursor.floor)
            assert [e.seq for e in batch] == sorted(e.seq for e in batch)
            shown += [e.seq for e in batch]
    shown += [e.seq for e in cursor.take(entry(number) for number in visible if number > cursor.floor)]
    assert sorted(shown) == list(range(1, 12))
    assert cursor.floor == 11


def test_a_cursor_waits_at_a_gap() -> None:
    cursor = Cursor(3)
    assert [e.seq for e in cursor.take([entry(5), entry(6)])] == [5, 6]
    assert cursor.floor == 3
    assert [e.seq for e in cursor.take([entry(4), entry(5), entry(6)])] == [4]
    assert cursor.floor == 6


def test_a_cursor_knows_whether_anything_is_missing() -> None:
    cursor = Cursor(3)
    assert cursor.reaches([entry(4), entry(5)])
    assert cursor.reaches([entry(2), entry(3)])
    assert not cursor.reaches([entry(4), entry(6)])
    assert not cursor.reaches([entry(5)])
    cursor.take([entry(5)])
    assert not cursor.reaches([entry(4), entry(5), entry(6)])


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_failing(raw: bytes) -> None:
    assert isinstance(read_frame(raw, {}).text, str)


@given(st.text(max_size=200))
def test_any_text_is_read_as_storable_text(text: str) -> None:
    raw = json.dumps({"type": "message", "id": "abcdefgh", "text": text + "\ud83d\x00"}).encode()
    read = read_frame(raw, {})
    assert read.text.encode()
    assert "\x00" not in read.text
    assert read.note is None


def test_a_press_without_an_offer_is_only_text() -> None:
    raw = b'{"type":"press","id":"abcdefgh","button":"yes"}'
    assert (read_frame(raw, {}).payload, read_frame(raw, {}).text) == (None, "yes")
    assert (read_frame(raw, {"title": "Yes"}).payload, read_frame(raw, {"title": "Yes"}).text) == ("yes", "Yes")


def test_an_unreadable_frame_is_noted_for_agents() -> None:
    assert read_frame(b"\xff", {}).note is not None


def test_a_bad_frame_keeps_a_usable_id_only() -> None:
    with pytest.raises(BadFrame) as usable:
        parse(b'{"type":"message","id":"abcdefgh"}')
    assert usable.value.client_id == "abcdefgh"
    with pytest.raises(BadFrame) as unusable:
        parse(b'{"type":"message","id":"../../etc"}')
    assert unusable.value.client_id is None


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"colour": "red"}, "channel.webchat.colour"),
        ({"max_characters": 5000}, "channel.webchat.max_characters"),
        ({"origins": ["everyone"]}, "everyone"),
        ({"origins": "https://a.example"}, "channel.webchat.origins"),
    ],
)
def test_a_wrong_setting_is_named(section: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read_settings(section)


async def test_sending_is_harmless_and_names_the_message() -> None:
    channel = build_channel(FakeDesk(), "http://127.0.0.1:1", {}, Path())
    message = OutboundMessage(
        outbox_id=1,
        message_id="m1",
        conversation_id=1,
        conversation_key="k",
        recipient="k",
        seq=1,
        author=Author.BOT,
        author_name="",
        text="x",
        language="en",
        created_at=datetime.now(UTC),
    )
    assert (await channel.send(message)).peer_id == "m1"
    assert channel.capabilities.repeat_harmless
    assert channel.trouble() is None
    assert channel.door() == "http://127.0.0.1:1/chat"


def widget_strings() -> dict[str, dict[str, str]]:
    """The tables hold plain string literals, so they can be read line by line."""
    tables = {}
    for language, name in (("en", "strings.js"), ("zh", "strings.zh.js")):
        source = (WEBCHAT / "widget" / name).read_text(encoding="utf-8")
        joined = re.sub(r'"\s*\+\s*"', "", source)
        tables[language] = dict(re.findall(r'^ +(\w+):\s*"([^"]*)",$', joined, re.M))
    return tables


def test_the_widget_says_everything_in_both_languages() -> None:
    strings = widget_strings()
    assert len(strings["en"]) > 20
    assert strings["en"].keys() == strings["zh"].keys()
    for key, english in strings["en"].items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", strings["zh"][key])), key
        assert english
        assert key == "otherLanguage" or re.search(r"[\u4e00-\u9fff]", strings["zh"][key]), key


def test_every_error_has_its_sentence() -> None:
    words = wording.load(WEBCHAT)
    sources = "".join(path.read_text(encoding="utf-8") for path in WEBCHAT.glob("*.py"))
    codes = set(re.findall(r'(?:Refused|_say_error)\("(\w+)"|(?:Goodbye|HttpFault)\(\w+, "(\w+)"', sources))
    named = {one or other for one, other in codes} | {"expired_token"}
    assert len(named) >= 11
    for code in named:
        assert words.knows(f"webchat.error_{code}"), code


def test_the_protocol_document_knows_every_code_and_limit() -> None:
    document = (WEBCHAT.parents[1] / "docs" / "chat-protocol.md").read_text(encoding="utf-8")
    for path in WEBCHAT.glob("webchat.*.yml"):
        for code in re.findall(r"^error_(\w+):", path.read_text(encoding="utf-8"), re.M):
            assert f"`{code}`" in document, code
    defaults = read_settings({})
    assert f"more than {defaults.messages_per_minute} messages a minute" in document
    assert f"more than {defaults.max_characters:,} characters" in document
    assert f"more than {defaults.max_connections_per_session} of this session" in document
    assert f"After {defaults.idle_seconds} seconds" in document


def test_the_readme_names_every_setting_with_its_default() -> None:
    readme = (WEBCHAT / "README.md").read_text(encoding="utf-8")
    for name, setting in WebChatSettings.model_fields.items():
        default = "none" if setting.default == () else setting.default
        assert f"| `{name}` | {default} |" in readme
