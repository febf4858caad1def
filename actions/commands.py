"""What an action may ask of the desk. Actions propose, the core carries out (architecture decision 2).

Rasa may run a turn twice and saves its tracker after the actions ran, so an action that wrote would write
twice. It answers with commands instead: JSON objects in Rasa's `custom` response field. `bot/finish.py` carries
them out in the one commit that also finishes the inbox row and queues the reply. This module is standard
library only, so that both sides of the border can read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar


class UnknownCommand(ValueError):
    """The bot sent a command that the desk does not know; the turn counts as failed and a person takes over."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One wish of the bot. `name` is its tag on the wire."""

    name: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        return {"command": self.name, **{f.name: getattr(self, f.name) for f in fields(self)}}


@dataclass(frozen=True, kw_only=True)
class Say(Command):
    """Say a sentence of the catalogue (`bot/wording`) in the user's language.

    `key` names the sentence, `buttons` are names of quick replies (`BUTTONS`). `values` fill it as they are, `named`
    with other entries of the catalogue: {"topics": ("topic_fees_limits",)} becomes "a fee or a limit". A placeholder
    called "list" gets them as a list of lines, any other one as an enumeration.
    """

    name = "say"
    key: str
    values: Mapping[str, str] = field(default_factory=dict)
    buttons: tuple[str, ...] = ()
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer(Command):
    """Answer with an article of the knowledge base, in the user's language."""

    name = "answer"
    article: str
    buttons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OpenCase(Command):
    """Open a case about `label` (a class of the taxonomy, or "unclassified") in this conversation.

    A conversation whose case is still open gets the message added to that case instead of a second case.
    The number is said by the desk after the commit, never by the bot. `quiet`: what is added to an open case is not
    acknowledged, for the bot asks on in the same breath.
    """

    name = "open_case"
    label: str
    severity: str = "normal"
    reasons: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class HandToPerson(Command):
    """Put the conversation into the agents' queue; the bot is silent from this commit on.

    `brief` is what the bot gathered for the person (`actions/handing.py`).
    """

    name = "hand_to_person"
    reasons: tuple[str, ...] = ()
    brief: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class HandIfSilent(Command):
    """The bot goes on about a case that no person has yet: if the user falls silent, hand the conversation over."""

    name = "hand_if_silent"
    reasons: tuple[str, ...] = ()
    brief: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Resolve(Command):
    """The user confirmed an answer or wants nothing more: the conversation is resolved and is reopened by writing."""

    name = "resolve"


@dataclass(frozen=True, kw_only=True)
class SetAside(Command):
    """Of a message that did not speak to us: it is no complaint, nobody is answered and nobody need read it."""

    name = "set_aside"
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TellCaseStatus(Command):
    """Tell the owner of this conversation how its case stands; the desk reads the case and writes the words."""

    name = "tell_case_status"


COMMANDS: Mapping[str, type[Command]] = {
    kind.name: kind for kind in (Say, Answer, OpenCase, HandToPerson, HandIfSilent, Resolve, SetAside, TellCaseStatus)
}

BUTTONS: Mapping[str, str] = {
    "yes": "/yes",
    "no": "/no",
    "person": "/person",
    "status": "/status",
    "never_mind": "/never_mind",
    "skip": "/skip",
}
"""Quick replies the bot may offer and what Rasa receives when one is pressed; class buttons are `class:<label>`.

`prove`, `subscribe` and `unsubscribe` are more: the desk itself acts on them, and Rasa never hears of them
(`bot/identity/`, `escalation/broadcast/`).
"""


def from_json(data: Mapping[str, Any]) -> Command:
    """Reads one `custom` object. Raises UnknownCommand, naming what is wrong, on anything unexpected."""
    kind = COMMANDS.get(str(data.get("command")))
    if kind is None:
        raise UnknownCommand(f"the bot asked for {data.get('command')!r}; known are {', '.join(COMMANDS)}")
    known = {f.name for f in fields(kind)}
    given = {key: _frozen(value) for key, value in data.items() if key != "command"}
    if unknown := given.keys() - known:
        raise UnknownCommand(f"command {kind.name} has no field {', '.join(sorted(unknown))}")
    try:
        return kind(**given)
    except TypeError as error:
        raise UnknownCommand(f"command {kind.name}: {error}") from error


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _frozen(each) for key, each in value.items()}
    return tuple(value) if isinstance(value, list) else value
