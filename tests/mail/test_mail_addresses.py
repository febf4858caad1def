"""Signed reply addresses and Message-IDs: every forgery starts a conversation of its own."""

from __future__ import annotations

import base64
import secrets
import string

import pytest

from channels.mail.addresses import AddressBook, is_mailbox, new_conversation_key, participant
from tests.fakes.desk import SECRET
from tests.mail.harness import INBOX

BOOK = AddressBook(INBOX, SECRET)
KEY = new_conversation_key()
LI = "li@user.example"


def test_round_trip_whatever_the_case() -> None:
    address = BOOK.reply_address(KEY, LI)
    assert address.startswith(f"complaints+{KEY}.")
    assert len(address.rpartition("@")[0]) <= 64
    assert BOOK.conversation_of(address, LI) == KEY
    assert BOOK.conversation_of(address.upper(), "Li@User.Example") == KEY


def test_bounce_tags_and_idn_forms_of_the_same_sender() -> None:
    address = BOOK.reply_address(KEY, LI)
    assert BOOK.conversation_of(address, "prvs=123456789a=li@user.example") == KEY
    chinese = BOOK.reply_address(KEY, "li@例子.example")
    assert BOOK.conversation_of(chinese, "li@xn--fsqu00a.example") == KEY
    assert participant("LI@User.example") == LI


def test_every_changed_character_is_refused() -> None:
    address = BOOK.reply_address(KEY, LI)
    local, _, domain = address.rpartition("@")
    start = len("complaints+")
    accepted = [
        changed
        for n in range(start, len(local))
        for other in string.ascii_lowercase + string.digits + ".+-"
        if other != local[n]
        and BOOK.conversation_of(changed := f"{local[:n]}{other}{local[n + 1 :]}@{domain}", LI) is not None
    ]
    assert accepted == []


def test_cut_empty_foreign_and_unknown_versions_are_refused() -> None:
    address = BOOK.reply_address(KEY, LI)
    local, _, domain = address.rpartition("@")
    _, _, signed = local.partition("+")
    key, _, tag = signed.partition(".")
    forged = [f"{local[:n]}@{domain}" for n in range(len(local))]
    forged += [f"{local}{extra}@{domain}" for extra in ("a", ".", "+", " ")]
    forged += [f"complaints+{key}@{domain}", f"complaints+{key}.@{domain}", f"complaints+.{tag}@{domain}"]
    forged += [f"complaints+{key}.{version}{tag[1:]}@{domain}" for version in "023456789a"]
    forged += [f"{local}@other.example", f"help+{signed}@{domain}", INBOX, "", "@", "postmaster"]
    assert [f for f in forged if BOOK.conversation_of(f, LI) is not None] == []


def test_other_participants_keys_and_instances_are_refused() -> None:
    address = BOOK.reply_address(KEY, LI)
    for sender in ("", "eve@evil.example", "li@user.example.evil.example", "xli@user.example"):
        assert BOOK.conversation_of(address, sender) is None
    swapped = BOOK.reply_address(new_conversation_key(), LI).replace(BOOK.reply_address(KEY, LI).partition(".")[2], "x")
    assert BOOK.conversation_of(swapped.replace("complaints+", f"complaints+{KEY[:3]}"), LI) is None
    assert AddressBook(INBOX, b"another secret, of 32 bytes too!").conversation_of(address, LI) is None


def test_a_key_that_is_not_ours_gets_the_plain_inbox() -> None:
    for key in ("", "k1", "A" * 24, "a" * 25, "a@b", "x\r\nBcc: v@x.y"):
        assert BOOK.reply_address(key, LI) == INBOX


def test_keys_are_new_each_time() -> None:
    assert len({new_conversation_key() for _ in range(1000)}) == 1000


def test_own_message_ids() -> None:
    own = BOOK.message_id("01hzx3")
    assert own == BOOK.message_id("01hzx3")
    assert BOOK.is_own_message_id(own)
    assert BOOK.is_own_message_id(BOOK.message_id("spaces and 中文 become a digest"))
    for n in range(1, len(own) - 1):
        changed = own[:n] + ("b" if own[n] != "b" else "c") + own[n + 1 :]
        assert not BOOK.is_own_message_id(changed)
    for foreign in ("", "<1@user.example>", own[:-1], own.replace("exchange", "evil")):
        assert not BOOK.is_own_message_id(foreign)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("li@user.example", True),
        ("li+tag.x_y'z@sub.user.example", True),
        ("a..b@x.example", True),
        ("李雷@例子.公司", True),
        ("victim@exchange.example <attacker@evil.example>", False),
        ("a@b@c.example", False),
        ("a@b.example\r\nRCPT TO:<evil@x.y>", False),
        ("a@b.example\x00", False),
        ("a@b.example\u2028", False),
        ("a@b..example", False),
        ("a@b.example, c@d.example", False),
        ('"a b"@c.example', False),
        ("a\udcff@b.example", False),
        ("@b.example", False),
        ("a@", False),
        ("", False),
    ],
)
def test_what_is_one_mailbox(text: str, expected: bool) -> None:
    assert is_mailbox(text) is expected


def test_a_letter_that_the_desk_begins_is_answered_into_its_own_conversation() -> None:
    """`Capabilities.reaches` promises that this channel takes the desk's keys."""
    key = base64.b32encode(secrets.token_bytes(15)).decode().lower()
    assert BOOK.conversation_of(BOOK.reply_address(key, LI), LI) == key
