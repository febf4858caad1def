"""What is read from the exchange's records, and what becomes of records that do not answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from actions.backoffice.contract import (
    BackOfficeDown,
    BackOfficeRefused,
    Deposit,
    DepositStatus,
    Freeze,
    Incident,
    KycStatus,
    Order,
    Restriction,
    RestrictionKind,
    Trade,
    User,
    UserStatus,
    Withdrawal,
    WithdrawalStatus,
)
from actions.lookup import EXPLAINED, Finding, Unavailable, Unreadable, choose, look_up, plain, shortened
from bot.wording import load

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HASH = "0x" + "3f9a12" * 10 + "c07d"
WITHDRAWAL = Withdrawal(
    id="w1",
    asset="USDT",
    network="TRC20",
    amount=Decimal("500.00"),
    fee=Decimal("1"),
    address="T9",
    tx_hash=HASH,
    status=WithdrawalStatus.BROADCAST,
    created_at=NOW - timedelta(hours=2),
    updated_at=NOW,
    reason_code=None,
)
DEPOSIT = Deposit(
    id="d1",
    asset="BTC",
    network="BTC",
    amount=Decimal("0.50"),
    address="bc1",
    memo=None,
    tx_hash=HASH,
    status=DepositStatus.CONFIRMING,
    confirmations=1,
    confirmations_required=3,
    created_at=NOW,
    updated_at=NOW,
    reason_code=None,
)
USER = User(
    uid="u1",
    name="A",
    email="a@example.com",
    language="en",
    kyc_level=1,
    kyc_status=KycStatus.NONE,
    kyc_reason_code=None,
    status=UserStatus.ACTIVE,
    created_at=NOW,
)


class Records:
    """A back office that holds what a test puts in. `fault` is raised instead, when set."""

    def __init__(
        self,
        withdrawals: tuple[Withdrawal, ...] = (),
        deposits: tuple[Deposit, ...] = (),
        user: User | None = None,
        restrictions: tuple[Restriction, ...] = (),
        fault: Exception | None = None,
    ) -> None:
        self._withdrawals = withdrawals
        self._deposits = deposits
        self._user = user
        self._restrictions = restrictions
        self._fault = fault
        self.asked: list[tuple[str, datetime | None]] = []

    def _answer[T](self, uid: str, since: datetime | None, value: T) -> T:
        self.asked.append((uid, since))
        if self._fault:
            raise self._fault
        return value

    async def user(self, uid: str) -> User | None:
        return self._answer(uid, None, self._user)

    async def withdrawals(self, uid: str, since: datetime) -> tuple[Withdrawal, ...]:
        return self._answer(uid, since, self._withdrawals)

    async def deposits(self, uid: str, since: datetime) -> tuple[Deposit, ...]:
        return self._answer(uid, since, self._deposits)

    async def user_by_email(self, email: str) -> User | None:
        raise NotImplementedError

    async def orders(self, uid: str, since: datetime) -> tuple[Order, ...]:
        raise NotImplementedError

    async def trades(self, uid: str, since: datetime) -> tuple[Trade, ...]:
        raise NotImplementedError

    async def restrictions(self, uid: str) -> tuple[Restriction, ...]:
        return self._answer(uid, None, self._restrictions)

    async def incidents(self, at: datetime) -> tuple[Incident, ...]:
        raise NotImplementedError

    async def freeze(self, uid: str, reason: str, idempotency_key: str) -> Freeze:
        raise NotImplementedError


def found(records: Records, what: str) -> Finding | Unavailable | Unreadable:
    return asyncio.run(look_up(records, what, "u1", {}, NOW))


def test_a_withdrawal_is_told_in_values_that_both_languages_read() -> None:
    records = Records(withdrawals=(WITHDRAWAL,))
    finding = found(records, "withdrawal")
    assert isinstance(finding, Finding)
    assert finding.sentence == "withdrawal_status_broadcast"
    assert finding.values == {
        "amount": "500",
        "asset": "USDT",
        "network": "TRC20",
        "time": "2026-11-20 10:00 UTC",
        "tx": "0x3f9a12…c07d",
    }
    assert finding.facts["withdrawal_id"] == "w1"
    assert finding.facts["tx_hash"] == HASH
    assert records.asked == [("u1", NOW - timedelta(days=90))]


def test_a_deposit_is_told_with_its_confirmations() -> None:
    finding = found(Records(deposits=(DEPOSIT,)), "deposit")
    assert isinstance(finding, Finding)
    assert finding.sentence == "deposit_status_confirming"
    assert (finding.values["amount"], finding.values["seen"], finding.values["needed"]) == ("0.5", "1", "3")


def test_nothing_found_is_a_finding_too() -> None:
    finding = found(Records(), "withdrawal")
    assert isinstance(finding, Finding)
    assert finding.sentence == "withdrawal_status_none"
    assert not finding.needs_person


@pytest.mark.parametrize(
    ("status", "sentence"), [(KycStatus.NONE, "kyc_status_not_started"), (KycStatus.PENDING, "kyc_status_pending")]
)
def test_the_identity_check_is_told(status: KycStatus, sentence: str) -> None:
    finding = found(Records(user=replace(USER, kyc_status=status)), "kyc")
    assert isinstance(finding, Finding)
    assert finding.sentence == sentence


def test_an_unknown_status_is_for_a_person() -> None:
    for finding in (
        found(Records(withdrawals=(replace(WITHDRAWAL, status=WithdrawalStatus.UNKNOWN),)), "withdrawal"),
        found(Records(withdrawals=(replace(WITHDRAWAL, status=WithdrawalStatus.FAILED),)), "withdrawal"),
        found(Records(deposits=(replace(DEPOSIT, status=DepositStatus.NOT_CREDITED),)), "deposit"),
        found(Records(user=replace(USER, kyc_status=KycStatus.UNKNOWN)), "kyc"),
        found(Records(restrictions=(replace(PAUSED, kind=RestrictionKind.UNKNOWN),)), "restriction"),
    ):
        assert isinstance(finding, Finding)
        assert finding.needs_person


PAUSED = Restriction(
    kind=RestrictionKind.WITHDRAWALS_PAUSED,
    since=NOW - timedelta(hours=4),
    until=NOW + timedelta(hours=20),
    reason_code="security_change",
    self_service_path="/security/review",
)


def test_a_restriction_is_told_with_its_end_and_the_page_that_lifts_it() -> None:
    finding = found(Records(restrictions=(PAUSED,)), "restriction")
    assert isinstance(finding, Finding)
    assert finding.sentence == "restriction_status_withdrawals_paused"
    assert finding.further == ("reason_security_change", "restriction_until", "restriction_path")
    assert finding.values == {
        "time": "2026-11-20 08:00 UTC",
        "until": "2026-11-21 08:00 UTC",
        "path": "/security/review",
    }
    assert finding.facts["reason_code"] == "security_change"


def test_of_several_restrictions_the_gravest_is_told() -> None:
    frozen = replace(PAUSED, kind=RestrictionKind.ACCOUNT_FROZEN, until=None, self_service_path=None, reason_code="new")
    finding = found(Records(restrictions=(PAUSED, frozen)), "restriction")
    assert isinstance(finding, Finding)
    assert (finding.status, finding.further) == ("account_frozen", ())


@pytest.mark.parametrize("reason", sorted(EXPLAINED))
def test_a_reason_of_the_contract_is_told_and_another_one_is_not(reason: str) -> None:
    for code, told in ((reason, (f"reason_{reason}",)), ("of_another_exchange", ()), (None, ())):
        finding = found(Records(withdrawals=(replace(WITHDRAWAL, reason_code=code),)), "withdrawal")
        assert isinstance(finding, Finding)
        assert finding.further == told
    assert load().knows(f"bot.reason_{reason}")


def test_no_restriction_is_a_finding_too() -> None:
    finding = found(Records(), "restriction")
    assert isinstance(finding, Finding)
    assert (finding.status, finding.needs_person) == ("none", False)


@pytest.mark.parametrize("what", ["withdrawal", "deposit", "kyc", "restriction"])
def test_a_peer_that_is_down_or_refuses_is_told_apart(what: str) -> None:
    assert isinstance(found(Records(fault=BackOfficeDown("down")), what), Unavailable)
    assert isinstance(found(Records(fault=BackOfficeRefused("no")), what), Unreadable)


def test_a_user_who_does_not_exist_is_for_a_person() -> None:
    assert isinstance(found(Records(user=None), "kyc"), Unreadable)


DONE = replace(WITHDRAWAL, id="w0", status=WithdrawalStatus.COMPLETED, tx_hash="0xaa", amount=Decimal("7"))
OTHER = replace(WITHDRAWAL, id="w2", asset="BTC", amount=Decimal("0.1"), tx_hash="0xbb")


@pytest.mark.parametrize(
    ("entities", "wanted"),
    [
        ({}, "w1"),
        ({"tx_hash": ("0xAA",)}, "w0"),
        ({"order_id": ("w2",)}, "w2"),
        ({"amount": ("0.1 BTC",)}, "w2"),
        ({"amount": ("9 BTC",)}, "w1"),
        ({"asset": ("BTC",)}, "w2"),
        ({"asset": ("BTC", "USDT")}, "w1"),
    ],
)
def test_the_movement_that_is_meant_is_chosen(entities: dict[str, tuple[str, ...]], wanted: str) -> None:
    assert choose([DONE, WITHDRAWAL, OTHER], entities).id == wanted


def test_when_all_is_settled_the_newest_is_chosen() -> None:
    assert choose([DONE, replace(DONE, id="w9")], {}).id == "w0"


def test_amounts_and_hashes_are_plain() -> None:
    assert [plain(Decimal(text)) for text in ("500.00", "0.50", "1E+3", "0.00000001")] == [
        "500",
        "0.5",
        "1000",
        "0.00000001",
    ]
    assert shortened("0xaa") == "0xaa"
