"""The client against peers that answer badly, late, endlessly or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actions.backoffice.contract import BackOfficeDown, BackOfficeRefused, UserStatus, WithdrawalStatus
from actions.backoffice.http import MAX_ANSWER_BYTES, MAX_PAGES
from tests.backoffice.demo_exchange import LONG_AGO, talking_to

pytestmark = pytest.mark.asyncio

USER: dict[str, Any] = {
    "uid": "7",
    "name": "Ann",
    "email": "ann@example.com",
    "language": "en",
    "kyc_level": 1,
    "kyc_status": "pending",
    "kyc_reason_code": None,
    "status": "active",
    "created_at": "2026-01-31T16:15:00+08:00",
}
WITHDRAWAL: dict[str, Any] = {
    "id": "W1",
    "asset": "BTC",
    "network": "BTC",
    "amount": "0.10",
    "fee": "0",
    "address": "a",
    "tx_hash": None,
    "status": "completed",
    "created_at": "2026-01-31T08:15:00Z",
    "updated_at": "2026-01-31T08:15:00Z",
    "reason_code": None,
}


def answer(status: int, body: bytes | object, headers: str = "") -> bytes:
    """An HTTP/1.1 answer as bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n{headers}\r\n".encode() + content


def page(*items: object, next_cursor: object = None) -> bytes:
    return answer(200, {"items": items, "next_cursor": next_cursor})


async def test_words_and_fields_of_a_newer_contract_are_read() -> None:
    async with talking_to(answer(200, USER | {"status": "hibernating", "shoe_size": 43})) as office:
        user = await office.user("7")
    assert user is not None
    assert user.status is UserStatus.UNKNOWN
    assert user.created_at.isoformat() == "2026-01-31T08:15:00+00:00"
    async with talking_to(page(WITHDRAWAL | {"status": "teleported"})) as office:
        (withdrawal,) = await office.withdrawals("7", LONG_AGO)
    assert withdrawal.status is WithdrawalStatus.UNKNOWN
    assert str(withdrawal.amount) == "0.10"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"kyc_level": "1"}, "kyc_level is not a whole number"),
        ({"kyc_level": True}, "kyc_level is not a whole number"),
        ({"name": None}, "name is not a string"),
        ({"kyc_reason_code": 5}, "kyc_reason_code is not a string"),
        ({"status": 1}, "status is not a string"),
        ({"created_at": "yesterday"}, "created_at is not an ISO 8601 time"),
        ({"created_at": "2026-01-31T08:15:00"}, "created_at is a time without a zone"),
    ],
)
async def test_malformed_user_names_path_and_field(changes: dict[str, object], complaint: str) -> None:
    async with talking_to(answer(200, USER | changes)) as office:
        with pytest.raises(BackOfficeRefused, match=complaint) as refusal:
            await office.user("7")
    assert "/v1/users/{uid}" in str(refusal.value)


@pytest.mark.parametrize("amount", [0.1, 1, "NaN", "1e5", "", "1,000", "٣", "1_000"])
async def test_amount_that_is_not_a_plain_decimal_string_is_refused(amount: object) -> None:
    async with talking_to(page(WITHDRAWAL, WITHDRAWAL | {"amount": amount})) as office:
        with pytest.raises(BackOfficeRefused, match=r"items\[1\]\.amount is not a decimal"):
            await office.withdrawals("7", LONG_AGO)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"<html>welcome</html>", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"[]", "is not an object"),
        (b"{}", "lacks the field uid"),
        (b"null", "is not an object"),
        (b" " * (MAX_ANSWER_BYTES + 1), "over"),
    ],
)
async def test_garbage_is_refused(body: bytes, complaint: str) -> None:
    async with talking_to(answer(200, body)) as office:
        with pytest.raises(BackOfficeRefused, match=complaint):
            await office.user("7")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ([], "without the fields items"),
        ({"items": []}, "without the fields items"),
        ({"items": {}, "next_cursor": None}, "items is not a list"),
        ({"items": [], "next_cursor": 7}, "next_cursor that is not a string"),
    ],
)
async def test_list_that_is_no_page_is_refused(body: object, complaint: str) -> None:
    async with talking_to(answer(200, body)) as office:
        with pytest.raises(BackOfficeRefused, match=complaint):
            await office.withdrawals("7", LONG_AGO)


async def test_list_without_end_is_refused_rather_than_cut() -> None:
    # Each answer closes its connection, so that the next page is asked anew.
    endless = page(WITHDRAWAL, next_cursor="again").replace(b" X\r\n", b" X\r\nConnection: close\r\n", 1)
    async with talking_to(endless) as office:
        with pytest.raises(BackOfficeRefused, match=f"more than {MAX_PAGES} pages"):
            await office.withdrawals("7", LONG_AGO)


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (500, "", 30),
        (503, "Retry-After: 7\r\n", 7),
        (429, "Retry-After: 999999\r\n", 3600),
        (502, "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", 30),
    ],
)
async def test_trouble_at_the_exchange_means_later(status: int, headers: str, wait: int) -> None:
    async with talking_to(answer(status, b"", headers)) as office:
        with pytest.raises(BackOfficeDown, match=str(status)) as trouble:
            await office.user("7")
    assert trouble.value.after_seconds == wait


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 418, 204])
async def test_other_statuses_are_for_a_person(status: int) -> None:
    """A 404 too: without the code `user_not_found` it means a wrong address, not a missing user."""
    async with talking_to(answer(status, {"code": "gone"}, "Location: http://127.0.0.1:9/\r\n")) as office:
        with pytest.raises(BackOfficeRefused, match=str(status)):
            await office.user("7")


async def test_garbled_compression_is_for_a_person() -> None:
    async with talking_to(answer(200, b"not gzip", "Content-Encoding: gzip\r\n")) as office:
        with pytest.raises(BackOfficeRefused, match="compression"):
            await office.user("7")


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
async def test_connection_that_breaks_means_later(start: bytes) -> None:
    async with talking_to(start) as office:
        with pytest.raises(BackOfficeDown, match="cannot be reached"):
            await office.user("7")


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
async def test_answer_that_does_not_come_means_later(start: bytes) -> None:
    async with talking_to(start, close=False, timeout_seconds=0.2) as office:
        with pytest.raises(BackOfficeDown, match=r"/v1/users/\{uid\}"):
            await office.user("7")
