"""Hides a code from everybody it was not sent to: the transcript, the evidence, the bot, the agents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email import message_from_bytes

from bot.identity.codes import Codes
from bot.identity.digits import groups, masked
from bot.identity.policy import Limits
from bot.identity.proposal import Proving
from bot.identity.repository import CodeRow
from bot.identity.steps import minutes
from bot.script import script_of
from bot.understanding.folding import fold_in_place
from bot.wording.traditional import HANT
from channels.contract import ReadMessage, Words
from channels.files_contract import Attachment

_ENCLOSED = "message/"
"""What a letter comes back in: a bounce (RFC 3464), a reply that encloses it, a forward as a file."""
_LETTER_BYTES = 64 * 1024
"""Our letter is far smaller; more is not searched."""
_HERE = "\ufffc"


@dataclass(frozen=True)
class _Letter:
    """Our letter in one language, folded: what stands before the code, and the lines without it."""

    before: Sequence[re.Pattern[str]]
    lines: Sequence[str]


class LetterWords:
    """The words of our letter with a code, as people copy and forward them, in every language."""

    def __init__(self, words: Words, exchange: Mapping[str, str], limits: Limits) -> None:
        self._words = words
        self._exchange = exchange
        self._minutes = minutes(limits)
        self._letters: dict[str, _Letter] = {}

    def codes(self, text: str) -> frozenset[str]:
        """The codes that stand where our letter has one."""
        folded = fold_in_place(text)
        return frozenset(
            group.code
            for letter in self._in_script_of(text)
            for pattern in letter.before
            for match in pattern.finditer(folded)
            for group in groups(folded[match.end() : match.end() + 12])[:1]
        )

    def without(self, text: str) -> str:
        """What is said beside a letter that was copied whole. Lines that a mail program has broken stay."""
        ours = {line for letter in self._in_script_of(text) for line in letter.lines}
        return "\n".join(line for line in text.splitlines() if fold_in_place(line).strip() not in ours)

    def _in_script_of(self, text: str) -> Iterator[_Letter]:
        """The letter in 繁體 is written, with tables that take 43 MB, when a text in 繁體 is compared with it."""
        for language in self._exchange:
            if language != HANT or script_of(text) == HANT:
                if language not in self._letters:
                    self._letters[language] = self._letter(language)
                yield self._letters[language]

    def _letter(self, language: str) -> _Letter:
        values = {"code": _HERE, "minutes": self._minutes, "exchange": self._exchange[language]}
        letter = self._words.say("identity.letter", language, **values)
        lines = [fold_in_place(line) for line in letter.splitlines()]
        return _Letter(
            before=[_before_code(line) for line in lines if _HERE in line],
            lines=[line for line in lines if line.strip() and _HERE not in line],
        )


def _before_code(line: str) -> re.Pattern[str]:
    """What stands before the code, over broken lines and quotation marks too."""
    words = line.partition(_HERE)[0].split()
    return re.compile(r"[\s>*]+".join(map(re.escape, words)) + r"[\s>*]*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Cover:
    codes: Codes
    letter: LetterWords

    def over(
        self, conversation_id: int, message: ReadMessage, row: CodeRow | None, proving: Proving | None
    ) -> Proving | None:
        """`proving` with everything hidden that has to be. `row`: the newest code of this conversation, if it is
        known; a forwarded letter is recognised by its words alone."""
        text = message.text if proving is None or proving.masked is None else proving.masked
        hidden, subject = self._hidden(text, row), self._hidden(message.subject, row)
        came_back = row is not None and row.conversation_id != conversation_id
        files = tuple(file for file in message.attachments if not self._is_letter(file, came_back=came_back))
        if (hidden, subject, files) == (message.text, message.subject, message.attachments):
            return proving
        known = Proving(goes_on=True) if proving is None else proving
        return replace(known, masked=hidden, masked_subject=subject, attachments=files)

    def _hidden(self, text: str, row: CodeRow | None) -> str:
        codes = self.letter.codes(text)
        if row is not None:
            codes |= {group.code for group in groups(text) if is_code(self.codes, row, group.code)}
        for code in codes:
            text = masked(text, code)
        return text

    def _is_letter(self, file: Attachment, *, came_back: bool) -> bool:
        """A message with our letter in it. In the letter's own conversation that is taken for granted."""
        if not file.content_type.lower().startswith(_ENCLOSED):
            return False
        return came_back or any(self.letter.codes(text) for text in _texts(file.data[:_LETTER_BYTES]))


def is_code(codes: Codes, row: CodeRow, typed: str) -> bool:
    """Whether these digits are the code of the row, whatever has become of it."""
    return codes.matches(typed, row.nonce, row.conversation_id, row.uid, row.address)


def _texts(enclosed: bytes) -> Iterator[str]:
    try:
        parts = [part for part in message_from_bytes(enclosed).walk() if part.get_content_maintype() == "text"]
        payloads = [part.get_payload(decode=True) for part in parts]
    except Exception:  # RecursionError on deep nesting, and what else the library raises: then it is none of ours
        return
    yield from (payload.decode(errors="replace") for payload in payloads if isinstance(payload, bytes))
