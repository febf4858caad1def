"""What do the exchange's records say about the matter? Reads only, and only for a user whose identity is proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from actions.backoffice.contract import (
    BackOffice,
    BackOfficeDown,
    BackOfficeRefused,
    Deposit,
    DepositStatus,
    KycStatus,
    Restriction,
    RestrictionKind,
    Withdrawal,
    WithdrawalStatus,
)

LOOKS_BACK = timedelta(days=90)
"""Movements older than this are a person's to find."""

EXPLAINED = frozenset(
    {
        "large_amount_review",
        "new_address_review",
        "address_not_supported",
        "memo_missing",
        "network_maintenance",
        "security_change",
        "protective_freeze",
        "document_unreadable",
        "name_mismatch",
    }
)
"""The reason codes of docs/backoffice-contract.md; their sentences are "reason_<code>" in bot/wording."""

_SETTLED = frozenset(
    {
        WithdrawalStatus.COMPLETED,
        WithdrawalStatus.RETURNED,
        WithdrawalStatus.CANCELLED,
        DepositStatus.CREDITED,
        DepositStatus.RETURNED,
    }
)
_STUCK = frozenset(
    {
        "withdrawal_failed",
        "withdrawal_unknown",
        "deposit_not_credited",
        "deposit_unknown",
        "kyc_unknown",
        "restriction_unknown",
    }
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The records' answer: `what` was looked up ("withdrawal") and its `status` ("in_review"; "none" if there is none).

    `values` fill the sentence `<what>_status_<status>`; `facts` are for the agent and may name more.
    """

    what: str
    status: str
    values: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    further: tuple[str, ...] = ()
    """Sentences that follow, filled by the same values."""

    @property
    def sentence(self) -> str:
        return f"{self.what}_status_{self.status}"

    @property
    def entities(self) -> Mapping[str, tuple[str, ...]]:
        """What the record names, in the kinds of `bot/understanding`."""
        return {kind: (self.values[kind],) for kind in ("asset", "network") if kind in self.values}

    @property
    def needs_person(self) -> bool:
        """Whether the records themselves say that a person has to act, or say something this version cannot read."""
        return f"{self.what}_{self.status}" in _STUCK


class Unavailable:
    """The records could not be read now."""


class Unreadable:
    """The records will not answer however often they are asked."""


async def look_up(
    backoffice: BackOffice, what: str, uid: str, entities: Mapping[str, tuple[str, ...]], now: datetime
) -> Finding | Unavailable | Unreadable:
    """What the records say about the user's `what`: "withdrawal", "deposit", "kyc" or "restriction".

    `entities` are what the matter has named. Never raises for the peer.
    """
    try:
        match what:
            case "kyc":
                return await _kyc(backoffice, uid)
            case "restriction":
                return _restriction(await backoffice.restrictions(uid))
            case "deposit":
                return _movement(what, await backoffice.deposits(uid, now - LOOKS_BACK), entities)
            case _:
                return _movement(what, await backoffice.withdrawals(uid, now - LOOKS_BACK), entities)
    except BackOfficeDown:
        return Unavailable()
    except BackOfficeRefused:
        return Unreadable()


async def _kyc(backoffice: BackOffice, uid: str) -> Finding | Unreadable:
    user = await backoffice.user(uid)
    if user is None:
        return Unreadable()
    known = user.kyc_status if isinstance(user.kyc_status, KycStatus) else KycStatus.UNKNOWN
    facts = {"kyc_status": known.value, "kyc_level": str(user.kyc_level), "reason_code": user.kyc_reason_code or ""}
    status = "not_started" if known is KycStatus.NONE else known.value
    return Finding(what="kyc", status=status, facts=facts, further=_why(user.kyc_reason_code))


def _restriction(restrictions: Sequence[Restriction]) -> Finding:
    """The gravest closed door, and whether the user can open it: an end that is fixed, or a page of their own."""
    if not restrictions:
        return Finding(what="restriction", status="none")
    chosen = min(restrictions, key=lambda each: _GRAVEST.index(_kind(each)))
    kind, values = _kind(chosen), {"time": moment(chosen.since)}
    facts = {"restriction": kind.value, "since": moment(chosen.since), "reason_code": chosen.reason_code or ""}
    if chosen.until is not None:
        values["until"] = facts["until"] = moment(chosen.until)
    if chosen.self_service_path:
        values["path"] = facts["self_service"] = chosen.self_service_path
    ways = tuple(f"restriction_{name}" for name in ("until", "path") if name in values)
    further = (*_why(chosen.reason_code), *ways)
    return Finding(what="restriction", status=kind.value, values=values, facts=facts, further=further)


_GRAVEST = (
    RestrictionKind.ACCOUNT_FROZEN,
    RestrictionKind.LOGIN_LOCKED,
    RestrictionKind.WITHDRAWALS_PAUSED,
    RestrictionKind.TRADING_PAUSED,
    RestrictionKind.UNKNOWN,
)


def _kind(restriction: Restriction) -> RestrictionKind:
    return restriction.kind if restriction.kind in _GRAVEST else RestrictionKind.UNKNOWN


def _movement(what: str, movements: Sequence[Deposit | Withdrawal], entities: Mapping[str, tuple[str, ...]]) -> Finding:
    if not movements:
        return Finding(what=what, status="none")
    chosen = choose(movements, entities)
    values = {
        "amount": plain(chosen.amount),
        "asset": chosen.asset,
        "network": chosen.network,
        "time": moment(chosen.created_at),
        "tx": shortened(chosen.tx_hash or "-"),
    }
    if isinstance(chosen, Deposit):
        values |= {"seen": str(chosen.confirmations), "needed": str(chosen.confirmations_required)}
    facts = {f"{what}_id": chosen.id, "status": chosen.status.value, **values, "tx_hash": chosen.tx_hash or ""}
    facts["reason_code"] = chosen.reason_code or ""
    return Finding(what=what, status=chosen.status.value, values=values, facts=facts, further=_why(chosen.reason_code))


def _why(reason_code: str | None) -> tuple[str, ...]:
    """The sentence for a reason of the contract; an exchange may give others, about which nothing is told."""
    return (f"reason_{reason_code}",) if reason_code in EXPLAINED else ()


def choose(movements: Sequence[Deposit | Withdrawal], entities: Mapping[str, tuple[str, ...]]) -> Deposit | Withdrawal:
    """The movement that the message is about: the one it names, else the newest unsettled, else the newest."""
    for fits in (_named, _alike):
        if found := [movement for movement in movements if fits(movement, entities)]:
            return found[0]
    unsettled = [movement for movement in movements if movement.status not in _SETTLED]
    return (unsettled or list(movements))[0]


def _named(movement: Deposit | Withdrawal, entities: Mapping[str, tuple[str, ...]]) -> bool:
    hashes = {value.lower() for value in entities.get("tx_hash", ())}
    return movement.id in entities.get("order_id", ()) or (movement.tx_hash or "").lower() in hashes


def _alike(movement: Deposit | Withdrawal, entities: Mapping[str, tuple[str, ...]]) -> bool:
    """Same amount and asset, as in "500 USDT", or the only asset that the message names."""
    amounts = entities.get("amount", ())
    if amounts:
        return f"{plain(movement.amount)} {movement.asset}" in amounts
    assets = set(entities.get("asset", ()))
    return len(assets) == 1 and movement.asset in assets


def plain(amount: Decimal) -> str:
    """The amount without exponent or trailing zeros: 0.5, not 5.0E-1."""
    return f"{amount.normalize():f}"


def moment(at: datetime) -> str:
    """A time as both languages read it: 2026-11-20 14:03 UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def shortened(tx_hash: str) -> str:
    """Enough of a transaction hash to recognise it: 0x3f9a12…c07d."""
    return tx_hash if len(tx_hash) <= 16 else f"{tx_hash[:8]}…{tx_hash[-4:]}"
