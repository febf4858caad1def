"""What an action knows of the turn it answers: the intent, what the desk found out before, what was said last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message as the actions see it.

    `ranking` names intents, best first. `entities` maps a kind ("tx_hash", "asset") to the values named. `articles`
    maps a class to the article that fits the words best, where the desk has looked. `uid` is the exchange's user,
    and only if the desk has proof of it. `case_open` says that this conversation has a case which takes more facts,
    `urgent` that the subject of the mail calls it a complaint, `can_prove` that the desk can ask for proof.
    `awaiting`, `matter` and `misunderstood` are the slots of domain.yml.
    """

    intent: str
    ranking: tuple[str, ...] = ()
    entities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    articles: Mapping[str, str] = field(default_factory=dict)
    escalate: bool = False
    hand_over: bool = False
    severity: str = "normal"
    reasons: tuple[str, ...] = ()
    uid: str | None = None
    case_open: bool = False
    urgent: bool = False
    can_prove: bool = False
    awaiting: str | None = None
    matter: str | None = None
    misunderstood: int = 0


def read_turn(message: Mapping[str, Any], slots: Mapping[str, Any]) -> Turn:
    """The turn in Rasa's `latest_message` and the slots. What the desk did not send counts as not known."""
    metadata = _mapping(message.get("metadata"))
    signals = _mapping(metadata.get("signals"))
    ranking = [_mapping(entry).get("name") for entry in message.get("intent_ranking") or []]
    return Turn(
        intent=str(_mapping(message.get("intent")).get("name") or "nlu_fallback"),
        ranking=tuple(str(name) for name in ranking if name),
        entities=_entities(metadata.get("entities")),
        articles={str(label): str(article) for label, article in _mapping(metadata.get("articles")).items() if article},
        escalate=bool(signals.get("escalate")),
        hand_over=bool(signals.get("hand_over")),
        severity=str(signals.get("severity") or "normal"),
        reasons=tuple(str(reason) for reason in signals.get("reasons") or ()),
        uid=_proven_uid(_mapping(metadata.get("account"))),
        case_open=_is_open(_mapping(metadata.get("case"))),
        urgent=metadata.get("urgent") is True,
        can_prove=metadata.get("can_prove") is True,
        awaiting=slots.get("awaiting") or None,
        matter=slots.get("matter") or None,
        misunderstood=int(slots.get("misunderstood") or 0),
    )


def _entities(found: Any) -> dict[str, tuple[str, ...]]:
    named: dict[str, tuple[str, ...]] = {}
    for entity in map(_mapping, found or ()):
        kind, value = entity.get("kind"), entity.get("value")
        if kind and value:
            named[str(kind)] = (*named.get(str(kind), ()), str(value))
    return named


def _proven_uid(account: Mapping[str, Any]) -> str | None:
    return str(account["uid"]) if account.get("uid") and account.get("proven_by") else None


def _is_open(case: Mapping[str, Any]) -> bool:
    return case.get("status") == "open"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
