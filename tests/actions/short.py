"""Commands and turns as the tests write them."""

from __future__ import annotations

from typing import Any

from actions.commands import Answer, Command, HandIfSilent, HandToPerson, OpenCase, Say
from actions.memory import Memory
from actions.turn import Turn
from bot.understanding.reading import read

ACTS = ("greet", "thanks", "yes", "no", "person", "status", "never_mind", "skip", "file")


def names(commands: tuple[Command, ...]) -> list[str]:
    """Commands in short: say:greeting, answer:fees, open_case:spam, hand_to_person. `HandIfSilent` is left out."""
    short = []
    for command in commands:
        match command:
            case Say():
                short.append(f"say:{command.key}")
            case Answer():
                short.append(f"answer:{command.article}")
            case OpenCase():
                short.append(f"open_case:{command.label}")
            case HandIfSilent():
                continue
            case _:
                short.append(command.name)
    return short


def opened(commands: tuple[Command, ...]) -> OpenCase:
    return next(command for command in commands if isinstance(command, OpenCase))


def hand(commands: tuple[Command, ...]) -> HandToPerson:
    return next(command for command in commands if isinstance(command, HandToPerson))


def waits(commands: tuple[Command, ...]) -> HandIfSilent:
    return next(command for command in commands if isinstance(command, HandIfSilent))


def action_of(intent: str) -> str:
    """What the rules let an intent do (data/rules)."""
    if intent == "nlu_fallback":
        return "action_misunderstood"
    return f"action_{intent}" if intent in ACTS else "action_matter"


def heard(text: str, intent: str, memory: Memory | None = None, **more: Any) -> Turn:
    """The turn that a chat message makes, read as the desk reads it; the intent is what the classifier would say."""
    reading = read(text)
    entities: dict[str, tuple[str, ...]] = {}
    for entity in reading.entities:
        entities[entity.kind] = (*entities.get(entity.kind, ()), entity.value)
    signals = reading.signals
    known = {
        "text": text,
        "confidence": 0.9,
        "entities": entities,
        "escalate": signals.escalate,
        "hand_over": signals.hand_over,
        "severity": signals.severity,
        "reasons": signals.reasons,
        "features": signals.features,
        "days": signals.days,
        "language": reading.language or "en",
        "live": True,
        "inbox_id": 1,
        "memory": memory or Memory(),
    }
    return Turn(intent=intent, **{**known, **more})
