"""The fields of a call or a letter that an agent keys in, what was filled into them, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from bot.understanding.labels import COMPLAINTS
from bot.understanding.secrets import redact
from bot.wording import SPOKEN
from channels.record_contract import Arrived, KeyedIn, Way
from channels.web.body import Body
from escalation.handling import AgentRef
from escalation.merging import UNCLASSIFIED

LIMITS: Mapping[str, int] = {
    "words": 20_000,
    "name": 200,
    "phone": 50,
    "address": 500,
    "email": 254,
    "uid": 64,
    "number": 40,
    "taken_by": 120,
}
LABELS = (UNCLASSIFIED, *COMPLAINTS)
OLDEST = timedelta(days=366)
"""Whoever means an earlier day has most likely mistyped the year."""
NEW, SAME = "new", "same"
"""What an agent says about the case that was named: a case of its own, or this person's."""
CHOICES: Mapping[str, Sequence[str]] = {
    "arrived": [each.value for each in Arrived],
    "way": [each.value for each in Way],
    "language": SPOKEN,
    "label": LABELS,
    "person": (NEW, SAME),
}
"""Fields of which one of a few values is chosen; the first one when nothing is said."""
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters except tab and line feed, and halves of characters. PostgreSQL takes no NUL, UTF-8 no halves."""
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,32}")
_AT = "%Y-%m-%dT%H:%M"
"""A local time as the browsers' field gives it (HTML, "valid local date and time string")."""
_ZONE = re.compile(r"-?[0-9]{1,3}")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Why it is not taken: `key` is a sentence, `field` where to mend it ("" for none)."""

    key: str
    field: str = ""
    limit: int = 0


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A form as it was filled in, cleaned and not yet judged."""

    nonce: str
    """Made with the form, so that it is one complaint however often it is sent; "" when it is none of ours."""
    values: Mapping[str, str]
    """By field, with "" where nothing was filled in. "at" is local time, "zone" minutes east of UTC ("": it is UTC)."""

    @property
    def at(self) -> datetime | None:
        """When it reached us; None when no such time was filled in."""
        zone = self.values["zone"]
        if zone and not (_ZONE.fullmatch(zone) and abs(int(zone)) <= 14 * 60):
            return None
        try:
            local = datetime.strptime(self.values["at"], _AT).replace(
                tzinfo=timezone(timedelta(minutes=int(zone or 0)))
            )
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            return None


def fresh(nonce: str, agent: AgentRef, now: datetime) -> Filled:
    """The form as it is opened."""
    values = dict.fromkeys([*LIMITS, "zone"], "") | {name: choices[0] for name, choices in CHOICES.items()}
    return Filled(nonce=nonce, values={**values, "at": now.astimezone(UTC).strftime(_AT), "taken_by": agent.name})


def fill(body: Body) -> Filled:
    """What was posted."""
    given = body.fields
    values = {name: _clean(given.get(name, "")) for name in (*LIMITS, "at", "zone")}
    chosen = {name: given.get(name, "") for name in CHOICES}
    valid = {name: value if value in CHOICES[name] else CHOICES[name][0] for name, value in chosen.items()}
    nonce = given.get("nonce", "")
    return Filled(nonce=nonce if _NONCE.fullmatch(nonce) else "", values={**values, **valid})


def faults(filled: Filled, now: datetime) -> Sequence[Fault]:
    """What can be said without asking the store."""
    values = filled.values
    found = [
        Fault(key="fault_too_long", field=name, limit=limit)
        for name, limit in LIMITS.items()
        if len(values[name]) > limit
    ]
    if not filled.nonce:
        found.append(Fault(key="fault_form"))
    found += [fault for fault in (_time(filled.at, now), _words(values["words"]), _reachable(values)) if fault]
    if not values["taken_by"]:
        found.append(Fault(key="fault_taken_by", field="taken_by"))
    if values["email"] and not _EMAIL.fullmatch(values["email"]):
        found.append(Fault(key="fault_email", field="email"))
    return found


def told(filled: Filled, agent: AgentRef, case_number: str) -> KeyedIn:
    """`case_number`: of the case named, as it is written properly. Call it only when nothing is wrong."""
    values = filled.values
    assert filled.at is not None
    return KeyedIn(
        arrived=Arrived(values["arrived"]),
        at=filled.at,
        words=values["words"],
        language=values["language"],
        label=values["label"],
        way=Way(values["way"]),
        taken_by=values["taken_by"],
        keyed_in_by=agent.owner,
        name=values["name"],
        phone=values["phone"],
        address=values["address"],
        email=values["email"],
        uid=values["uid"],
        case_number=case_number,
        same_person=bool(case_number) and values["person"] == SAME,
    )


def _time(at: datetime | None, now: datetime) -> Fault | None:
    if at is None:
        return Fault(key="fault_no_time", field="at")
    if at > now:
        return Fault(key="fault_future", field="at")
    return Fault(key="fault_long_ago", field="at") if now - at > OLDEST else None


def _words(words: str) -> Fault | None:
    if not words:
        return Fault(key="fault_words", field="words")
    return Fault(key="fault_secret", field="words") if redact(words).kinds else None


def _reachable(values: Mapping[str, str]) -> Fault | None:
    """The way that was chosen must lead somewhere."""
    match values["way"]:
        case Way.EMAIL if not values["email"]:
            return Fault(key="fault_way_email", field="email")
        case Way.PAPER if not values["address"]:
            return Fault(key="fault_way_paper", field="address")
        case Way.TOLD if values["arrived"] == Arrived.LETTER and not values["phone"]:
            return Fault(key="fault_way_told", field="phone")
    return None


def _clean(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_TEXT.sub("\ufffd", lines).strip()
