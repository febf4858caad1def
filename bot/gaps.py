"""Which questions has the knowledge base not answered? Noted in the commit of the turn that left them open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Connection

from actions.commands import Answer, Command, HandIfSilent, HandToPerson, OpenCase
from bot.clock import Clock
from bot.matter import Thought, words_of
from bot.understanding.masking import masked, same_words_key
from bot.wording import base
from escalation.help import repository
from escalation.help.repository import FAR, UNHELPED, Gap

UNHELPED_REASON = "answer_did_not_help"
_ARTICLE = "article:"


class Shelf(Protocol):
    """What there is to know of the articles (`bot/library.py`)."""

    def is_far(self, article: str, text: str, language: str) -> bool:
        """Whether the article is no good answer to the text."""

    def class_of(self, article: str) -> str:
        """The class that the article answers."""


class Gaps:
    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock

    def note(
        self,
        connection: Connection,
        thought: Thought,
        commands: Sequence[Command],
        began_with: Callable[[Any], str],
    ) -> None:
        """`commands` are those carried out; `began_with` gives the words of the message that began a matter."""
        for gap in (*self._far(thought, commands), *self._unhelped(thought, commands, began_with)):
            repository.add_gap(connection, gap, self._clock())

    def _far(self, thought: Thought, commands: Sequence[Command]) -> Iterator[Gap]:
        """An article was given for want of a better one. Where a person has the matter, it was never to settle it."""
        if any(isinstance(command, OpenCase | HandToPerson) for command in commands):
            return
        text = words_of(replace(thought.matter, message=thought.question or thought.matter.message))
        for command in commands:
            if isinstance(command, Answer) and self._shelf.is_far(command.article, text, thought.language):
                yield self._gap(text, thought.language, FAR, command.article)

    def _unhelped(
        self, thought: Thought, commands: Sequence[Command], began_with: Callable[[Any], str]
    ) -> Iterator[Gap]:
        """The user said that the article did not help."""
        if not any(isinstance(command, OpenCase) and UNHELPED_REASON in command.reasons for command in commands):
            return
        brief = next((each.brief for each in commands if isinstance(each, HandToPerson | HandIfSilent)), {})
        tried = [str(what) for what in brief.get("answers", ())]
        if tried and tried[-1].startswith(_ARTICLE):
            text = began_with(brief.get("began"))
            yield self._gap(text, thought.language, UNHELPED, tried[-1].removeprefix(_ARTICLE))

    def _gap(self, text: str, language: str, why: str, article: str) -> Gap:
        bare = masked(text)
        return Gap(
            text=bare,
            alike=same_words_key(bare),
            language=base(language),
            why=why,
            label=self._shelf.class_of(article),
            article=article,
        )
