"""What does the bot answer to a turn? Pure: what is known goes in, commands and what to remember come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from actions.commands import Answer, Command, HandToPerson, OpenCase, Resolve, Say, TellCaseStatus
from actions.lookup import Finding, Unavailable, Unreadable
from actions.matters import ADVICE, ALWAYS_PERSON, ARTICLES, CLASSES, HOW_TO, LOOK_UPS, SENTENCES
from actions.turn import Turn

HELPED = "helped"
OPEN_CASE = "open_case"
UNCLASSIFIED = "unclassified"
PATIENCE = 2
"""This many messages in a row that were not understood, and a person takes over."""
CHOICES = 3
"""How many classes are offered when a message was not understood."""
CHECK = ("yes", "no", "person")
PROVE = "prove"
RANKED_UP: Mapping[str, str] = {"low": "normal", "normal": "high"}
"""The severity of a case whose user said in the subject that it is a complaint."""

Found = Finding | Unavailable | Unreadable | None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the desk is asked to do, and the slots as they are from now on."""

    commands: tuple[Command, ...]
    awaiting: str | None = None
    matter: str | None = None
    misunderstood: int = 0


def wanted_look_up(action: str, turn: Turn) -> str | None:
    """Which of the exchange's records to read before deciding; None when none would change the decision."""
    if action != "action_matter" or turn.uid is None or _for_person(turn) or _article(turn) in HOW_TO:
        return None
    return LOOK_UPS.get(turn.intent)


def decide(action: str, turn: Turn, found: Found = None) -> Decision:
    """The answer to one turn. `found` is what `wanted_look_up` led to. Raises KeyError for an unknown action."""
    step = STEPS[action]
    if action in ("action_matter", "action_greet", "action_person", "action_misunderstood") and not turn.escalate:
        return step(turn, found)
    if turn.escalate or turn.hand_over:
        return _to_person(turn, _matter_of(turn))
    return step(turn, found)


def _matter(turn: Turn, found: Found) -> Decision:
    label = turn.intent
    if _for_person(turn):
        return _taken_to_person(turn, label if label in CLASSES else _matter_of(turn))
    if label in SENTENCES:
        return _with_sentence(turn)
    if wanted_look_up("action_matter", turn):
        return _from_records(turn, found)
    return _from_knowledge(turn)


def _with_sentence(turn: Turn) -> Decision:
    """No matter of ours, by the looks of it. What its user calls a complaint is for a person to decline."""
    if _complains(turn) and turn.intent != "spam":
        return _to_person(turn, _matter_of(turn))
    return Decision(commands=(Say(key=SENTENCES[turn.intent]),), matter=turn.matter)


def _from_records(turn: Turn, found: Found) -> Decision:
    """The exchange's own records answer, or a person who can read them."""
    if isinstance(found, Unavailable):
        return _without_records(turn)
    if not isinstance(found, Finding):
        return _to_person(turn, turn.intent, ("records_unreadable",))
    said = Say(key=found.sentence, values=found.values)
    if found.needs_person:
        told = () if found.status == "unknown" else (said,)
        return _told_and_handed(turn, told, (f"{found.what}_{found.status}",), found.facts)
    if found.status == "none":
        return _with_case(turn, said)
    return _ask_if_it_helped(turn, said, facts=found.facts)


def _without_records(turn: Turn) -> Decision:
    """The truth about the records, and a case."""
    said, reasons = Say(key="backoffice_down"), ("backoffice_down",)
    if _complains(turn):
        return _told_and_handed(turn, (said,), reasons)
    return Decision(commands=(said, _open(turn, turn.intent, reasons)))


def _from_knowledge(turn: Turn) -> Decision:
    """An article answers; without one a case is offered. Where records would say more, proof of identity is."""
    article = _article(turn)
    hint = _hint(turn, article)
    if article is None:
        return _with_case(turn, *hint)
    return _ask_if_it_helped(turn, Answer(article=article), *hint)


def _hint(turn: Turn, article: str | None) -> tuple[Say, ...]:
    """How the user gets to hear of their own account."""
    if not _account_would_help(turn, article):
        return ()
    return (Say(key="prove_hint"),) if turn.can_prove else (Say(key="sign_in_hint"),)


def _account_would_help(turn: Turn, article: str | None) -> bool:
    return turn.intent in LOOK_UPS and turn.uid is None and article not in HOW_TO


def _greet(turn: Turn, _: Found) -> Decision:
    return Decision(commands=(Say(key="greeting"),), awaiting=turn.awaiting, matter=turn.matter)


def _thanks(turn: Turn, _: Found) -> Decision:
    return Decision(commands=(Say(key="welcome"),), awaiting=turn.awaiting, matter=turn.matter)


def _yes(turn: Turn, _: Found) -> Decision:
    if turn.awaiting == HELPED:
        return Decision(commands=(Resolve(), Say(key="solved_tip")))
    if turn.awaiting == OPEN_CASE:
        return _to_person(turn, turn.matter or UNCLASSIFIED, ("case_wanted",))
    return _ask_what(turn)


def _no(turn: Turn, _: Found) -> Decision:
    if turn.awaiting == HELPED:
        return _to_person(turn, turn.matter or UNCLASSIFIED, ("answer_did_not_help",))
    if turn.awaiting == OPEN_CASE:
        return Decision(commands=(Say(key="no_case_opened"),))
    return _ask_what(turn)


def _person(turn: Turn, _: Found) -> Decision:
    return _to_person(turn, _matter_of(turn), ("person_asked",))


