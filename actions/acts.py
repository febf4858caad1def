"""What is answered to a move in the conversation that is no matter: yes, no, hello, thanks, a file, "never mind"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from actions.commands import OpenCase, Resolve, Say, TellCaseStatus
from actions.decision import Decision
from actions.handing import complains, handed, matter_of, open_case, question, taken
from actions.matter import Found, answer_matter, check, offer
from actions.matters import CLASSES, flow_of
from actions.memory import FACT, HELPED, OPEN_CASE, UNCLASSIFIED
from actions.phrases import doubts, greets, is_calling
from actions.turn import Turn

PATIENCE: Final = 2
"""This many messages in a row that led nowhere, and a person takes over."""
CHOICES: Final = 3
"""How many classes are offered when a message was not understood."""


def pending_question(turn: Turn) -> Say | None:
    """What the user has been asked and has not answered, as it is asked again."""
    memory = turn.memory
    if memory.awaiting == FACT and memory.asked:
        return question(memory.asked)
    asks = {HELPED: check, OPEN_CASE: offer}.get(memory.awaiting or "")
    return None if asks is None else asks(turn, memory.matter or UNCLASSIFIED)


def greet(turn: Turn, _: Found = None) -> Decision:
    """A greeting in the middle of something is answered by what stands open; "help" is asked what it is about."""
    said = pending_question(turn)
    if said is None and turn.text and not (greets(turn.text) or is_calling(turn.text)):
        return _vague(turn)
    return Decision(commands=(said or Say(key="greeting"),), memory=replace(turn.memory, misunderstood=0))


def _vague(turn: Turn) -> Decision:
    """Something is wrong, and twice nothing was said about what: a person asks better."""
    times = turn.memory.misunderstood + 1
    if times >= PATIENCE:
        return handed(turn, turn.memory.matter or UNCLASSIFIED, ("misunderstood_twice",))
    asked = Say(key="how_can_i_help", buttons=("person",))
    return Decision(commands=(asked,), memory=replace(turn.memory, misunderstood=times))


def who(turn: Turn) -> Decision:
    """The truth, the way to a person, and what stands open."""
    asked = pending_question(turn)
    told = Say(key="who_i_am", buttons=() if asked else ("person",))
    return Decision(commands=(told, *((asked,) if asked else ())), memory=turn.memory)


def called(turn: Turn) -> Decision:
    """ "Hello?", "人呢": the question that stands open, and after the second call a person."""
    times = turn.memory.misunderstood + 1
    said = pending_question(turn)
    if said is None or times >= PATIENCE:
        return handed(turn, turn.memory.matter or matter_of(turn), ("person_asked",))
    return Decision(commands=(Say(key="still_here"), said), memory=replace(turn.memory, misunderstood=times))


def thanks(turn: Turn, found: Found = None) -> Decision:
    """After an answer it says that the answer will do, unless there is a "but"."""
    asked, doubtful = pending_question(turn), doubts(turn.text)
    if turn.memory.awaiting == HELPED and not doubtful:
        return yes(turn, found)
    said = () if asked and doubtful else (Say(key="welcome"),)
    return Decision(commands=(*said, *((asked,) if asked else ())), memory=replace(turn.memory, misunderstood=0))


def status(turn: Turn, _: Found = None) -> Decision:
    asked = (question(turn.memory.asked),) if turn.memory.awaiting == FACT and turn.memory.asked else ()
    return Decision(commands=(TellCaseStatus(), *asked), memory=replace(turn.memory, misunderstood=0))


def switched(turn: Turn) -> Decision:
    """Nothing was said but in which language to go on; what stands open is asked in it."""
    said = pending_question(turn) or Say(key="how_can_i_help", buttons=("person",))
    return Decision(commands=(Say(key="language_switched"), said), memory=turn.memory)


def yes(turn: Turn, found: Found = None) -> Decision:
    memory = turn.memory
    if memory.awaiting == OPEN_CASE:
        return taken(turn, memory.matter or UNCLASSIFIED, ("case_wanted",))
    if memory.awaiting != HELPED:
        return ask_what(turn)
    if memory.later:
        return _next_matter(turn, found)
    tip = f"tip_{memory.matter}" if flow_of(memory.matter).tip else "solved_tip"
    return Decision(commands=(Resolve(), Say(key=tip)), memory=memory.closed())


def no(turn: Turn, found: Found = None) -> Decision:
    memory = turn.memory
    if memory.awaiting == HELPED:
        return taken(turn, memory.matter or UNCLASSIFIED, ("answer_did_not_help",))
    if memory.awaiting != OPEN_CASE:
        return ask_what(turn)
    if memory.later:
        return _next_matter(turn, found)
    return Decision(commands=(Resolve(), Say(key="no_case_opened")), memory=memory.closed())


def next_label(action: str, turn: Turn) -> str | None:
    """The further matter that this answer leads on to."""
    memory = turn.memory
    content = action == "action_yes" or (action == "action_thanks" and not doubts(turn.text))
    over = (content and memory.awaiting == HELPED) or (action, memory.awaiting) == ("action_no", OPEN_CASE)
    return memory.later[0] if over and memory.later else None


def turn_to(turn: Turn, label: str) -> Turn:
    """The turn as if it spoke of that matter."""
    return replace(turn, intent=label, also=(), text="", entities={}, articles={})


def _next_matter(turn: Turn, found: Found) -> Decision:
    label = turn.memory.later[0]
    decision = answer_matter(turn_to(turn, label), found)
    announced = Say(key="next_matter", named={"topics": (f"topic_{label}",)})
    return replace(decision, commands=(announced, *decision.commands))


def never_mind(turn: Turn, _: Found = None) -> Decision:
    """A polite close. What is a case stays one, and the user hears so."""
    if turn.case_open and turn.case_number:
        said = Say(key="case_stays", values={"number": turn.case_number})
        return Decision(commands=(said,), memory=turn.memory.settled())
    return Decision(commands=(Resolve(), Say(key="never_mind")), memory=turn.memory.closed())


def person(turn: Turn, _: Found = None) -> Decision:
    return handed(turn, matter_of(turn), ("person_asked",))


def file(turn: Turn, _: Found = None) -> Decision:
    """A file without words: evidence for the case, or the beginning of something."""
    if turn.case_open:
        kept = OpenCase(label=turn.memory.matter or UNCLASSIFIED, reasons=("file",))
        asked = pending_question(turn)
        return Decision(commands=(kept, *((asked,) if asked else ())), memory=turn.memory)
    said = pending_question(turn)
    commands = (Say(key="file_taken"), said) if said else (Say(key="case.file_received"),)
    return Decision(commands=commands, memory=turn.memory)


def skip(turn: Turn, _: Found = None) -> Decision:
    """The button of a question that is over."""
    said = pending_question(turn)
    return ask_what(turn) if said is None else Decision(commands=(said,), memory=turn.memory)


def misunderstood(turn: Turn, _: Found = None) -> Decision:
    times = turn.memory.misunderstood + 1
    if times >= PATIENCE:
        return handed(turn, turn.memory.matter or UNCLASSIFIED, ("misunderstood_twice",))
    if turn.hand_over or complains(turn):
        return taken(turn, matter_of(turn))
    memory = replace(turn.memory, misunderstood=times)
    if turn.case_open:
        joined = open_case(turn, turn.memory.matter or UNCLASSIFIED, ("added_by_user",), {})
        return Decision(commands=(joined,), memory=memory)
    likely = [name for name in turn.ranking if name in CLASSES][:CHOICES]
    buttons = (*(f"class:{name}" for name in likely), "person")
    return Decision(commands=(Say(key="not_understood", buttons=buttons),), memory=memory)


def ask_what(turn: Turn) -> Decision:
    """An answer to no question. Whoever goes on so wants nothing more: a polite close, or the case gets its person."""
    times = turn.memory.misunderstood + 1
    if times < PATIENCE:
        asked = Say(key="how_can_i_help", buttons=("person",))
        return Decision(commands=(asked,), memory=replace(turn.memory, misunderstood=times))
    if turn.memory.unhanded:
        return handed(turn, turn.memory.matter or UNCLASSIFIED)
    return Decision(commands=(Resolve(), Say(key="never_mind")), memory=turn.memory.closed())


ACTS: Mapping[str, Callable[[Turn, Found], Decision]] = {
    "action_greet": greet,
    "action_thanks": thanks,
    "action_yes": yes,
    "action_no": no,
    "action_person": person,
    "action_status": status,
    "action_never_mind": never_mind,
    "action_file": file,
    "action_skip": skip,
    "action_misunderstood": misunderstood,
}
