"""What an action knows of the turn it answers: the intent, what the desk found out before, what was said last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actions.memory import Memory


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message as the actions see it.

    `text` is what was written ("" for a pressed button), `intent` what it is taken for, with what `confidence`, and
    `also` further classes that it speaks of. `ranking` names intents, best first, `shares` has the confidence of each.
    `overheard` says that it did not speak to us and was found by its words, `known` that its author has talked with us
    before or has a case. `entities` maps a kind ("tx_hash",
    "asset") to the values named. `articles` maps a class to the article that fits the words best, where the desk has
    looked. `escalate`, `hand_over`, `severity`, `reasons`, `features` and `days` are what the wording signals; `calm`
    says that it sounds like a question about the way. `uid` is the exchange's user, and only if the desk has proof of
    it. `case_open` says that this conversation has a case which takes more facts, with its number, class and facts.
    `urgent` says that the subject of the mail calls it a complaint, `can_prove` that the desk can ask for proof, `live`
    that the user is watching, so that one question after another can be asked.
    `text` is what was written; the class was read from it in 简体.
    `language` is the one we answer in; `language_wish` that nothing but this language was asked for. `incident` is
    what is wrong on the platform now and may be behind the matter. `reopened` says that the matter was closed and
    `epoch` how often the conversation has changed hands.
    """

    intent: str
    text: str = ""
    confidence: float = 0.0
    also: tuple[str, ...] = ()
    ranking: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    entities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    articles: Mapping[str, str] = field(default_factory=dict)
    escalate: bool = False
    hand_over: bool = False
    calm: bool = False
    severity: str = "normal"
    reasons: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    days: float = 0.0
    uid: str | None = None
    case_open: bool = False
    case_number: str | None = None
    case_label: str | None = None
    case_facts: Mapping[str, str] = field(default_factory=dict)
    urgent: bool = False
    overheard: bool = False
    known: bool = False
    can_prove: bool = False
    live: bool = False
    language: str = "en"
    language_wish: bool = False
    incident: str | None = None
    reopened: bool = False
    epoch: int | None = None
    inbox_id: int | None = None
    memory: Memory = field(default_factory=Memory)


def read_turn(message: Mapping[str, Any], slots: Mapping[str, Any]) -> Turn:
    """The turn in Rasa's `latest_message` and the slots. What the desk did not send counts as not known."""
    metadata = _mapping(message.get("metadata"))
    intent, case = _mapping(message.get("intent")), _mapping(metadata.get("case"))
    text = str(message.get("text") or "")
    written = str(metadata.get("written") or text)
    ranking = [_mapping(entry) for entry in message.get("intent_ranking") or []]
    return Turn(
        intent=str(intent.get("name") or "nlu_fallback"),
        text="" if text.startswith("/") else written,
        confidence=float(intent.get("confidence") or 0.0),
        also=_strings(intent.get("also")),
        ranking=tuple(str(entry["name"]) for entry in ranking if entry.get("name")),
        shares={str(entry.get("name")): float(entry.get("confidence") or 0.0) for entry in ranking},
        entities=_entities(metadata.get("entities")),
        articles={str(label): str(article) for label, article in _mapping(metadata.get("articles")).items() if article},
        **_signals(_mapping(metadata.get("signals")), intent.get("escalate")),
        uid=_proven_uid(_mapping(metadata.get("account"))),
        case_open=case.get("status") == "open",
        case_number=str(case["number"]) if case.get("number") else None,
        case_label=str(case["label"]) if case.get("label") else None,
        case_facts={str(name): str(value) for name, value in _mapping(case.get("facts")).items()},
        urgent=metadata.get("urgent") is True,
        overheard=metadata.get("overheard") is True,
        known=metadata.get("known") is True,
        can_prove=metadata.get("can_prove") is True,
        live=metadata.get("live") is True,
        language="zh" if metadata.get("language") == "zh" else "en",
        language_wish=metadata.get("language_wish") is True,
        reopened=metadata.get("reopened") is True,
        epoch=_whole(metadata.get("epoch")),
        inbox_id=_whole(metadata.get("inbox_id")),
        memory=Memory.read(slots),
    )


def _signals(signals: Mapping[str, Any], learned: Any) -> dict[str, Any]:
    """What the words signal, by rule and as learned from examples; only where both are quiet is it a mere question."""
    features, by_rule = _strings(signals.get("features")), bool(signals.get("escalate"))
    by_example = ("learned",) if learned is True and not by_rule else ()
    return {
        "escalate": by_rule or bool(by_example),
        "hand_over": bool(signals.get("hand_over")),
        "calm": learned is False and "how_to" in features and not by_rule,
        "severity": str(signals.get("severity") or "normal"),
        "reasons": (*_strings(signals.get("reasons")), *by_example),
        "features": features,
        "days": float(signals.get("days") or 0.0),
    }


def _entities(found: Any) -> dict[str, tuple[str, ...]]:
    named: dict[str, tuple[str, ...]] = {}
    for entity in map(_mapping, found or ()):
        kind, value = entity.get("kind"), entity.get("value")
        if kind and value:
            named[str(kind)] = (*named.get(str(kind), ()), str(value))
    return named


def _proven_uid(account: Mapping[str, Any]) -> str | None:
    return str(account["uid"]) if account.get("uid") and account.get("proven_by") else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
