"""A matter becomes a case and goes to a person: at once, or after the questions whose answers the person will need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from actions.commands import Command, HandToPerson, OpenCase, Say
from actions.decision import Decision
from actions.forms import known, missing, told_by
from actions.matters import CLASSES, HOW_TO, flow_of
from actions.memory import FACT, UNCLASSIFIED, Memory
from actions.turn import Turn

RANKED_UP: Final[Mapping[str, str]] = {"low": "normal", "normal": "high"}
"""The severity of a case whose user said in the subject that it is a complaint."""
UPSET: Final = frozenset({"person_asked", "anger", "no_human", "distress", "misunderstood_twice"})
"""Who is handed over for one of these is asked nothing more."""
AT_ONCE: Final = UPSET | {"theft", "secret_shared", "legal", "regulator"}
"""For these a person comes at once where the user is watching; in a mail the questions still travel along."""
ASK_BUTTONS: Final = ("skip", "person")


def taken(
    turn: Turn,
    label: str | None,
    reasons: tuple[str, ...] = (),
    told: tuple[Command, ...] = (),
    facts: Mapping[str, str] | None = None,
) -> Decision:
    """The matter needs a person. The case is opened at once, so that nothing is lost whatever becomes of the questions.

    `told` is what the bot knows and says all the same, `facts` what the records said.
    """
    why = because(turn, reasons)
    memory = _gathered(turn, label, facts or {})
    others = memory.later
    also = (_others(others),) if others else ()
    opened = open_case(turn, label or UNCLASSIFIED, why, {**known(memory.held(label)), **_named(others)})
    gaps = missing(label, memory.held(label))
    if turn.live and gaps and not _hurries(label, why):
        asked = (Say(key="form_begins" if len(gaps) > 1 else "form_begins_one"), question(gaps[0]))
        return Decision(commands=(*told, opened, *also, *asked), memory=memory.asking(FACT, gaps[0]))
    wanted = () if turn.live or not gaps or not UPSET.isdisjoint(why) else (facts_wanted(gaps),)
    hand = HandToPerson(reasons=why)
    if label is None:
        return Decision(commands=(*told, hand), memory=memory)
    return Decision(commands=(*told, opened, *also, *wanted, hand), memory=memory)


def handed(turn: Turn, label: str | None, reasons: tuple[str, ...] = ()) -> Decision:
    """A person takes over without another question, with a case where there is a matter."""
    why = because(turn, reasons)
    memory = _gathered(turn, label, {})
    hand = HandToPerson(reasons=why)
    if label is None:
        return Decision(commands=(hand,), memory=memory)
    facts = {**known(memory.held(label)), **_named(memory.later)}
    return Decision(commands=(open_case(turn, label, why, facts), hand), memory=memory)


def open_case(turn: Turn, label: str, reasons: tuple[str, ...], facts: Mapping[str, str]) -> OpenCase:
    """A case with all that is known. The desk adds to the open case of the conversation instead, if there is one."""
    severity = RANKED_UP.get(turn.severity, turn.severity) if turn.urgent else turn.severity
    in_form = turn.memory.awaiting == FACT
    return OpenCase(label=label, severity=severity, reasons=reasons, facts=facts, quiet=in_form)


def question(asked: str) -> Say:
    return Say(key=f"ask_{asked}", buttons=ASK_BUTTONS)


def facts_wanted(gaps: tuple[str, ...]) -> Say:
    """All questions in one message, for somebody who will read it in their own time."""
    return Say(key="facts_wanted", named={"list": tuple(f"fact_{name}" for name in gaps)})


def because(turn: Turn, reasons: tuple[str, ...]) -> tuple[str, ...]:
    stated = ("case_wanted",) if complains(turn) else ()
    return tuple(dict.fromkeys((*turn.reasons, *reasons, *stated))) or ("class_for_person",)


def complains(turn: Turn) -> bool:
    """The subject calls it a complaint, which is to become a case, unless it asks for the way or a case has it.

    The subject stays on the mails that follow, where it says nothing new.
    """
    return turn.urgent and not turn.case_open and article_for(turn, turn.intent) not in HOW_TO


def article_for(turn: Turn, label: str) -> str | None:
    flow = flow_of(label)
    return turn.articles.get(label) or flow.article or flow.advice


def matter_of(turn: Turn) -> str | None:
    """What a case would be about: this message's class, else the matter under way, else nothing known."""
    if turn.intent in CLASSES:
        return turn.intent
    return turn.memory.matter or (UNCLASSIFIED if turn.escalate or complains(turn) else None)


def with_matter(memory: Memory, label: str, turn: Turn) -> Memory:
    """The matter under way is this one from now on; of another one before it nothing is asked any more."""
    later = tuple(name for name in memory.later if name != label)
    if memory.matter == label:
        return replace(memory, later=later)
    return replace(memory.settled(), matter=label, began=turn.inbox_id, tried=(), later=later)


def _hurries(label: str | None, why: tuple[str, ...]) -> bool:
    return flow_of(label).at_once or not AT_ONCE.isdisjoint(why)


def _gathered(turn: Turn, label: str | None, facts: Mapping[str, str]) -> Memory:
    """Everything known about the matter. What the user says counts for more than what the records seem to say."""
    memory = turn.memory if label is None else with_matter(turn.memory, label, turn)
    of_case = turn.case_facts if turn.case_label == label else {}
    told = {**facts, **of_case, **memory.held(label), **told_by(turn, label)}
    return memory.with_facts(label, told)


def _named(others: tuple[str, ...]) -> dict[str, str]:
    return {"also": ", ".join(others)} if others else {}


def _others(others: tuple[str, ...]) -> Say:
    return Say(key="also_for_person", named={"topics": tuple(f"topic_{name}" for name in others)})
