"""The rules of proof, as tables of named cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.identity.codes import Codes
from bot.identity.policy import (
    Limits,
    MaySend,
    Verdict,
    judge_code,
    locks,
    longer_lasting,
    masked_address,
    may_send,
    proof_holds,
    proven,
    same_address,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LIMITS = Limits(code_life=timedelta(minutes=10), tries=3, sends=3, proof_life=timedelta(hours=12))
SOON = NOW + timedelta(minutes=1)


def ago(*hours: float) -> list[datetime]:
    return [NOW - timedelta(hours=each) for each in hours]


SENDS = {
    "none so far": ([], [], MaySend.YES),
    "two here, two to the account": (ago(1, 2), ago(1, 2), MaySend.YES),
    "three here": (ago(1, 2, 3), [], MaySend.CONVERSATION_FULL),
    "three to the account, from elsewhere": ([], ago(1, 2, 3), MaySend.ACCOUNT_FULL),
    "both full: what is said is about the conversation": (ago(1, 2, 3), ago(1, 2, 3), MaySend.CONVERSATION_FULL),
    "the third is a day old to the second": (ago(1, 2, 24), ago(1, 2, 24), MaySend.YES),
    "the third is a second younger than a day": ([*ago(1, 2), *ago(23.9998)], [], MaySend.CONVERSATION_FULL),
}


@pytest.mark.parametrize("name", SENDS)
def test_how_often_a_code_may_be_sent(name: str) -> None:
    here, account, wanted = SENDS[name]
    assert may_send(here, account, LIMITS, NOW) is wanted


VERDICTS: Mapping[str, tuple[dict[str, Any], Verdict]] = {
    "right": ({"matches": True}, Verdict.RIGHT),
    "wrong": ({"matches": False}, Verdict.WRONG),
    "right after the last try": ({"matches": True, "state": "locked"}, Verdict.LOCKED),
    "locked and run out": ({"matches": True, "state": "locked", "expires_at": NOW}, Verdict.LOCKED),
    "right to the second when it runs out": ({"matches": True, "expires_at": NOW}, Verdict.OVER),
    "wrong when it has run out": ({"matches": False, "expires_at": NOW}, Verdict.OVER),
    "used before": ({"matches": True, "state": "used"}, Verdict.OVER),
    "a newer one was sent": ({"matches": True, "state": "void"}, Verdict.OVER),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_what_a_typed_code_is_worth(name: str) -> None:
    known, wanted = VERDICTS[name]
    assert judge_code(**{"state": "live", "expires_at": SOON, "at": NOW, **known}) is wanted


@pytest.mark.parametrize(("tries", "locked"), [(0, False), (2, False), (3, True), (7, True)])
def test_a_code_is_locked_by_the_last_wrong_try(tries: int, locked: bool) -> None:
    assert locks(tries, LIMITS) is locked


ACCOUNT = {"uid": "1", "name": "Li", "proven_by": "app token", "until": SOON.isoformat(), "email": "a@example.com"}
PROOFS: Mapping[str, tuple[Mapping[str, Any] | None, bool]] = {
    "proven": (ACCOUNT, True),
    "nothing": (None, False),
    "an empty account": ({}, False),
    "run out": ({**ACCOUNT, "until": NOW.isoformat()}, False),
    "without an end, as older versions stored it": ({"uid": "1", "name": "Li", "proven_by": "app token"}, False),
    "an empty end": ({**ACCOUNT, "until": ""}, False),
    "claimed only": ({**ACCOUNT, "proven_by": ""}, False),
    "of nobody": ({**ACCOUNT, "uid": ""}, False),
    "in another time zone": ({**ACCOUNT, "until": "2026-11-22T17:00:01+08:00"}, True),
}


@pytest.mark.parametrize("name", PROOFS)
def test_when_a_proof_holds(name: str) -> None:
    account, wanted = PROOFS[name]
    assert proof_holds(account, NOW) is wanted
    assert (proven(account, NOW) is not None) is wanted


def test_the_bot_gets_no_more_of_the_account_than_it_needs() -> None:
    assert proven(ACCOUNT, NOW) == {"uid": "1", "name": "Li", "proven_by": "app token"}


def test_the_proof_that_lasts_longer_is_kept_with_the_address_of_either() -> None:
    code = {**ACCOUNT, "proven_by": "one-time code", "until": (NOW + timedelta(hours=12)).isoformat()}
    token = {**ACCOUNT, "email": ""}
    assert longer_lasting(None, token) == token
    assert longer_lasting(code, token) == code
    assert longer_lasting(token, code) == code
    assert longer_lasting({**token, "email": "a@example.com"}, {**code, "email": ""})["email"] == "a@example.com"


def test_another_user_takes_the_place_of_the_first_however_long_that_proof_lasts() -> None:
    other = {**ACCOUNT, "uid": "2", "email": ""}
    assert longer_lasting({**ACCOUNT, "until": (NOW + timedelta(days=9)).isoformat()}, other) == other


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a@example.com", " A@Example.com ", True),
        ("a@example.com", "b@example.com", False),
        ("ß@example.com", "SS@example.com", True),
    ],
)
def test_addresses_are_compared_as_people_write_them(one: str, other: str, same: bool) -> None:
    assert same_address(one, other) is same


@pytest.mark.parametrize(
    ("address", "masked"),
    [("emma.clarke@example.com", "e***@example.com"), ("王@例子.测试", "王***@例子.测试"), ("@x", "***@x")],
)
def test_agents_see_a_masked_address(address: str, masked: str) -> None:
    assert masked_address(address) == masked


CODES = Codes(b"k" * 32)


@given(st.text(min_size=1, max_size=40), st.integers(1, 10**9), st.text(max_size=20), st.text(max_size=60))
def test_a_code_is_six_digits_and_matches_only_what_it_was_made_for(
    nonce: str, conversation_id: int, uid: str, address: str
) -> None:
    code = CODES.code(nonce, conversation_id, uid, address)
    assert len(code) == 6
    assert code.isdecimal()
    assert CODES.matches(code, nonce, conversation_id, uid, address)
    assert not CODES.matches(code, nonce, conversation_id, None, address)
    assert not CODES.matches(code + "0", nonce, conversation_id, uid, address)


def test_everything_that_a_code_is_bound_to_changes_it() -> None:
    made = [CODES.new_nonce() for _ in range(40)]
    plain = [CODES.code(nonce, 1, "10001", "a@example.com") for nonce in made]
    for other in (
        [CODES.code(nonce, 2, "10001", "a@example.com") for nonce in made],
        [CODES.code(nonce, 1, "10002", "a@example.com") for nonce in made],
        [CODES.code(nonce, 1, "10001", "b@example.com") for nonce in made],
        [Codes(b"l" * 32).code(nonce, 1, "10001", "a@example.com") for nonce in made],
    ):
        assert sum(one != two for one, two in zip(plain, other, strict=True)) > 35
    assert len(set(plain)) > 35


NEARLY: Mapping[str, Callable[[str], str]] = {
    "nothing": lambda code: "",
    "a digit short": lambda code: code[:-1],
    "a digit more": lambda code: f"{code}0",
    "a line end": lambda code: f"{code}\n",
    "full width": lambda code: "".join(chr(ord(digit) + 0xFEE0) for digit in code),
    "the last digit is another": lambda code: code[:-1] + str((int(code[-1]) + 1) % 10),
}


@pytest.mark.parametrize("name", NEARLY)
def test_what_is_nearly_the_code_does_not_match(name: str) -> None:
    bound = ("n", 1, "10001", "a@example.com")
    code = CODES.code(*bound)
    assert CODES.matches(code, *bound)
    assert not CODES.matches(NEARLY[name](code), *bound)


def test_an_account_is_named_without_saying_which_it_is() -> None:
    key = CODES.account_key("email", " Emma@Example.com")
    assert key == CODES.account_key("email", "emma@example.com")
    assert key != CODES.account_key("uid", "emma@example.com")
    assert key != Codes(b"l" * 32).account_key("email", "emma@example.com")
    assert "emma" not in key
