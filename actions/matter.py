"""The answer to a matter: from the exchange's records, from an article, with one sentence, or by a person."""

from __future__ import annotations

from dataclasses import replace

from actions.commands import Answer, Command, OpenCase, Say
from actions.decision import Decision
from actions.forms import known, told_by
from actions.handing import article_for, complains, handed, matter_of, open_case, taken, with_matter
from actions.lookup import Finding, Unavailable, Unreadable
from actions.matters import CLASSES, HOW_TO, flow_of
from actions.memory import HELPED, OPEN_CASE, Memory
from actions.phrases import is_question
from actions.turn import Turn

CHECK = ("yes", "no", "person")
PROVE = "prove"
LIKELY = ("learned",)
"""No rule says that a person is needed, the message is only like those that needed one: its user gets both."""
Found = Finding | Unavailable | Unreadable | None


def answer_matter(turn: Turn, found: Found) -> Decision:
    """What is done about the class that `turn.intent` names. `found` is what `records_wanted` led to."""
    turn = _in_this_matter(turn)
    label = turn.intent
    if label not in CLASSES:
        return _no_matter_of_ours(turn)
    if for_person(turn):
        return _by_person(turn, label, found)
    if _adds(turn) and not isinstance(found, Finding):
        return _with_case(replace(turn, memory=_noted(turn, label)), ())
    if sentence := flow_of(label).sentence:
        return _with_sentence(turn, sentence)
    turn = replace(turn, memory=_noted(turn, label))
    if records_wanted(turn):
        return _from_records(turn, found)
    return _from_knowledge(turn)


def _adds(turn: Turn) -> bool:
    """Something about the case that is open, as was promised: it is added. A question about it is answered."""
    return turn.case_open and turn.case_label == turn.intent and bool(turn.text) and not is_question(turn.text)


def _in_this_matter(turn: Turn) -> Turn:
    """Who calls for a person because the bot is of no use wants one for the matter under way."""
    under_way = turn.memory.matter
    if turn.intent == "support_quality" and turn.hand_over and under_way is not None:
        return replace(turn, intent=under_way)
    return turn


def records_wanted(turn: Turn) -> str | None:
    """Which of the exchange's records answer this class; None where they would not, or nobody has proven who asks."""
    if turn.uid is None or turn.hand_over or article_for(turn, turn.intent) in HOW_TO:
        return None
    return flow_of(turn.intent).look_up


def for_person(turn: Turn) -> bool:
    """A question about the way ("how do I lock my account?") is answered first, even where a person would own it."""
    flow = flow_of(turn.intent)
    by_class = flow.person and not (turn.calm and article_for(turn, turn.intent))
    return turn.escalate or turn.hand_over or by_class


def _no_matter_of_ours(turn: Turn) -> Decision:
    """By the looks of it. What its user calls a complaint, or what sounds grave, is for a person to decline."""
    if turn.escalate or turn.hand_over:
        return handed(turn, matter_of(turn))
    return _with_sentence(turn, flow_of(turn.intent).sentence or "out_of_scope")


def _with_sentence(turn: Turn, sentence: str) -> Decision:
    if complains(turn) and turn.intent != "spam":
        return taken(turn, matter_of(turn))
    return Decision(commands=(Say(key=sentence),), memory=turn.memory.settled())


def _by_person(turn: Turn, label: str, found: Found) -> Decision:
    """With what the records say, else with what its user should do meanwhile; the latter once, not every time."""
    if isinstance(found, Finding):
        reasons = (f"{found.what}_{found.status}",) if found.needs_person else ()
        return taken(turn, label, reasons, (*_said(found), *_incident(turn)), found.facts)
    advice = flow_of(label).advice or (article_for(turn, label) if turn.reasons == LIKELY else None)
    told = () if advice is None or turn.case_open else (Answer(article=advice),)
    return taken(turn, label, told=(*told, *_incident(turn)))


def _said(found: Finding) -> tuple[Command, ...]:
    """A status that this version does not know is not told."""
    keys = () if found.status == "unknown" else (found.sentence, *found.further)
    return tuple(Say(key=key, values=found.values) for key in keys)


