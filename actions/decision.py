"""The outcome of one turn, and what every outcome must keep: nobody is left with a case that no person knows of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from actions.commands import Command, HandIfSilent, HandToPerson, OpenCase
from actions.forms import known, missing
from actions.matters import CLASSES
from actions.memory import FACT, UNCLASSIFIED, Memory
from actions.turn import Turn

ADDED = ("added_by_user", "file")
"""Reasons for which a message joins an open case."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the desk is asked to do, and what is remembered from now on."""

    commands: tuple[Command, ...]
    memory: Memory = field(default_factory=Memory)


def complete(turn: Turn, decision: Decision) -> Decision:
    """The decision with its summary for the person and its promise for the case.

    A case that was opened or added to without a person is handed over when the user falls silent; the wish for that
    is renewed with every answer until a person has heard of it.
    """
    memory = replace(decision.memory, epoch=turn.epoch if turn.epoch is not None else decision.memory.epoch)
    summary = _brief(turn, memory)
    if any(isinstance(command, HandToPerson) for command in decision.commands):
        commands = tuple(_summed_up(command, memory, summary) for command in decision.commands)
        return Decision(commands=commands, memory=_handed(memory))
    unhanded = _unhanded(memory, decision.commands)
    if not unhanded:
        return Decision(commands=decision.commands, memory=memory)
    waits = HandIfSilent(reasons=unhanded, brief=summary)
    return Decision(commands=(*decision.commands, waits), memory=replace(memory, unhanded=unhanded))


def _unhanded(memory: Memory, commands: tuple[Command, ...]) -> tuple[str, ...]:
    """Why a person should look at the case. That the user said more tells something only where nothing else does."""
    reasons = [reason for each in commands if isinstance(each, OpenCase) for reason in each.reasons]
    telling = [reason for reason in reasons if reason not in ADDED]
    return tuple(dict.fromkeys((*memory.unhanded, *(telling if memory.unhanded else reasons))))


def _summed_up(command: Command, memory: Memory, summary: Mapping[str, Any]) -> Command:
    if not isinstance(command, HandToPerson):
        return command
    reasons = tuple(dict.fromkeys((*command.reasons, *memory.unhanded))) or ("class_for_person",)
    return replace(command, reasons=reasons, brief=summary)


def _handed(memory: Memory) -> Memory:
    """Facts and a half-filled form are still there when the person gives the conversation back; why it was handed over
    is forgotten."""
    kept = Memory(matter=memory.matter, facts=memory.facts, epoch=memory.epoch)
    gaps = missing(memory.matter, memory.held(memory.matter)) if memory.awaiting == FACT else ()
    return kept.asking(FACT, memory.asked) if memory.asked in gaps else kept


_MAY_HOLD_A_MATTER: Final = frozenset({"person", "nlu_fallback"})
"""Of a greeting or a thanks, no class is likely enough to be named to a person."""


def _brief(turn: Turn, memory: Memory) -> dict[str, Any]:
    """For the person who takes over: the suggested class, the facts, what was tried, what else was mentioned."""
    guesses = turn.ranking if turn.intent in _MAY_HOLD_A_MATTER and turn.confidence > 0 else ()
    likely = next((name for name in (memory.matter, turn.intent, *guesses) if name in CLASSES), UNCLASSIFIED)
    return {
        "class": likely,
        "facts": known(memory.held(memory.matter)),
        "answers": list(memory.tried),
        "also": list(memory.later),
        "began": memory.began,
    }
