"""Which facts does a person need to know about a matter, and what of a message tells one of them?

The bot asks for one after the other, and never for what it holds already. A fact that can be recognised (a coin, a
transaction hash) is read out of the message; any other answer is taken as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from actions.matters import flow_of
from actions.memory import SKIPPED
from actions.turn import Turn

MOST_TRIES: Final = 2
"""After so many questions for the same fact the bot goes on without it."""
SHORT: Final = {"en": 40, "zh": 16}
"""Characters of an answer that can be the name of a coin, a network or a pair."""
LONGEST: Final = 300
"""Characters of an answer that are kept as a fact; the whole message is kept anyhow."""
STORY_CHARACTERS: Final = {"en": 80, "zh": 30}
"""A message of this length has told what happened."""
WISH_CHARACTERS: Final = {"en": 24, "zh": 8}
"""A message of this length about an account or data has told what is wanted."""

_NUMBER: Final = re.compile(r"(?<![0-9a-zA-Z])[0-9][0-9,]*(?:\.[0-9]+)?(?![0-9a-zA-Z])")
_LONG_TOKEN: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{30,120}(?![0-9A-Za-z])")
_ORDER_TOKEN: Final = re.compile(r"(?<![0-9A-Za-z_-])(?=[A-Za-z_-]{0,12}[0-9])[0-9A-Za-z_-]{5,64}(?![0-9A-Za-z_-])")
_PAIR: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[A-Za-z0-9]{2,10}\s?[-/_]\s?(?:USDT|USDC|USD|BTC|ETH|BNB|EUR|PERP)"
    r"|[A-Za-z0-9]{2,6}(?:USDT|USDC|BTC|PERP))(?![0-9A-Za-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing worth knowing. `kinds` are the entities that tell it; `pattern` finds it where it was asked for.

    `free`: whatever is written is the answer. `brief`: so is a short text, as the name of a coin nobody has heard of.
    `shown`: a picture tells it as well.
    """

    kinds: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    free: bool = False
    brief: bool = False
    shown: bool = False


FACTS: Mapping[str, Fact] = {
    "asset": Fact(kinds=("asset",), brief=True),
    "network": Fact(kinds=("network",), brief=True),
    "amount": Fact(kinds=("amount",), pattern=_NUMBER),
    "tx_hash": Fact(kinds=("tx_hash",), pattern=_LONG_TOKEN),
    "movement": Fact(kinds=("order_id", "tx_hash"), pattern=_ORDER_TOKEN),
    "order_id": Fact(kinds=("order_id",), pattern=_ORDER_TOKEN),
    "pair": Fact(pattern=_PAIR, brief=True),
    "since": Fact(kinds=("date", "duration"), free=True),
    "notice": Fact(free=True, shown=True),
    "story": Fact(free=True, shown=True),
    "taken": Fact(kinds=("amount",), free=True),
    "who": Fact(free=True, shown=True),
    "document": Fact(free=True),
    "sign_in_step": Fact(free=True),
    "reference": Fact(kinds=("order_id",), free=True, shown=True),
    "which_fee": Fact(kinds=("fee",), free=True, shown=True),
    "campaign": Fact(free=True, shown=True),
    "device": Fact(free=True),
    "endpoint": Fact(free=True),
    "privacy_wish": Fact(free=True),
}
"""Every fact that some class asks for; its question is "ask_<fact>" in bot/wording, its name there "fact_<fact>"."""

NAMED: Final = FACTS.keys() | {"uid", "address", "email", "phone", "case_number"}
"""What we have a name for in bot/wording; other entities are kept as well, and not spoken of."""


def told_by(turn: Turn, label: str | None) -> dict[str, str]:
    """The facts of this matter that the message tells without having been asked.

    Entities are kept whether or not the class asks for them: a person may need them, and a later question may.
    """
    told = {kind: ", ".join(values) for kind, values in turn.entities.items()}
    if "amount" in told and "asset" not in told:
        told["asset"] = turn.entities["amount"][-1].split()[-1]
    wanted = flow_of(label).facts
    if "story" in wanted and len(turn.text) >= STORY_CHARACTERS[turn.language]:
        told["story"] = turn.text[:LONGEST]
    if "privacy_wish" in wanted and len(turn.text) >= WISH_CHARACTERS[turn.language]:
        told["privacy_wish"] = turn.text[:LONGEST]
    if "pair" in wanted and (pair := _PAIR.search(turn.text)):
        told["pair"] = pair.group()
    return told


def missing(label: str | None, held: Mapping[str, str]) -> tuple[str, ...]:
    """The facts of a class that are still to be asked for."""
    return tuple(name for name in flow_of(label).facts if not _is_held(name, held))


def answer_to(asked: str, turn: Turn) -> str | None:
    """What the message says to the question for a fact; None when it does not answer it."""
    fact = FACTS[asked]
    named = [value for kind in fact.kinds for value in turn.entities.get(kind, ())]
    if named:
        return ", ".join(named)
    if asked == "asset" and "amount" in turn.entities:
        return turn.entities["amount"][-1].split()[-1]
    if fact.pattern is not None and (found := fact.pattern.search(turn.text)) and not _is_address(turn, found.group()):
        return found.group()
    text = turn.text.strip()
    if re.search(r"\w", text) and (fact.free or (fact.brief and len(text) <= SHORT[turn.language])):
        return text[:LONGEST]
    return None


def is_recognised(asked: str, turn: Turn) -> bool:
    """Whether the message holds just what was asked for, whatever else it says."""
    fact = FACTS[asked]
    found = fact.pattern.search(turn.text) if fact.pattern else None
    return any(turn.entities.get(kind) for kind in fact.kinds) or found is not None


def known(held: Mapping[str, str]) -> dict[str, str]:
    """The facts as they go into a case: without those that the user could not give."""
    return {name: value for name, value in held.items() if value != SKIPPED}


def _is_held(name: str, held: Mapping[str, str]) -> bool:
    return name in held or any(kind in held for kind in FACTS[name].kinds)


def _is_address(turn: Turn, token: str) -> bool:
    """An address is often given where a transaction is asked for; it would send the person looking in vain."""
    return any(token in address for address in turn.entities.get("address", ()))