def _status(turn: Turn, _: Found) -> Decision:
    return Decision(commands=(TellCaseStatus(),), awaiting=turn.awaiting, matter=turn.matter)


def _never_mind(_turn: Turn, _: Found) -> Decision:
    return Decision(commands=(Say(key="never_mind"),))


def _misunderstood(turn: Turn, _: Found) -> Decision:
    times = turn.misunderstood + 1
    if times >= PATIENCE:
        return _to_person(turn, turn.matter or UNCLASSIFIED, ("misunderstood_twice",))
    if turn.hand_over or _complains(turn):
        return _to_person(turn, _matter_of(turn))
    if turn.case_open:
        return Decision(commands=(_open(turn, turn.matter or UNCLASSIFIED, ("added_by_user",)),), matter=turn.matter)
    likely = [name for name in turn.ranking if name in CLASSES][:CHOICES]
    buttons = (*(f"class:{name}" for name in likely), "person")
    asked = Say(key="not_understood", buttons=buttons)
    return Decision(commands=(asked,), awaiting=turn.awaiting, matter=turn.matter, misunderstood=times)


STEPS: Mapping[str, Callable[[Turn, Found], Decision]] = {
    "action_matter": _matter,
    "action_greet": _greet,
    "action_thanks": _thanks,
    "action_yes": _yes,
    "action_no": _no,
    "action_person": _person,
    "action_status": _status,
    "action_never_mind": _never_mind,
    "action_misunderstood": _misunderstood,
}
"""The actions of domain.yml."""


def _for_person(turn: Turn) -> bool:
    return turn.escalate or turn.hand_over or turn.intent in ALWAYS_PERSON


def _complains(turn: Turn) -> bool:
    """The subject calls it a complaint, which is to become a case, unless it asks for the way or a case has it.

    The subject stays on the mails that follow, where it says nothing new.
    """
    return turn.urgent and not turn.case_open and _article(turn) not in HOW_TO


def _matter_of(turn: Turn) -> str | None:
    """What a case would be about: this message's class, else the matter under way, else nothing known."""
    if turn.intent in CLASSES:
        return turn.intent
    return turn.matter or (UNCLASSIFIED if turn.escalate or _complains(turn) else None)


def _to_person(
    turn: Turn, label: str | None, reasons: tuple[str, ...] = (), facts: Mapping[str, str] | None = None
) -> Decision:
    """A person takes over, with a case where there is a matter. The desk says so, once both are committed."""
    hand = HandToPerson(reasons=_reasons(turn, reasons))
    if label is None:
        return Decision(commands=(hand,))
    return Decision(commands=(_open(turn, label, reasons, facts), hand))


def _taken_to_person(turn: Turn, label: str | None) -> Decision:
    """A matter for a person, with what its user should do meanwhile; once, not with every further message."""
    if label is None or label not in ADVICE or turn.case_open:
        return _to_person(turn, label)
    return _told_and_handed(turn, (Answer(article=ADVICE[label]),))


def _told_and_handed(
    turn: Turn, told: tuple[Command, ...], reasons: tuple[str, ...] = (), facts: Mapping[str, str] | None = None
) -> Decision:
    """What the bot knows is told all the same; then a person takes over."""
    taken = _to_person(turn, turn.intent, reasons, facts)
    return replace(taken, commands=(*told, *taken.commands))


def _check_buttons(turn: Turn) -> tuple[str, ...]:
    offers_proof = turn.can_prove and _account_would_help(turn, _article(turn))
    return (*CHECK, PROVE) if offers_proof else CHECK


def _ask_if_it_helped(turn: Turn, *told: Command, facts: Mapping[str, str] | None = None) -> Decision:
    """The bot has answered. Whoever complains is not asked whether that will do: a person gets it as a case."""
    if _complains(turn):
        return _told_and_handed(turn, told, facts=facts)
    check = Say(key="did_this_help", buttons=_check_buttons(turn))
    return Decision(commands=(*told, check), awaiting=HELPED, matter=turn.intent)


def _with_case(turn: Turn, *said: Say) -> Decision:
    """The bot cannot settle it: a case is offered, or the message joins the one that is open."""
    if turn.case_open:
        return Decision(commands=(*said, _open(turn, turn.intent, ("added_by_user",))), matter=turn.intent)
    if _complains(turn):
        return _told_and_handed(turn, said)
    offer = Say(key="offer_case", buttons=_check_buttons(turn))
    return Decision(commands=(*said, offer), awaiting=OPEN_CASE, matter=turn.intent)


def _open(turn: Turn, label: str, reasons: tuple[str, ...], facts: Mapping[str, str] | None = None) -> OpenCase:
    """A case with all that is known. The desk adds to the open case of the conversation instead, if there is one."""
    known = {kind: ", ".join(values) for kind, values in turn.entities.items()} | dict(facts or {})
    severity = RANKED_UP.get(turn.severity, turn.severity) if turn.urgent else turn.severity
    return OpenCase(label=label, severity=severity, reasons=_reasons(turn, reasons), facts=known)


def _reasons(turn: Turn, reasons: tuple[str, ...]) -> tuple[str, ...]:
    stated = ("case_wanted",) if _complains(turn) else ()
    return tuple(dict.fromkeys((*turn.reasons, *reasons, *stated))) or ("class_for_person",)


def _article(turn: Turn) -> str | None:
    return turn.articles.get(turn.intent) or ARTICLES.get(turn.intent)


def _ask_what(turn: Turn) -> Decision:
    return Decision(commands=(Say(key="how_can_i_help", buttons=("person",)),), matter=turn.matter)
