"""The form: one fact after another for a case that is open already, until the person has what there is to know.

Whatever is written in between is answered as well: a correction, a question about something else, a file, "hello?".
Each fact is asked for at most twice, so that every form ends, and it ends with a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from actions.acts import PATIENCE, called, greet, person, status, switched, thanks, who
from actions.commands import Answer, Command, HandToPerson, OpenCase, Say
from actions.decision import Decision
from actions.forms import FACTS, MOST_TRIES, NAMED, answer_to, is_recognised, missing, told_by
from actions.handing import AT_ONCE, article_for, handed, question
from actions.matters import flow_of
from actions.memory import SKIPPED, UNCLASSIFIED
from actions.phrases import (
    asks_back,
    asks_who,
    denies,
    is_calling,
    is_calling_loudly,
    is_correction,
    is_question,
    says_unknown,
)
from actions.turn import Turn

TERSE: Final = {"en": 24, "zh": 10}
"""Characters of a text that is a "yes", a "thanks" or a greeting and nothing else."""
SHORT: Final = {"en": 60, "zh": 24}
"""Characters up to which "cancelled" is a wish to stop, and not part of a story."""
SURE: Final = 0.35
"""The confidence from which a statement counts as one about another matter."""
IN_FILE: Final = "(file)"
"""The value of a fact that is to be read from a file."""


def ask_on(action: str, turn: Turn) -> Decision:
    """The answer while a fact is asked for (`turn.memory.asked`)."""
    for means, answer in _MEANINGS:
        if means(action, turn):
            return answer(turn)
    return _answered(action, turn)


def _asks_who(action: str, turn: Turn) -> bool:
    return asks_who(turn.text)


def _is_urgent(action: str, turn: Turn) -> bool:
    """Not "人呢": whoever calls hears the question once more before a person comes."""
    return not is_calling(turn.text) and (turn.hand_over or not AT_ONCE.isdisjoint(turn.reasons))


def _to_person(turn: Turn) -> Decision:
    return handed(turn, turn.memory.matter)


def _is_evidence(action: str, turn: Turn) -> bool:
    return action == "action_file"


def _evidence(turn: Turn) -> Decision:
    """A picture answers what can be read from it; what has to be typed is asked for once more."""
    memory, asked, said = turn.memory, turn.memory.asked or "", Say(key="file_taken")
    if FACTS[asked].shown or memory.tries + 1 >= MOST_TRIES:
        return _next(turn, {asked: IN_FILE}, said)
    decision = _again(turn, said)
    kept = OpenCase(label=memory.matter or UNCLASSIFIED, reasons=("file",), quiet=True)
    return replace(decision, commands=(kept, *decision.commands))


def _is_call(action: str, turn: Turn) -> bool:
    return is_calling_loudly(turn.text)


def _wants_person(action: str, turn: Turn) -> bool:
    return action == "action_person" and not _names_asked(turn)


def _wants_language(action: str, turn: Turn) -> bool:
    return turn.language_wish


def _leaves(action: str, turn: Turn) -> bool:
    return action == "action_never_mind" and _is_short(turn) and not _names_asked(turn)


def _left(turn: Turn) -> Decision:
    """No more questions. The case stays open, and when the user says nothing more its person hears of it."""
    memory = turn.memory.settled()
    said = Say(key="form_left", values={"number": turn.case_number}) if turn.case_number else Say(key="never_mind")
    return Decision(commands=(said,), memory=memory)


def _passes(action: str, turn: Turn) -> bool:
    terse = action == "action_no" and _is_terse(turn) and not turn.entities
    return action == "action_skip" or terse or says_unknown(turn.text)


def _passed(turn: Turn) -> Decision:
    return _next(turn, {turn.memory.asked or "": SKIPPED})


def _asks_status(action: str, turn: Turn) -> bool:
    return action == "action_status" and _is_short(turn) and not _names_asked(turn)


def _greets(action: str, turn: Turn) -> bool:
    return action == "action_greet" and _is_terse(turn) and not turn.entities and not _names_asked(turn)


def _thanks(action: str, turn: Turn) -> bool:
    return action == "action_thanks" and _is_terse(turn) and not _names_asked(turn)


def _digresses(action: str, turn: Turn) -> bool:
    """Clearly about another class: a question, or, where a coin or a number is awaited, a sure statement."""
    if action != "action_matter" or turn.intent in (turn.memory.matter, "not_a_complaint"):
        return False
    if is_question(turn.text):
        return not (_names_asked(turn) and _is_terse(turn))
    return not _names_asked(turn) and not FACTS[turn.memory.asked or ""].free and turn.confidence >= SURE


def _digressed(turn: Turn) -> Decision:
    """The other thing is answered, or noted for the person; then the pending question comes again."""
    asked = question(turn.memory.asked or "")
    article = article_for(turn, turn.intent)
    if sentence := flow_of(turn.intent).sentence:
        return Decision(commands=(Say(key=sentence), asked), memory=turn.memory)
    if article is not None and is_question(turn.text):
        tried = tuple(dict.fromkeys((*turn.memory.tried, f"article:{article}")))
        return Decision(commands=(Answer(article=article), asked), memory=replace(turn.memory, tried=tried))
    others = tuple(dict.fromkeys((*turn.memory.later, turn.intent)))
    noted = _add(turn, {"also": ", ".join(others)})
    said = Say(key="also_for_person", named={"topics": (f"topic_{turn.intent}",)})
    return Decision(commands=(noted, said, asked), memory=replace(turn.memory, later=others))


_MEANINGS: Final[tuple[tuple[Callable[[str, Turn], bool], Callable[[Turn], Decision]], ...]] = (
    (_asks_who, who),
    (_is_urgent, _to_person),
    (_is_evidence, _evidence),
    (_is_call, called),
    (_wants_person, person),
    (_wants_language, switched),
    (_passes, _passed),
    (_leaves, _left),
    (_asks_status, status),
    (_greets, greet),
    (_thanks, thanks),
    (_digresses, _digressed),
)
"""What a message in the middle of a form can be, the first that fits; else it is the answer, or meant to be one."""


def _answered(action: str, turn: Turn) -> Decision:
    """The answer to the question, a correction of an earlier one, or neither."""
    asked, label = turn.memory.asked or "", turn.memory.matter
    held, news = turn.memory.held(label), told_by(turn, label)
    corrected = corrections(turn)
    value = None if (action == "action_yes" and _is_terse(turn)) or _asks_back(turn) else answer_to(asked, turn)
    memory = turn.memory.with_facts(label, {**news, **corrected})
    turn = replace(turn, memory=memory)
    if value is not None and (not corrected or _names_asked(turn)):
        return _next(turn, {**news, **corrected, asked: corrected.get(asked, value)}, *acknowledged(corrected))
    new = corrected or {name: news[name] for name in turn.entities if name in NAMED and news[name] != held.get(name)}
    if new:
        said = acknowledged(new)
        commands = (_add(turn, {**news, **corrected}), *said, question(asked))
        return Decision(commands=commands, memory=memory)
    return _not_answered(action, turn)


def corrections(turn: Turn) -> dict[str, str]:
    """Facts of the matter under way that the message takes back, with their new values: "no, it was TRC20"."""
    if not is_correction(turn.text):
        return {}
    held = turn.memory.held(turn.memory.matter)
    changed = {}
    for kind, values in turn.entities.items():
        meant = [value for value in values if not denies(turn.text, value)]
        meant = [value for value in meant if value != held.get(kind)] or meant
        if meant and kind in held and held[kind] not in (SKIPPED, ", ".join(meant)):
            changed[kind] = ", ".join(meant)
    return changed


def acknowledged(facts: Mapping[str, str]) -> tuple[Say, ...]:
    """Says what is held now; of many facts the first two."""
    named = [(name, value) for name, value in facts.items() if name in NAMED][:2]
    return tuple(Say(key="noted", values={"value": value}, named={"fact": (f"fact_{name}",)}) for name, value in named)


def _not_answered(action: str, turn: Turn) -> Decision:
    """Not understood twice in a row is for a person; what was understood but told nothing is asked once more."""
    lost = turn.memory.misunderstood + 1 if action == "action_misunderstood" else 0
    if lost >= PATIENCE:
        return handed(turn, turn.memory.matter, ("misunderstood_twice",))
    decision = _again(turn, Say(key="why_asked" if _asks_back(turn) else "not_found_in_it"))
    return replace(decision, memory=replace(decision.memory, misunderstood=lost))


def _again(turn: Turn, said: Say) -> Decision:
    """The same question once more, or the next one when it has been asked often enough."""
    memory, asked = turn.memory, turn.memory.asked or ""
    if memory.tries + 1 >= MOST_TRIES:
        return _next(turn, {asked: SKIPPED})
    memory = replace(memory, tries=memory.tries + 1, misunderstood=0)
    return Decision(commands=(said, question(asked)), memory=memory)


def _next(turn: Turn, facts: Mapping[str, str], *said: Say) -> Decision:
    """The facts are kept, in the case too; the next question follows, or the person."""
    label = turn.memory.matter
    memory = turn.memory.with_facts(label, facts)
    added: tuple[Command, ...] = (_add(turn, facts),) if any(facts.values()) else ()
    gaps = missing(label, memory.held(label))
    if gaps:
        memory = replace(memory, asked=gaps[0], tries=0, misunderstood=0)
        return Decision(commands=(*added, *said, question(gaps[0])), memory=memory)
    done = (Say(key="form_done"), HandToPerson())
    return Decision(commands=(*added, *said, *done), memory=memory)


def _add(turn: Turn, facts: Mapping[str, str]) -> OpenCase:
    told = {name: value for name, value in facts.items() if value != SKIPPED}
    return OpenCase(label=turn.memory.matter or UNCLASSIFIED, reasons=("added_by_user",), facts=told, quiet=True)


def _asks_back(turn: Turn) -> bool:
    """No answer but a question. What an app says, or a story, may well end with one."""
    may_quote = FACTS[turn.memory.asked or ""].shown and not _is_terse(turn)
    return asks_back(turn.text) and _is_short(turn) and not _names_asked(turn) and not may_quote


def _names_asked(turn: Turn) -> bool:
    return is_recognised(turn.memory.asked or "", turn)


def _is_terse(turn: Turn) -> bool:
    return len(turn.text) <= TERSE[turn.language]


def _is_short(turn: Turn) -> bool:
    return len(turn.text) <= SHORT[turn.language]
