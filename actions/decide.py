"""What does the bot answer to a turn? Pure: what is known goes in, commands and what to remember come out.

`prepared` adds up what is known, one of `acts`, `matter` and `asking` answers, `complete` sees to the person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from actions.acts import (
    ACTS,
    called,
    misunderstood,
    next_label,
    pending_question,
    status,
    switched,
    thanks,
    turn_to,
    who,
)
from actions.asking import acknowledged, ask_on, corrections
from actions.commands import OpenCase
from actions.decision import Decision, complete
from actions.handing import handed, matter_of, taken
from actions.matter import LIKELY, Found, answer_matter, records_wanted
from actions.matters import CLASSES, flow_of
from actions.memory import FACT, HELPED, OPEN_CASE
from actions.overheard import RECOGNISED, overheard
from actions.phrases import asks_who, doubts, is_calling_loudly, is_content
from actions.preparing import prepared
from actions.turn import Turn

CORRECTION_CHARACTERS = 120
"""A longer message that takes something back tells a matter anew."""

OF_REASON: Mapping[str, str] = {
    "theft": "account_security_theft",
    "scam": "scam_fraud_report",
    "frozen": "account_frozen_risk_control",
}
"""Reasons that say by themselves what a message is about."""

STEPS: Mapping[str, Callable[[Turn, Found], Decision]] = {"action_matter": answer_matter, **ACTS}
"""The actions of domain.yml."""
CALM = ("action_greet", "action_person", "action_misunderstood")
"""These see themselves to somebody who is to be handed over."""


def decide(action: str, turn: Turn, found: Found = None) -> Decision:
    """The answer to one turn. `found` is what `wanted_look_up` led to. Raises KeyError for an unknown action."""
    step = STEPS[action]
    if turn.overheard:
        return complete(turn, overheard(turn))
    turn = prepared(turn)
    return complete(turn, _decided(action, step, turn, found))


def wanted_look_up(action: str, turn: Turn) -> str | None:
    """Which of the exchange's records to read before deciding; None when none would change the decision."""
    about = None if turn.overheard else _about(action, prepared(turn))
    return None if about is None else records_wanted(about)


def about_incidents(action: str, turn: Turn) -> bool:
    """Whether something wrong on the platform may be behind what this turn is about."""
    about = None if turn.overheard else _about(action, prepared(turn))
    return about is not None and flow_of(about.intent).incidents


def known_entities(turn: Turn) -> Mapping[str, tuple[str, ...]]:
    """What the matter has named so far; the newest message counts most."""
    held = turn.memory.held(turn.memory.matter)
    return {**{kind: tuple(value.split(", ")) for kind, value in held.items() if value}, **turn.entities}


def _decided(action: str, step: Callable[[Turn, Found], Decision], turn: Turn, found: Found) -> Decision:
    if turn.memory.awaiting == FACT:
        return ask_on(action, turn)
    if said := _without_a_matter(turn):
        return said
    if _corrects(turn):
        return _corrected(turn, found)
    if _is_content(action, turn):
        return thanks(turn, found)
    return _judged(action, turn, found) or step(turn, found)


def _without_a_matter(turn: Turn) -> Decision | None:
    """What is answered whatever the classifier takes it for."""
    if asks_who(turn.text):
        return who(turn)
    if turn.language_wish:
        return switched(turn)
    return called(turn) if is_calling_loudly(turn.text) and pending_question(turn) is not None else None


def _judged(action: str, turn: Turn, found: Found) -> Decision | None:
    """What is grave though it names no class, and what names one by guess."""
    grave = turn.escalate and turn.reasons != LIKELY
    if action == "action_misunderstood" and grave and (likely := _likeliest(turn)):
        return answer_matter(replace(turn, intent=likely), found)
    if action != "action_matter" and (grave or (turn.hand_over and action not in CALM)):
        return taken(turn, matter_of(turn)) if grave else handed(turn, matter_of(turn))
    if action == "action_misunderstood" and "case_number" in turn.entities:
        return status(turn)
    return misunderstood(turn) if _is_guess(action, turn) else None


def _about(action: str, turn: Turn) -> Turn | None:
    """The turn as one about the matter that is answered in it; None when no matter is."""
    if turn.memory.awaiting == FACT:
        return None
    if label := next_label("action_thanks" if _is_content(action, turn) else action, turn):
        return turn_to(turn, label)
    if _corrects(turn) and turn.memory.matter:
        return replace(turn, intent=turn.memory.matter)
    return turn if action == "action_matter" else None


def _likeliest(turn: Turn) -> str | None:
    """What a grave message is about that named no class clearly: a person needs it now, and may see it otherwise."""
    told = next((OF_REASON[reason] for reason in turn.reasons if reason in OF_REASON), None)
    return told or next((name for name in turn.ranking if name in CLASSES), None)


def _is_guess(action: str, turn: Turn) -> bool:
    """That a message holds no matter of ours is said when it is known, not when it is the least unlikely."""
    idle = action == "action_matter" and turn.intent in ("out_of_scope", "not_a_complaint")
    return idle and 0 < turn.confidence < RECOGNISED and not (turn.escalate or turn.hand_over)


def _is_content(action: str, turn: Turn) -> bool:
    """ "Great, now I see": praise after an answer says that it will do, and so do thanks that were not understood."""
    if turn.memory.awaiting != HELPED or turn.escalate or turn.hand_over or doubts(turn.text):
        return False
    praise = action == "action_matter" and turn.intent == "not_a_complaint"
    return praise or (action == "action_misunderstood" and is_content(turn.text))


def _corrects(turn: Turn) -> bool:
    """A fact of the matter under way is taken back, and nothing else is told."""
    waits = turn.memory.awaiting in (HELPED, OPEN_CASE)
    grave = turn.escalate and turn.reasons != LIKELY
    return waits and len(turn.text) <= CORRECTION_CHARACTERS and not grave and bool(corrections(turn))


def _corrected(turn: Turn, found: Found) -> Decision:
    """With the right facts the records may say something else; an article would say the same again."""
    changed, memory = corrections(turn), turn.memory
    turn = replace(turn, memory=memory.with_facts(memory.matter, changed), intent=memory.matter or turn.intent)
    said = acknowledged(changed)
    if found is not None:
        decision = answer_matter(turn, found)
        return replace(decision, commands=(*said, *decision.commands))
    case = (
        (OpenCase(label=turn.intent, reasons=("added_by_user",), facts=changed, quiet=True),) if turn.case_open else ()
    )
    asked = pending_question(turn)
    return Decision(commands=(*case, *said, *((asked,) if asked else ())), memory=turn.memory)
