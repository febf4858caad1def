"""The people of the demo exchange and what happened to them.

The same for every run except for the times, which count back from the moment of seeding. Names, addresses and
hashes belong to nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from actions.backoffice.contract import (
    Deposit,
    DepositStatus,
    Incident,
    KycStatus,
    Order,
    OrderKind,
    OrderStatus,
    Restriction,
    RestrictionKind,
    Side,
    Trade,
    User,
    UserStatus,
    Withdrawal,
    WithdrawalStatus,
)
from actions.backoffice.demo.store import Record


def seed(now: datetime) -> Iterator[Record]:
    """Everything in the books of a new demo exchange."""
    past = _Past(now.replace(microsecond=0))
    for incident in _incidents(past):
        yield Record(owner="", content=incident)
    for user in _users(past):
        yield Record(owner=user.uid, content=user)
    for tell in (_withdrawals, _deposits, _restrictions, _orders, _trades):
        for uid, content in tell(past):
            yield Record(owner=uid, content=content)


@dataclass(frozen=True)
class _Past:
    """Says when something was, counted back from the seeding."""

    now: datetime

    def ago(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        return self.now - timedelta(days=days, hours=hours, minutes=minutes)


def _incidents(past: _Past) -> Iterator[Incident]:
    yield Incident(
        id="INC-2031",
        title_en="TRC20 deposits and withdrawals are paused for network maintenance",
        title_zh="TRC20 网络维护，充值与提现暂停",
        since=past.ago(hours=2),
        until=None,
        assets=("USDT", "TRX"),
        networks=("TRC20",),
    )
    yield Incident(
        id="INC-2024",
        title_en="ERC20 deposits were credited late",
        title_zh="ERC20 充值到账延迟",
        since=past.ago(days=9),
        until=past.ago(days=9, hours=-3),
        assets=("ETH", "USDT", "USDC"),
        networks=("ERC20",),
    )


def _users(past: _Past) -> Iterator[User]:
    yield _user(past, "10001", "Emma Clarke", "emma.clarke@example.com", "en")
    yield _user(past, "10002", "林晓雯", "xiaowen.lin@example.com", "zh")
    yield _user(past, "10003", "Daniel Okafor", "daniel.okafor@example.com", "en")
    yield _user(past, "10004", "王建国", "jianguo.wang@example.com", "zh")
    yield _user(past, "10005", "Sofia Marino", "sofia.marino@example.com", "en")
    yield _user(past, "10006", "陈思远", "siyuan.chen@example.com", "zh")
    yield _user(past, "10007", "Liam Novak", "liam.novak@example.com", "en", status=UserStatus.RESTRICTED)
    yield _user(past, "10008", "赵雨晴", "yuqing.zhao@example.com", "zh", kyc_refusal="document_unreadable")
    yield _user(past, "10009", "Aisha Rahman", "aisha.rahman@example.com", "en")
    yield _user(past, "10010", "黄志强", "zhiqiang.huang@example.com", "zh")
    yield _user(past, "10011", "刘佳怡", "jiayi.liu@example.com", "zh", status=UserStatus.RESTRICTED)
    yield _user(past, "10012", "Grace Miller", "grace.miller@example.com", "en", kyc_refusal="name_mismatch")


def _user(
    past: _Past,
    uid: str,
    name: str,
    email: str,
    language: str,
    status: UserStatus = UserStatus.ACTIVE,
    kyc_refusal: str | None = None,
) -> User:
    return User(
        uid=uid,
        name=name,
        email=email,
        language=language,
        kyc_level=1 if kyc_refusal else 2,
        kyc_status=KycStatus.REJECTED if kyc_refusal else KycStatus.APPROVED,
        kyc_reason_code=kyc_refusal,
        status=status,
        created_at=past.ago(days=int(uid) % 100 * 37 + 60),
    )


def _withdrawals(past: _Past) -> Iterator[tuple[str, Withdrawal]]:
    kind = WithdrawalStatus
    held = past.ago(hours=5)
    yield (
        "10001",
        _withdrawal("70211", "USDT ERC20 1200 4.5", kind.IN_REVIEW, held, held, "large_amount_review"),
    )
    sent = past.ago(days=12)
    yield (
        "10001",
        _withdrawal("70102", "BTC BTC 0.085 0.0002", kind.COMPLETED, sent, past.ago(days=12, hours=-1)),
    )
    held = past.ago(hours=7)
    yield (
        "10002",
        _withdrawal("70208", "ETH ERC20 2.4 0.0016", kind.IN_REVIEW, held, held, "new_address_review"),
    )
    sent = past.ago(days=1)
    yield "10002", _withdrawal("70195", "USDT ERC20 350 4.5", kind.COMPLETED, sent, past.ago(hours=23))
    failed = past.ago(days=2)
    returned = past.ago(days=2, hours=-4)
    amount = "USDC ERC20 500 4.5"
    yield "10003", _withdrawal("70188", amount, kind.RETURNED, failed, returned, "address_not_supported")
    yield (
        "10005",
        _withdrawal("70214", "BTC BTC 0.02 0.0002", kind.BROADCAST, past.ago(hours=1), past.ago(minutes=25)),
    )
    failed = past.ago(days=3)
    returned = past.ago(days=3, hours=-2)
    yield "10006", _withdrawal("70171", "XRP XRP 800 0.2", kind.RETURNED, failed, returned, "memo_missing")
    asked = past.ago(hours=3)
    stopped = past.ago(hours=2)
    amount = "USDT TRC20 900 1"
    yield "10010", _withdrawal("70212", amount, kind.PROCESSING, asked, stopped, "network_maintenance")


def _withdrawal(
    number: str,
    what: str,
    status: WithdrawalStatus,
    created: datetime,
    changed: datetime,
    reason: str | None = None,
) -> Withdrawal:
    """`what` is "asset network amount fee"."""
    asset, network, amount, fee = what.split()
    on_network = status in (WithdrawalStatus.BROADCAST, WithdrawalStatus.COMPLETED)
    return Withdrawal(
        id=f"WD-{number}",
        asset=asset,
        network=network,
        amount=Decimal(amount),
        fee=Decimal(fee),
        address=_address(network, number),
        tx_hash=_tx_hash(network, number) if on_network else None,
        status=status,
        created_at=created,
        updated_at=changed,
        reason_code=reason,
    )


def _deposits(past: _Past) -> Iterator[tuple[str, Deposit]]:
    kind = DepositStatus
    seen = past.ago(minutes=12)
    yield (
        "10003",
        _deposit("50431", "ETH ERC20 0.75 12/12", kind.CREDITED, past.ago(days=9), past.ago(days=8.9)),
    )
    yield "10004", _deposit("50477", "ETH ERC20 1.5 3/12", kind.CONFIRMING, seen, past.ago(minutes=9))
    yield (
        "10005",
        _deposit("50470", "USDT ERC20 2000 12/12", kind.CREDITED, past.ago(days=1), past.ago(hours=23.8)),
    )
    lost = past.ago(hours=20)
    yield "10006", _deposit("50472", "XRP XRP 640 1/1", kind.NOT_CREDITED, lost, lost, "memo_missing")
    yield (
        "10007",
        _deposit("50476", "BTC BTC 0.11 1/2", kind.CONFIRMING, past.ago(minutes=30), past.ago(minutes=18)),
    )
    yield (
        "10010",
        _deposit("50402", "USDT TRC20 1500 20/20", kind.CREDITED, past.ago(days=6), past.ago(days=6)),
    )


def _deposit(
    number: str,
    what: str,
    status: DepositStatus,
    created: datetime,
    changed: datetime,
    reason: str | None = None,
) -> Deposit:
    """`what` is "asset network amount confirmations/required"."""
    asset, network, amount, confirmed = what.split()
    confirmations, required = confirmed.split("/")
    return Deposit(
        id=f"DP-{number}",
        asset=asset,
        network=network,
        amount=Decimal(amount),
        address=_address(network, "deposit"),
        memo=None,
        tx_hash=_tx_hash(network, number),
        status=status,
        confirmations=int(confirmations),
        confirmations_required=int(required),
        created_at=created,
        updated_at=changed,
        reason_code=reason,
    )


def _restrictions(past: _Past) -> Iterator[tuple[str, Restriction]]:
    changed = past.ago(hours=4)
    for uid in ("10007", "10011"):
        yield (
            uid,
            Restriction(
                kind=RestrictionKind.WITHDRAWALS_PAUSED,
                since=changed,
                until=changed + timedelta(hours=24),
                reason_code="security_change",
                self_service_path="/security/review",
            ),
        )


def _orders(past: _Past) -> Iterator[tuple[str, Order]]:
    kind, status = OrderKind, OrderStatus
    open_since = past.ago(days=2)
    yield "10005", _order("90551", "BTC-USDT buy 0.05 0 58000", kind.LIMIT, status.OPEN, open_since)
    yield (
        "10005",
        _order("90554", "ETH-USDT sell 2 0.8 3900", kind.LIMIT, status.PARTIALLY_FILLED, open_since),
    )
    yield "10004", _order("90560", "ETH-USDT buy 1 0 2900", kind.LIMIT, status.OPEN, past.ago(hours=6))
    yield "10009", _order("90512", "BTC-USDT buy 0.4 0.4 64200", kind.LIMIT, status.FILLED, past.ago(days=4))
    yield (
        "10009",
        _order("90538", "BTC-USDT sell 0.4 0.4 -", kind.LIQUIDATION, status.FILLED, past.ago(days=1)),
    )


def _order(number: str, what: str, kind: OrderKind, status: OrderStatus, at: datetime) -> Order:
    """`what` is "market side quantity filled price", "-" for no price."""
    market, side, quantity, filled, price = what.split()
    return Order(
        id=f"OR-{number}",
        market=market,
        side=Side(side),
        kind=kind,
        price=None if price == "-" else Decimal(price),
        quantity=Decimal(quantity),
        filled=Decimal(filled),
        status=status,
        created_at=at,
        updated_at=at,
    )


def _trades(past: _Past) -> Iterator[tuple[str, Trade]]:
    yield "10005", _trade("30841", "OR-90554 ETH-USDT sell 3900 0.8 3.12", past.ago(days=2))
    yield "10009", _trade("30790", "OR-90512 BTC-USDT buy 64200 0.4 25.68", past.ago(days=4))
    yield (
        "10009",
        _trade("30822", "OR-90538 BTC-USDT sell 57750 0.4 23.1", past.ago(days=1), liquidation=True),
    )


def _trade(number: str, what: str, at: datetime, liquidation: bool = False) -> Trade:
    """`what` is "order market side price quantity fee"; the fee is in the quote asset."""
    order, market, side, price, quantity, fee = what.split()
    return Trade(
        id=f"TR-{number}",
        order_id=order,
        market=market,
        side=Side(side),
        price=Decimal(price),
        quantity=Decimal(quantity),
        fee=Decimal(fee),
        fee_asset=market.partition("-")[2],
        liquidation=liquidation,
        executed_at=at,
    )


def _tx_hash(network: str, number: str) -> str:
    digest = hashlib.sha256(f"tx {network} {number}".encode()).hexdigest()
    return f"0x{digest}" if network == "ERC20" else digest


def _address(network: str, number: str) -> str:
    """Looks like an address of that network; the checksums are wrong on purpose."""
    digest = hashlib.sha256(f"address {network} {number}".encode()).hexdigest()
    shapes = {"ERC20": ("0x", 40), "TRC20": ("T", 33), "BTC": ("bc1q", 38), "XRP": ("r", 33)}
    prefix, length = shapes[network]
    return prefix + digest[:length]
