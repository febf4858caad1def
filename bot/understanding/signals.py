"""Does this message need a case, a person now, or neither, and how grave is it?

First version of the escalation rule of the taxonomy: nine rules over features that word lists find. Theft, legal and
regulator matters are found here whatever the classifier thinks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from bot.understanding.language import Language
from bot.understanding.waiting import days_in
from bot.understanding.wording import features_of

Severity = Literal["low", "normal", "high", "critical"]

_HEAD: Final = 6_000
_TAIL: Final = 2_000
_LATIN: Final = re.compile(r"[A-Za-z]{2}")
_CHINESE: Final = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True)
class Signals:
    """What the wording of a message asks for.

    `escalate`: the matter needs a case and a person. `hand_over`: a person should take the conversation now.
    `reasons` are codes: those of `RULES` for the first, of `HAND_OVER` for the second. `features` is what was heard
    and `days` the longest time named: what several messages of one matter say is judged together by `rules_met`.
    """

    escalate: bool
    hand_over: bool
    severity: Severity
    reasons: tuple[str, ...]
    features: tuple[str, ...] = ()
    days: float = 0.0


@dataclass(frozen=True)
class _Heard:
    """The features of a message and the longest time it names, in days."""

    features: frozenset[str]
    days: float

    def all(self, *codes: str) -> bool:
        return self.features.issuperset(codes)

    def any(self, *codes: str) -> bool:
        return not self.features.isdisjoint(codes)


def _money_missing(heard: _Heard) -> bool:
    """Sent or debited, not there, and old, failed without return, raised with support before, or again and again."""
    waited = heard.days >= 2
    if not heard.all("moved") or not heard.any("missing", "unreturned"):
        return False
    return waited or heard.any("unreturned", "contacted", "contacted_often", "repeated")


def _wrong_network(heard: _Heard) -> bool:
    return heard.all("wrong_network") and not heard.any("recovery_fee")


def _liquidation(heard: _Heard) -> bool:
    return heard.all("liquidation", "disputed") or heard.all("outage", "loss")


def _repeated_failure(heard: _Heard) -> bool:
    """At least two contacts, seven days unresolved, many attempts, or a loop without a way out."""
    return heard.any("contacted_often", "many_attempts", "dead_loop") or (
        heard.days >= 7 and heard.any("unresolved", "missing", "contacted")
    )


RULES: Final[dict[str, Callable[[_Heard], bool]]] = {
    "theft": lambda heard: heard.all("theft"),
    "scam": lambda heard: heard.all("scam"),
    "data_leak": lambda heard: heard.all("data_leak"),
    "frozen": lambda heard: heard.all("frozen"),
    "money_missing": _money_missing,
    "wrong_network_recovery": _wrong_network,
    "legal": lambda heard: heard.all("legal"),
    "regulator": lambda heard: heard.all("regulator"),
    "refund_dispute": lambda heard: heard.all("refund_dispute"),
    "p2p_order": lambda heard: heard.all("p2p", "p2p_order"),
    "liquidation_dispute": _liquidation,
    "repeated_failure": _repeated_failure,
    "no_human": lambda heard: heard.all("no_human"),
    "distress": lambda heard: heard.all("distress"),
}
"""Why a message is escalated: reason code and rule."""

HAND_OVER: Final[tuple[str, ...]] = ("person_asked", "anger", "no_human", "distress")
_CRITICAL: Final = frozenset({"theft", "distress"})
_HIGH: Final = frozenset({"scam", "data_leak", "frozen", "money_missing", "legal", "regulator", "p2p_order"})


def rules_met(features: Iterable[str], days: float) -> tuple[str, ...]:
    """The reasons to escalate that these features amount to, whichever messages of a matter they came from."""
    heard = _Heard(frozenset(features), days)
    return tuple(code for code, rule in RULES.items() if rule(heard))


def signals_of(text: str, language: Language | None) -> Signals:
    """The signals of a message in any mixture of our languages.

    `language` says which word list to use for a text without letters of its own; both are used where both scripts
    occur. Of a text over 8,000 characters the beginning and the end are read.
    """
    read = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    features = frozenset[str]().union(*(features_of(read, each) for each in _languages(read, language)))
    if _shouts(read):
        features |= {"anger"}
    heard = _Heard(features, days_in(read))
    because = rules_met(features, heard.days)
    wanted = tuple(code for code in HAND_OVER if code in features)
    reasons = tuple(dict.fromkeys(because + wanted))
    return Signals(
        escalate=bool(because),
        hand_over=bool(wanted),
        severity=_severity(reasons, heard),
        reasons=reasons,
        features=tuple(sorted(features)),
        days=heard.days,
    )


def _languages(text: str, language: Language | None) -> list[Language]:
    found: list[Language] = []
    if _LATIN.search(text):
        found.append("en")
    if _CHINESE.search(text):
        found.append("zh")
    return found or [language or "en"]


def severity_of(reasons: Iterable[str]) -> Severity:
    """How grave a matter with these reasons is."""
    given = frozenset(reasons)
    if given & _CRITICAL:
        return "critical"
    return "high" if given & _HIGH else "normal"


def _severity(reasons: tuple[str, ...], heard: _Heard) -> Severity:
    return "low" if not reasons and heard.all("how_to") else severity_of(reasons)


def _shouts(text: str) -> bool:
    """Several words in capitals with an exclamation mark: "WHERE IS MY MONEY!!!"."""
    words = re.findall(r"[A-Za-z]{2,20}", text)
    capitals = [word for word in words if word.isupper()]
    return len(capitals) >= 4 and len(capitals) * 10 >= len(words) * 7 and "!" in text.replace("！", "!")
