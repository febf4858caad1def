"""Carries out what the bot proposed, inside the commit that finishes the message: every promise is made here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection

from actions.commands import (
    BUTTONS,
    Answer,
    Command,
    HandIfSilent,
    HandToPerson,
    OpenCase,
    Resolve,
    Say,
    SetAside,
    TellCaseStatus,
)
from bot.repository import conversations
from bot.repository.conversations import ConversationRow
from bot.wording.traditional import HANT
from channels.contract import Author, Words
from escalation import cases, queue, reminders, setting_aside
from escalation.cases import Opening, Promise
from escalation.desk_command import DeskCommand
from escalation.links import TrackingLinks
from escalation.over_cap import OverCap, leave_to_person
from escalation.own_cases import none, own_cases
from escalation.queue import Patience
from escalation.repository import CaseRow
from escalation.web.moments import day

COMMAS = {"en": ", ", "zh": "、", HANT: "、"}
TITLE = "title"
"""The placeholder that is filled with words of the exchange (what it calls an incident)."""
LISTED = "list"
"""The placeholder that is filled with a line each."""


class ArticleText(Protocol):
    """The body of a knowledge article in one language. Raises KeyError on an unknown one."""

    def __call__(self, article: str, language: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known about the message whose commands are carried out."""

    conversation: ConversationRow
    inbox_id: int
    language: str
    live: bool
    buttons: bool
    brief: Mapping[str, Any]
    """For the agent who takes over: account, entities, reasons."""
    public: bool = False
    """Everybody can read what is said."""
    by_hand: bool = False
    """What is said is told or posted by a person: it must make sense away from any screen."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    text: str
    author: Author
    buttons: Sequence[tuple[str, str]] = ()


@dataclass
class Done:
    """What became of the commands."""

    outcome: str = "answered"
    """answered, opened or joined: how reconciliation counts the message."""
    replies: list[Reply] = field(default_factory=list)
    case: CaseRow | None = None


class CarryOut:
    def __init__(
        self,
        words: Words,
        article: ArticleText,
        links: TrackingLinks,
        promise: Promise,
        patience: Patience,
        *,
        silence: timedelta = timedelta(minutes=10),
        can_prove: bool = False,
    ) -> None:
        """`silence`: how long a user may leave a question about a case unanswered before a person takes over, and how
        long what came over a channel's caps waits for one.
        `can_prove`: whether the desk can offer to prove who somebody is."""
        self._words = words
        self._article = article
        self._links = links
        self._promise = promise
        self._patience = patience
        self._silence = silence
        self._can_prove = can_prove

    def __call__(self, connection: Connection, commands: Iterable[Command], facts: Facts, now: datetime) -> Done:
        done = Done()
        for command in commands:
            match command:
                case DeskCommand():
                    said = command.carry_out(connection, facts.conversation, now)
                    done.replies += [self._say(each, facts) for each in said]
                    facts = replace(facts, conversation=conversations.get(connection, facts.conversation.id))
                case Say():
                    done.replies.append(self._say(command, facts))
                case Answer():
                    done.replies.append(self._answer(command, facts))
                case OpenCase():
                    self._open_case(connection, command, facts, now, done)
                case HandToPerson():
                    self._hand_to_person(connection, command, facts, now, done)
                case HandIfSilent() | OverCap():
                    self._hand_later(connection, command, facts, now, done)
                case Resolve() | SetAside():
                    _end(connection, command, facts, now)
                case TellCaseStatus():
                    done.replies += self._status(connection, facts, now)
        return done

    def _say(self, command: Say, facts: Facts) -> Reply:
        """The bot's sentences are in its own catalogue; a key with a dot is one of the desk's."""
        of_desk = "." in command.key
        key = command.key if of_desk else f"bot.{command.key}"
        values = {place: self._value(place, value, facts.language) for place, value in command.values.items()}
        named = {place: self._named(place, keys, facts.language) for place, keys in command.named.items()}
        text = self._words.say(key, facts.language, **values, **named)
        return Reply(
            text=text, author=Author.DESK if of_desk else Author.BOT, buttons=self._titles(command.buttons, facts)
        )

    def _value(self, place: str, value: str, language: str) -> str:
        """As it is, but for words of the exchange."""
        return self._words.written(value, language) if place == TITLE else value

    def _named(self, place: str, keys: Sequence[str], language: str) -> str:
        names = [self._words.say(f"bot.{key}", language) for key in keys]
        return "\n".join(f"- {name}" for name in names) if place == LISTED else COMMAS[language].join(names)

    def _answer(self, command: Answer, facts: Facts) -> Reply:
        text = self._article(command.article, facts.language)
        return Reply(text=text, author=Author.BOT, buttons=self._titles(command.buttons, facts))

    def _titles(self, buttons: Sequence[str], facts: Facts) -> Sequence[tuple[str, str]]:
        """Quick replies with their titles; none where the channel cannot show them."""
        if not facts.buttons:
            return ()
        keys = {
            name: f"bot.button_{name}" if name in BUTTONS else f"bot.button_{name.replace(':', '_')}"
            for name in buttons
        }
        return [(name, self._words.say(key, facts.language)) for name, key in keys.items()]

    def _open_case(self, connection: Connection, command: OpenCase, facts: Facts, now: datetime, done: Done) -> None:
        opening = Opening(
            label=command.label,
            severity=command.severity,
            reasons=command.reasons,
            language=facts.language,
            actor="bot",
            facts=command.facts,
            inbox_id=facts.inbox_id,
        )
        done.case, new = cases.open_or_join(connection, facts.conversation, opening, self._promise, now)
        done.outcome = "opened" if new else "joined"
        if new or not command.quiet:
            done.replies.append(self._acknowledgement(done.case, facts, new=new))

    def _acknowledgement(self, case: CaseRow, facts: Facts, *, new: bool) -> Reply:
        key = "case.opened" if new else "case.joined"
        text = self._words.say(
            f"{key}_by_hand" if facts.by_hand else key,
            facts.language,
            number=case.number,
            hours=str(round(self._promise.first_answer.total_seconds() / 3600)),
            date=day(case.decision_due_at, facts.language),
            link=self._links.url(case.number, case.link_version),
        )
        return Reply(text=text, author=Author.DESK)

    def _hand_to_person(
        self, connection: Connection, command: HandToPerson, facts: Facts, now: datetime, done: Done
    ) -> None:
        queue.put_in_queue(
            connection,
            facts.conversation,
            reasons=command.reasons,
            brief=_whole_brief(command, facts, done),
            now=now,
            patience=self._patience.of(live=facts.live),
        )
        if facts.live:
            done.replies.append(Reply(text=self._words.say("case.person_soon", facts.language), author=Author.DESK))
        elif done.case is None:
            done.replies.append(Reply(text=self._words.say("case.person_writes", facts.language), author=Author.DESK))
        if done.outcome == "answered":
            done.outcome = "joined"

    def _hand_later(
        self, connection: Connection, command: HandIfSilent | OverCap, facts: Facts, now: datetime, done: Done
    ) -> None:
        if isinstance(command, OverCap):
            self._over_cap(connection, command, facts, now, done)
        else:
            self._hand_if_silent(connection, command, facts, now, done)

    def _hand_if_silent(
        self, connection: Connection, command: HandIfSilent, facts: Facts, now: datetime, done: Done
    ) -> None:
        """A conversation that nobody owns but the bot waits for its user; not without end."""
        reminders.expect_user(
            connection,
            facts.conversation.id,
            now + self._silence,
            inbox_id=facts.inbox_id,
            reasons=command.reasons,
            brief=_whole_brief(command, facts, done),
            patience=self._patience.of(live=facts.live),
        )

    def _over_cap(self, connection: Connection, command: OverCap, facts: Facts, now: datetime, done: Done) -> None:
        first = leave_to_person(
            connection,
            facts.conversation.id,
            command=command,
            brief=_whole_brief(command, facts, done),
            now=now,
            wait=self._silence,
            patience=self._patience.of(live=facts.live),
        )
        if first and not facts.public:
            done.replies.append(Reply(text=self._words.say("case.over_cap", facts.language), author=Author.DESK))

    def unheard(self, language: str) -> str:
        """What agents read beside a message that the bot was not asked about."""
        return self._words.say("case.note_over_cap", language)

    def _status(self, connection: Connection, facts: Facts, now: datetime) -> Sequence[Reply]:
        holds, found = own_cases(connection, facts.conversation, now)
        if found:
            return [Reply(text=self._standing(case, facts), author=Author.DESK) for case in found]
        return [self._say(none(holds=holds, can_prove=self._can_prove), facts)]

    def _standing(self, case: CaseRow, facts: Facts) -> str:
        return self._words.say(
            f"case.status_{case.status}_{case.awaited}" if case.status == "open" else "case.status_resolved",
            facts.language,
            number=case.number,
            date=day(case.decision_due_at, facts.language),
            link=self._links.url(case.number, case.link_version),
        )


def _end(connection: Connection, command: Resolve | SetAside, facts: Facts, now: datetime) -> None:
    if isinstance(command, SetAside):
        setting_aside.note(connection, facts.conversation, command.reasons, now)
    else:
        conversations.change(connection, facts.conversation.id, resolved_at=now)


def _whole_brief(command: HandToPerson | HandIfSilent | OverCap, facts: Facts, done: Done) -> dict[str, Any]:
    """What the desk knows of the message, what the bot gathered, and what became of it."""
    brief = {**facts.brief, "hand_over": list(command.reasons)}
    if done.case is not None:
        brief |= {"label": done.case.label, "severity": done.case.severity}
    return brief
