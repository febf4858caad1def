"""What counts as proof, and how often may somebody try? Pure: what is known goes in, decisions come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

BY_CODE = "one-time code"
UNSTATED = timedelta(minutes=30)
"""How long a proof holds whose channel does not say until when."""
WINDOW = timedelta(hours=24)
"""The stretch of time over which codes are counted; also how long a conversation remembers that one was sent."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """As configured: `bot.settings.IdentitySettings` explains each."""

    code_life: timedelta
    tries: int
    sends: int
    proof_life: timedelta


class MaySend(StrEnum):
    YES = "yes"
    CONVERSATION_FULL = "conversation_full"
    ACCOUNT_FULL = "account_full"
    """Nobody is told this: it would say that the account exists."""


def may_send(
    of_conversation: Sequence[datetime], of_account: Sequence[datetime], limits: Limits, now: datetime
) -> MaySend:
    """Whether one more code may be sent; the sequences are the times of earlier ones."""
    since = now - WINDOW
    if sum(at > since for at in of_conversation) >= limits.sends:
        return MaySend.CONVERSATION_FULL
    if sum(at > since for at in of_account) >= limits.sends:
        return MaySend.ACCOUNT_FULL
    return MaySend.YES


class Verdict(StrEnum):
    """About a code that was typed."""

    RIGHT = "right"
    """As far as the desk knows by itself: whether the registered address is still the same is asked next."""
    WRONG = "wrong"
    """Counted in the commit, which also knows whether it was the last try."""
    LOCKED = "locked"
    """Typed after the last try that is allowed."""
    OVER = "over"
    """Too late, or another code took its place: not compared, so not counted either."""


def judge_code(*, state: str, expires_at: datetime, matches: bool, at: datetime) -> Verdict:
    """`at` is when the code came in, `matches` whether it is the one that was sent."""
    if state == "locked":
        return Verdict.LOCKED
    if state != "live" or at >= expires_at:
        return Verdict.OVER
    return Verdict.RIGHT if matches else Verdict.WRONG


def locks(tries: int, limits: Limits) -> bool:
    """Whether a code with this many wrong tries is good for nothing any more."""
    return tries >= limits.tries


def same_address(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def proof_holds(account: Mapping[str, Any] | None, now: datetime) -> bool:
    """Whether the account stored with a conversation is proven at `now`. One without an end never is."""
    if not account or not account.get("uid") or not account.get("proven_by"):
        return False
    until = account.get("until")
    return bool(until) and now < datetime.fromisoformat(str(until))


def proven(account: Mapping[str, Any] | None, now: datetime) -> Mapping[str, Any] | None:
    """What the bot may know of the account: nothing once the proof has run out."""
    if account is None or not proof_holds(account, now):
        return None
    return {name: account.get(name, "") for name in ("uid", "name", "proven_by")}


def longer_lasting(known: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Mapping[str, Any]:
    """What to remember when `new` was proven after `known`: the one that holds longer, if both are of one account."""
    if known is None or known.get("uid") != new["uid"]:
        return new
    kept = known if str(known.get("until") or "") and _until(known) >= _until(new) else new
    return {**kept, "email": kept.get("email") or known.get("email") or new.get("email") or ""}


def _until(account: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(account["until"]))


def masked_address(address: str) -> str:
    """What agents see of an address: "a***@example.com"."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"
