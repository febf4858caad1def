"""What is proposed about a message that belongs to proving who writes. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from actions.commands import Command, Say
from bot.identity.reading import Said
from bot.identity.steps import Tell
from channels.files_contract import Attachment


@dataclass(frozen=True, kw_only=True)
class Resume:
    """The question that waited, to be asked again now that the account is known."""

    text: str
    account: dict[str, str]
    own: bool = False
    """It came with the code itself: nobody has heard it before, so it must not go unanswered."""


@dataclass(frozen=True, kw_only=True)
class Proving:
    """What is to be done about a message that belongs to proving who writes."""

    commands: Sequence[Command] = ()
    masked: str | None = None
    """The text as it may be kept and as the bot may hear it; None when nothing has to be hidden."""
    masked_subject: str | None = None
    attachments: tuple[Attachment, ...] | None = None
    """The files that may be kept as evidence; None when all may."""
    resume: Resume | None = None
    goes_on: bool = False
    """The message is, at least in part, about something else: it is the bot's or the agent's as always, after the
    commands."""


def tell(say: Say) -> Proving:
    return Proving(commands=(Tell(say=say),))


def typed(said: Said, *commands: Command) -> Proving:
    """A code was typed; what was said beside it is the bot's or the agent's to answer."""
    return Proving(commands=commands, masked=said.masked, goes_on=not said.whole)
