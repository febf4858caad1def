"""A post that does not speak to us and was found by a word of ours: is it a complaint about us?

Nothing that we say reaches its author, so there is nothing to answer: it becomes a case, it goes to a person, or it is
set aside. Whoever complains is favoured: only what is surely none is set aside, and what may be one a person reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from actions.commands import SetAside
from actions.decision import Decision
from actions.handing import handed
from actions.matters import CLASSES
from actions.memory import UNCLASSIFIED
from actions.preparing import prepared
from actions.turn import Turn
from bot.understanding.labels import OTHERS

RECOGNISED: Final = 0.18
"""The confidence from which a message counts as recognised."""
SURELY: Final = 2.5
"""So many times as likely must it be that a post is no complaint as that it is one of the likeliest class.

Measured on 36 posts about us, half of each language: praise, greetings and advertising are at 2.8 and more, "fees are
crazy high" at 2.3, "scam or legit?" at 1.5.
"""
NO_TROUBLE: Final = frozenset({"moved", "how_to"})
"""What the wording of a happy post signals, too: "withdrawals in seconds"."""
_OF_ONESELF: Final = re.compile(
    r"(?<![a-z])(?:i|i'm|i’m|i've|i’ve|my|me|mine|myself)(?![a-z])|我|俺|咱|本人", re.IGNORECASE
)
FOUND, UNCLEAR, NONE = "overheard", "overheard_unclear", "no_complaint"


class Ruling(Enum):
    COMPLAINT = "complaint"
    """A case, and a person for it."""
    PERSON = "person"
    """It may be one: a person reads it."""
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A post as it is judged. `likely` is the share of the likeliest class of complaint, `other` that of the likeliest
    of what is none, `idle` of all that is none together."""

    likely: float = 0.0
    other: float = 0.0
    idle: float = 0.0
    grave: bool = False
    """The wording asks for a case or a person."""
    trouble: bool = False
    """The wording signals that something is wrong."""
    of_oneself: bool = False
    """The author speaks of themselves."""
    asks: bool = False
    """It sounds like a question about the way."""
    known: bool = False
    """The author has talked with us before, or has a case."""


def ruling(heard: Heard) -> Ruling:
    quiet = not (heard.grave or heard.trouble)
    if quiet and heard.idle >= RECOGNISED and heard.idle >= SURELY * heard.likely:
        return Ruling.SET_ASIDE
    if heard.known:
        return Ruling.COMPLAINT
    is_class = heard.likely > 0 and heard.likely >= heard.other
    if is_class and heard.grave:
        return Ruling.COMPLAINT
    told = heard.trouble or heard.of_oneself
    if is_class and heard.likely >= RECOGNISED and told and not heard.asks:
        return Ruling.COMPLAINT
    return Ruling.PERSON


def overheard(turn: Turn) -> Decision:
    """What is done about the post. It is judged by its own words, not by what its author said before."""
    match ruling(heard(turn)):
        case Ruling.SET_ASIDE:
            return Decision(commands=(SetAside(reasons=(NONE,)),), memory=turn.memory)
        case Ruling.PERSON:
            return handed(replace(prepared(turn), urgent=False), None, (UNCLEAR,))
        case Ruling.COMPLAINT:
            turn = replace(prepared(turn), urgent=False)
            return handed(turn, _about(turn), (FOUND,))


def heard(turn: Turn) -> Heard:
    others = [turn.shares.get(label, 0.0) for label in OTHERS]
    return Heard(
        likely=max((turn.shares.get(label, 0.0) for label in CLASSES), default=0.0),
        other=max(others),
        idle=sum(others),
        grave=turn.escalate or turn.hand_over,
        trouble=not NO_TROUBLE.issuperset(turn.features),
        of_oneself=_OF_ONESELF.search(turn.text) is not None,
        asks=turn.calm or turn.severity == "low",
        known=turn.known,
    )


def _about(turn: Turn) -> str:
    """The class that it is most like; of what is like none, the matter that its author has with us."""
    likely = next((name for name in (turn.intent, *turn.ranking) if name in CLASSES), None)
    unsure = turn.shares.get(likely or "", 0.0) < RECOGNISED
    before = turn.memory.matter or turn.case_label
    return (before if unsure and before else likely) or UNCLASSIFIED
