"""What does the app know of a message before the bot is asked?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.understanding import entities
from bot.understanding.entities import Entity, find_entities
from bot.understanding.language import Language, language_of
from bot.understanding.signals import Signals, signals_of

_SPOKEN = ("date", "duration")


@dataclass(frozen=True)
class Reading:
    """One message as read: its language (None when it has no words), what it names, what it signals."""

    language: Language | None
    entities: tuple[Entity, ...]
    signals: Signals

    def as_metadata(self) -> dict[str, Any]:
        """The same as JSON-ready dictionaries and lists, to travel with the message to Rasa and its actions."""
        return {
            "language": self.language,
            "entities": [{k: v for k, v in vars(entity).items() if v is not None} for entity in self.entities],
            "signals": {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self.signals).items()},
        }


def prepare() -> None:
    """Loads and compiles what reading needs, which takes seconds: whoever answers people does it before the first of
    them writes."""
    entities.prepare()
    for text in ("hello", "你好"):
        read(text)


def read(text: str) -> Reading:
    """Reads a message of any length and content in well under a second; never raises."""
    entities = find_entities(text)
    language = language_of(_without(text, entities))
    return Reading(language, entities, signals_of(text, language))


def _without(text: str, entities: tuple[Entity, ...]) -> str:
    """Names and numbers have no language, words for a time do: "RD-7KWHM-3XTPA 进度" is Chinese, and so is "三天前"."""
    parts, end = [], 0
    for entity in entities:
        if entity.kind in _SPOKEN:
            continue
        parts.append(text[end : max(end, entity.start)])
        end = max(end, entity.end)
    return " ".join([*parts, text[end:]])