def _from_records(turn: Turn, found: Found) -> Decision:
    """The exchange's own records answer, or a person who can read them."""
    if isinstance(found, Unavailable):
        return taken(turn, turn.intent, ("backoffice_down",), (Say(key="backoffice_down"),))
    if not isinstance(found, Finding):
        return taken(turn, turn.intent, ("records_unreadable",))
    said = (*_said(found), *_incident(turn))
    if found.needs_person:
        return taken(turn, turn.intent, (f"{found.what}_{found.status}",), said, found.facts)
    memory = turn.memory.with_facts(turn.intent, {**found.facts, **turn.memory.held(turn.intent)})
    turn = replace(turn, memory=_tried(memory, f"records:{found.what}_{found.status}"))
    if found.status == "none":
        return _with_case(turn, said)
    return _ask_if_it_helped(turn, said)


def _from_knowledge(turn: Turn) -> Decision:
    """An article answers; without one a case is offered. Where records would say more, proof of identity is."""
    article = article_for(turn, turn.intent)
    hint = (*_incident(turn), *_hint(turn, article))
    if article is None:
        return _with_case(turn, hint)
    turn = replace(turn, memory=_tried(turn.memory, f"article:{article}"))
    return _ask_if_it_helped(turn, (Answer(article=article), *hint))


def _ask_if_it_helped(turn: Turn, told: tuple[Command, ...]) -> Decision:
    """The bot has answered. Whoever complains is not asked whether that will do: a person gets it as a case."""
    if complains(turn):
        return taken(turn, turn.intent, told=told)
    commands = (*told, *_also(turn), check(turn, turn.intent))
    return Decision(commands=commands, memory=turn.memory.asking(HELPED))


def _with_case(turn: Turn, said: tuple[Command, ...]) -> Decision:
    """The bot cannot settle it: a case is offered, or the message joins the one that is open."""
    if turn.case_open:
        joined = _joined(turn)
        return Decision(commands=(*said, joined, *_also(turn)), memory=turn.memory.settled())
    if complains(turn):
        return taken(turn, turn.intent, told=said)
    return Decision(commands=(*said, *_also(turn), offer(turn, turn.intent)), memory=turn.memory.asking(OPEN_CASE))


def _joined(turn: Turn) -> OpenCase:
    return open_case(turn, turn.intent, (*turn.reasons, "added_by_user"), known(turn.memory.held(turn.intent)))


def check(turn: Turn, label: str) -> Say:
    return Say(key="did_this_help", buttons=_buttons(turn, label))


def offer(turn: Turn, label: str) -> Say:
    return Say(key="offer_case", buttons=_buttons(turn, label))


def _buttons(turn: Turn, label: str) -> tuple[str, ...]:
    offers_proof = turn.can_prove and _account_would_help(turn, label, article_for(turn, label))
    return (*CHECK, PROVE) if offers_proof else CHECK


def _hint(turn: Turn, article: str | None) -> tuple[Say, ...]:
    """How the user gets to hear of their own account."""
    if not _account_would_help(turn, turn.intent, article):
        return ()
    return (Say(key="prove_hint"),) if turn.can_prove else (Say(key="sign_in_hint"),)


def _account_would_help(turn: Turn, label: str, article: str | None) -> bool:
    return flow_of(label).look_up is not None and turn.uid is None and article not in HOW_TO


def _incident(turn: Turn) -> tuple[Say, ...]:
    if turn.incident is None or not flow_of(turn.intent).incidents:
        return ()
    return (Say(key="incident_running", values={"title": turn.incident}),)


def _also(turn: Turn) -> tuple[Say, ...]:
    """What else the message spoke of is not forgotten, and the user hears so."""
    if not turn.also:
        return ()
    return (Say(key="also_mentioned", named={"topics": tuple(f"topic_{name}" for name in turn.also)}),)


def _noted(turn: Turn, label: str) -> Memory:
    memory = with_matter(turn.memory, label, turn)
    return memory.with_facts(label, told_by(turn, label))


def _tried(memory: Memory, what: str) -> Memory:
    return replace(memory, tried=tuple(dict.fromkeys((*memory.tried, what))))
