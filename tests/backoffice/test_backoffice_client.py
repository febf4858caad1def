"""The client against the real demo exchange: what a desk asks, and what it hears."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from actions.backoffice.contract import (
    BackOffice,
    BackOfficeDown,
    BackOfficeRefused,
    DepositStatus,
    FreezeState,
    KycStatus,
    OrderKind,
    OrderStatus,
    RestrictionKind,
    UserStatus,
    WithdrawalStatus,
)
from actions.backoffice.http import HttpBackOffice
from tests.backoffice.demo_exchange import LONG_AGO, Demo

pytestmark = pytest.mark.asyncio


async def test_user_is_found_by_uid_and_by_address_in_any_case(demo: Demo) -> None:
    async with demo.office() as client:
        office: BackOffice = client
        user = await office.user("10002")
        assert user is not None
        assert (user.name, user.language, user.status) == ("林晓雯", "zh", UserStatus.ACTIVE)
        assert user.created_at.utcoffset() == timedelta(0)
        assert await office.user_by_email("XiaoWen.Lin@Example.com") == user


@pytest.mark.parametrize("uid", ["99999", "", "10001/withdrawals", "..", "１０００１", "a" * 65, "10001\n"])
async def test_unknown_or_impossible_uid_is_nobody(demo: Demo, uid: str) -> None:
    async with demo.office() as office:
        assert await office.user(uid) is None


async def test_unknown_address_is_nobody(demo: Demo) -> None:
    async with demo.office() as office:
        assert await office.user_by_email("nobody@example.com") is None


async def test_rejected_identity_check_says_why(demo: Demo) -> None:
    async with demo.office() as office:
        user = await office.user("10008")
        assert user is not None
        assert (user.kyc_status, user.kyc_reason_code) == (KycStatus.REJECTED, "document_unreadable")


async def test_withdrawals_come_newest_first_with_exact_amounts(demo: Demo) -> None:
    async with demo.office() as office:
        newest, older = await office.withdrawals("10001", LONG_AGO)
    assert (newest.id, newest.status, newest.reason_code) == (
        "WD-70211",
        WithdrawalStatus.IN_REVIEW,
        "large_amount_review",
    )
    assert newest.tx_hash is None
    assert (older.status, older.amount, older.fee) == (
        WithdrawalStatus.COMPLETED,
        Decimal("0.085"),
        Decimal("0.0002"),
    )
    assert older.tx_hash
    assert newest.created_at > older.created_at


async def test_since_leaves_out_what_did_not_change(demo: Demo) -> None:
    async with demo.office() as office:
        recent = await office.withdrawals("10001", datetime.now(UTC) - timedelta(days=2))
        none = await office.withdrawals("10001", datetime.now(UTC) + timedelta(days=1))
    assert [withdrawal.id for withdrawal in recent] == ["WD-70211"]
    assert none == ()


async def test_deposit_on_its_way_tells_its_confirmations(demo: Demo) -> None:
    async with demo.office() as office:
        (deposit,) = await office.deposits("10004", LONG_AGO)
    assert (deposit.status, deposit.confirmations, deposit.confirmations_required) == (
        DepositStatus.CONFIRMING,
        3,
        12,
    )


async def test_liquidation_shows_in_orders_and_trades(demo: Demo) -> None:
    async with demo.office() as office:
        forced, first = await office.orders("10009", LONG_AGO)
        trade = (await office.trades("10009", LONG_AGO))[0]
    assert (forced.kind, forced.price, forced.status) == (OrderKind.LIQUIDATION, None, OrderStatus.FILLED)
    assert first.price == Decimal("64200")
    assert (trade.order_id, trade.liquidation) == (forced.id, True)


async def test_restriction_names_its_end_and_its_page(demo: Demo) -> None:
    async with demo.office() as office:
        (restriction,) = await office.restrictions("10011")
        assert await office.restrictions("10001") == ()
    assert restriction.kind is RestrictionKind.WITHDRAWALS_PAUSED
    assert restriction.until == restriction.since + timedelta(hours=24)
    assert restriction.self_service_path == "/security/review"


async def test_incidents_are_those_of_the_time(demo: Demo) -> None:
    now = datetime.now(UTC)
    async with demo.office() as office:
        (today,) = await office.incidents(now)
        (past,) = await office.incidents(now - timedelta(days=9, hours=-1))
        assert await office.incidents(now - timedelta(days=20)) == ()
    assert (today.networks, today.until) == (("TRC20",), None)
    assert past.until is not None


async def test_freeze_is_one_per_key_and_shows_on_the_account(demo: Demo) -> None:
    async with demo.office() as office:
        asked = await asyncio.gather(*(office.freeze("10003", "theft_reported", "case-1") for _ in range(5)))
        restrictions = await office.restrictions("10003")
        user = await office.user("10003")
    assert len({freeze.id for freeze in asked}) == 1
    assert asked[0].state is FreezeState.ACTIVE
    assert [restriction.kind for restriction in restrictions] == [RestrictionKind.ACCOUNT_FROZEN]
    assert user is not None
    assert user.status is UserStatus.FROZEN


async def test_key_used_for_another_wish_is_refused(demo: Demo) -> None:
    async with demo.office() as office:
        await office.freeze("10010", "theft_reported", "case-2")
        with pytest.raises(BackOfficeRefused, match="freezes with 422"):
            await office.freeze("10012", "theft_reported", "case-2")
        with pytest.raises(BackOfficeRefused, match="freezes with 422"):
            await office.freeze("10010", "another reason", "case-2")
        assert await office.restrictions("10012") == ()


@pytest.mark.parametrize("key", ["", "a\r\nX-Evil: 1", "密钥"])
async def test_key_that_cannot_travel_is_a_mistake_of_ours(demo: Demo, key: str) -> None:
    async with demo.office() as office:
        with pytest.raises(ValueError, match="idempotency key"):
            await office.freeze("10001", "theft_reported", key)


async def test_question_about_nobody_is_refused_without_naming_the_uid(demo: Demo) -> None:
    async with demo.office() as office:
        with pytest.raises(BackOfficeRefused, match="no such user") as refusal:
            await office.withdrawals("99999", LONG_AGO)
        with pytest.raises(BackOfficeRefused, match="cannot exist"):
            await office.freeze("10001/..", "theft_reported", "case-3")
    assert "99999" not in str(refusal.value)


async def test_time_without_a_zone_is_a_mistake_of_ours(demo: Demo) -> None:
    async with demo.office() as office:
        with pytest.raises(ValueError, match="zone"):
            await office.incidents(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("token", ["wrong", "t" * 64])
async def test_wrong_token_is_for_a_person(demo: Demo, token: str) -> None:
    async with demo.office(token) as office:
        with pytest.raises(BackOfficeRefused, match="check the desk's token"):
            await office.user("10001")


async def test_nobody_listening_means_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with HttpBackOffice(f"http://127.0.0.1:{port}", "token") as office:
        with pytest.raises(BackOfficeDown, match="cannot be reached"):
            await office.user("10001")
