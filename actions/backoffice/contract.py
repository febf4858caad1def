"""What the desk may ask the exchange, and in which words the exchange answers.

Every amount is a Decimal, every time an aware datetime in UTC, every list newest first. A status that this
version does not know is read as `unknown`: say nothing about it to the user and let a person look. Reason
codes are open words (`docs/backoffice-contract.md` lists those in use); one you do not know counts as None.

Three outcomes carry the decision: a value, None ("there is no such user"), or one of the two errors below.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class BackOfficeDown(Exception):
    """The back office cannot be reached now; ask again after `after_seconds`, and tell the user that we will.

    Raised when the connection is refused or breaks, when the answer takes too long, and on 429 and 5xx.
    """

    def __init__(self, message: str, after_seconds: int = 30) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class BackOfficeRefused(Exception):
    """The back office will not answer this however often it is asked; a person has to look.

    Raised on 401 and 403, on an answer outside the contract, and when a question presumes a user who does not
    exist. The message names the path and the field, and nothing personal.
    """


class UserStatus(StrEnum):
    """Whether the account can be used."""

    ACTIVE = "active"
    RESTRICTED = "restricted"  # some doors are closed: see `restrictions`
    FROZEN = "frozen"  # nothing can be moved
    CLOSED = "closed"
    UNKNOWN = "unknown"


class KycStatus(StrEnum):
    """How the last identity check stands."""

    NONE = "none"  # never started
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"  # why: `User.kyc_reason_code`
    UNKNOWN = "unknown"


class DepositStatus(StrEnum):
    """Where a deposit is on its way to the balance."""

    CONFIRMING = "confirming"  # seen on the network: see `Deposit.confirmations`
    CREDITED = "credited"
    NOT_CREDITED = "not_credited"  # arrived but not booked: see `Deposit.reason_code`
    RETURNED = "returned"
    UNKNOWN = "unknown"


class WithdrawalStatus(StrEnum):
    """Where a withdrawal is on its way out."""

    IN_REVIEW = "in_review"  # held for a check: see `Withdrawal.reason_code`
    PROCESSING = "processing"  # approved, not yet sent
    BROADCAST = "broadcast"  # on the network, not yet confirmed there
    COMPLETED = "completed"
    FAILED = "failed"  # not sent, the amount is not yet back on the balance
    RETURNED = "returned"  # not sent, the amount is back on the balance
    CANCELLED = "cancelled"  # by the user
    UNKNOWN = "unknown"


class OrderStatus(StrEnum):
    """What became of an order."""

    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class OrderKind(StrEnum):
    """How an order came to be."""

    LIMIT = "limit"
    MARKET = "market"
    STOP = "stop"
    LIQUIDATION = "liquidation"  # placed by the exchange to close a position
    UNKNOWN = "unknown"


class Side(StrEnum):
    """Which way an order or trade goes."""

    BUY = "buy"
    SELL = "sell"
    UNKNOWN = "unknown"


class RestrictionKind(StrEnum):
    """What the user cannot do."""

    WITHDRAWALS_PAUSED = "withdrawals_paused"
    TRADING_PAUSED = "trading_paused"
    LOGIN_LOCKED = "login_locked"
    ACCOUNT_FROZEN = "account_frozen"
    UNKNOWN = "unknown"


class FreezeState(StrEnum):
    """How far a protective freeze has come."""

    REQUESTED = "requested"  # accepted, not yet in force
    ACTIVE = "active"
    LIFTED = "lifted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class User:
    """A registered user. `language` is a BCP 47 tag ("en", "zh"); `kyc_level` counts from 0 (unverified)."""

    uid: str
    name: str
    email: str
    language: str
    kyc_level: int
    kyc_status: KycStatus
    kyc_reason_code: str | None
    status: UserStatus
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Deposit:
    """Coins on their way in. `memo` is what the sender gave; None when nothing was given."""

    id: str
    asset: str
    network: str
    amount: Decimal
    address: str
    memo: str | None
    tx_hash: str
    status: DepositStatus
    confirmations: int
    confirmations_required: int
    created_at: datetime
    updated_at: datetime
    reason_code: str | None


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """Coins on their way out. `amount` arrives, `fee` comes on top; `tx_hash` is None until broadcast."""

    id: str
    asset: str
    network: str
    amount: Decimal
    fee: Decimal
    address: str
    tx_hash: str | None
    status: WithdrawalStatus
    created_at: datetime
    updated_at: datetime
    reason_code: str | None


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order on `market` ("BTC-USDT"). `price` is in the quote asset, None for an order without a limit."""

    id: str
    market: str
    side: Side
    kind: OrderKind
    price: Decimal | None
    quantity: Decimal
    filled: Decimal
    status: OrderStatus
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class Trade:
    """One execution of an order; `fee` is in `fee_asset`, `liquidation` says that the exchange forced it."""

    id: str
    order_id: str
    market: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    liquidation: bool
    executed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Restriction:
    """A door that is closed to the user.

    `until` is None when no end is fixed. `self_service_path` is the page on the exchange's site where the
    user can open it again ("/security/review"), None when only a person can.
    """

    kind: RestrictionKind
    since: datetime
    until: datetime | None
    reason_code: str | None
    self_service_path: str | None


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something that is or was wrong on the platform; `until` is None while it lasts."""

    id: str
    title_en: str
    title_zh: str
    since: datetime
    until: datetime | None
    assets: tuple[str, ...]
    networks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """A protective freeze that the desk asked for."""

    id: str
    uid: str
    state: FreezeState
    requested_at: datetime
    reason: str


class BackOffice(Protocol):
    """The exchange, as the desk may use it. Every method may raise BackOfficeDown or BackOfficeRefused.

    `since` must be aware and means "created or changed at or after". A list about a user who does not exist
    raises BackOfficeRefused: call `user` first when the uid is only claimed.
    """

    async def user(self, uid: str) -> User | None:
        """The user with this uid, or None."""

    async def user_by_email(self, email: str) -> User | None:
        """The user registered with this address (upper and lower case are the same), or None."""

    async def deposits(self, uid: str, since: datetime) -> tuple[Deposit, ...]:
        """The user's deposits, newest first."""

    async def withdrawals(self, uid: str, since: datetime) -> tuple[Withdrawal, ...]:
        """The user's withdrawals, newest first."""

    async def orders(self, uid: str, since: datetime) -> tuple[Order, ...]:
        """The user's orders, newest first."""

    async def trades(self, uid: str, since: datetime) -> tuple[Trade, ...]:
        """The user's trades, newest first."""

    async def restrictions(self, uid: str) -> tuple[Restriction, ...]:
        """What is closed to the user now."""

    async def incidents(self, at: datetime) -> tuple[Incident, ...]:
        """What was wrong on the platform at that time."""

    async def freeze(self, uid: str, reason: str, idempotency_key: str) -> Freeze:
        """Asks for a protective freeze: nothing leaves the account until a person at the exchange lifts it.

        Repeating a key gives the same freeze: a call that ended in BackOfficeDown is repeated with its key.
        `reason` is a code or a short sentence of ours, never the user's own words.
        """
