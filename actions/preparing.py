"""A turn as it is judged: with what earlier messages of the matter said, and with the gravest of its matters first."""

from __future__ import annotations

from dataclasses import replace

from actions.forms import FACTS
from actions.matters import CLASSES, GRAVE, flow_of
from actions.memory import FACT, Memory
from actions.phrases import is_calling
from actions.turn import Turn
from bot.understanding.signals import rules_met, severity_of

_GRAVITY = {"low": 0, "normal": 1, "high": 2, "critical": 3}


def prepared(turn: Turn) -> Turn:
    """The turn after all that needs no decision: what is over is forgotten, what adds up is added up."""
    turn = _led(replace(turn, memory=_remembered(turn)))
    return turn if turn.memory.awaiting == FACT else _together(turn)


def _remembered(turn: Turn) -> Memory:
    """A conversation that was closed, or that a person gave back, is not handed over again for what it said before.

    A half-filled form stays while its case is open; a case that no person has heard of is not forgotten.
    """
    memory = turn.memory
    given_back = memory.epoch is not None and turn.epoch is not None and memory.epoch != turn.epoch
    in_form = memory.awaiting == FACT
    if turn.reopened or (given_back and in_form and not turn.case_open):
        memory = memory.closed()
    elif given_back:
        memory = memory.without_risks()
    elif in_form and memory.asked not in FACTS:  # a newer version asks for other facts
        memory = memory.settled()
    heard_of = given_back or (turn.reopened and not turn.case_open)
    return replace(memory, unhanded=()) if heard_of else memory


def _led(turn: Turn) -> Turn:
    """Several complaints in one message: a grave one is treated first, the others are remembered."""
    named = dict.fromkeys(label for label in (turn.intent, *turn.also) if label in CLASSES)
    first = next((label for label in GRAVE if label in named), turn.intent)
    others = tuple(label for label in named if label != first and flow_of(label).sentence is None)
    if turn.intent not in CLASSES or not others:
        return replace(turn, also=())
    later = tuple(dict.fromkeys((*turn.memory.later, *others)))
    return replace(turn, intent=first, also=others, memory=replace(turn.memory, later=later))


def _together(turn: Turn) -> Turn:
    """The rules of escalation over all messages of this matter: "not there yet", then "it has been three days"."""
    memory = turn.memory
    goes_on = turn.intent not in CLASSES or turn.intent == memory.matter
    features = tuple(sorted({*turn.features, *(memory.features if goes_on else ())}))
    days = max(turn.days, memory.days if goes_on else 0.0)
    turn = replace(turn, memory=replace(memory, features=features, days=days))
    # "How is my case?" tells nothing that the case has not been opened for.
    heard = rules_met(memory.features, memory.days) if turn.case_open and turn.intent not in CLASSES else ()
    met = [reason for reason in rules_met(features, days) if reason not in (*turn.reasons, *heard)]
    if not met or is_calling(turn.text):
        return turn
    severity = max(turn.severity, severity_of(met), key=lambda name: _GRAVITY.get(name, 1))
    return replace(turn, reasons=(*turn.reasons, *met), escalate=True, severity=severity)
