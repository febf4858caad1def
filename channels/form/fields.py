"""The fields of the form, and what somebody filled into them.

They are those of the complaint template of Delegated Regulation (EU) 2025/294 (who complains, for whom, how they can be
reached, what happened and when, the loss, the documents), and the remedy sought (ISO 10002).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from channels.form.topics import OTHER, topics

ANSWER_CHARACTERS = 500
"""Of the answer to a topic's question."""
LIMITS: Mapping[str, int] = {
    "happened": 300,
    "loss": 1000,
    "remedy": 1000,
    "name": 200,
    "uid": 64,
    "email": 254,
    "phone": 50,
    "represented": 200,
    "street": 200,
    "postcode": 20,
    "city": 100,
    "country": 100,
    "id_number": 100,
}
WHAT = ("description", "happened", "loss", "remedy")
YOU = ("name", "uid", "email", "phone")
MORE = ("street", "postcode", "city", "country", "id_number")
LONG = frozenset({"description", "loss", "remedy", "taken", "who", "notice", "privacy_wish"})
"""Fields of several lines."""
ROLES = ("self", "representative")
AS_FACT: Mapping[str, str] = {"happened": "since", "uid": "uid"}
"""Fields of every topic that are facts of the bot, under its names."""
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters except tab and line feed, and halves of characters. PostgreSQL takes no NUL, UTF-8 no halves."""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A form as somebody filled it in, cleaned and not yet judged."""

    topic: str
    role: str
    values: Mapping[str, str]
    """By field; empty ones are left out."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Why a form is not taken: `key` is a sentence, `field` where to mend it ("" for none)."""

    key: str
    field: str = ""
    limit: int = 0


def known_topic(name: str) -> str | None:
    return name if name in topics() else None


def fill(given: Mapping[str, str]) -> Filled:
    """What was posted, or stored. A topic that does not exist is none."""
    topic = known_topic(given.get("topic", "")) or OTHER
    values = {name: clean(given.get(name, "")) for name in names(topic)}
    role = given.get("role", ROLES[0])
    return Filled(
        topic=topic,
        role=role if role in ROLES else ROLES[0],
        values={name: value for name, value in values.items() if value},
    )


def names(topic: str) -> Sequence[str]:
    """Every field of the form about this topic, in its order."""
    return (*topics()[topic], *WHAT, *YOU, "represented", *MORE)


def faults(filled: Filled, max_characters: int) -> Sequence[Fault]:
    limits = {"description": max_characters, **LIMITS}
    found = [
        Fault(key="fault_too_long", field=name, limit=limit)
        for name, value in filled.values.items()
        if len(value) > (limit := limits.get(name, ANSWER_CHARACTERS))
    ]
    if "description" not in filled.values:
        found.insert(0, Fault(key="fault_description", field="description"))
    email = filled.values.get("email", "")
    if email and not _EMAIL.fullmatch(email):
        found.append(Fault(key="fault_email", field="email"))
    return found


def facts(filled: Filled) -> Mapping[str, str]:
    """What the bot would otherwise ask for."""
    asked = {**{name: name for name in topics()[filled.topic]}, **AS_FACT}
    return {fact: filled.values[name] for name, fact in asked.items() if name in filled.values}


def clean(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_TEXT.sub("\ufffd", lines).strip()
