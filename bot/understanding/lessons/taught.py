"""What agents taught: their corrections as training examples, in a file of the form of `data/nlu`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.understanding.labels import CLASSES, COMPLAINTS
from bot.understanding.language import language_of
from bot.understanding.lessons.corpus import Example, same_words
from bot.understanding.lessons.evaluation import Message

LONGEST: Final = 1_200
"""Characters of a lesson: as long as the longest mails of the evaluation. What is longer says several things."""
_SPELLED: Final = str.maketrans({"[": "(", "]": ")", "{": "(", "}": ")", "\\": "/"})
"""What is markup in the file."""


@dataclass(frozen=True)
class Correction:
    """What an agent said of one message; `text` is masked already. Newer ones come later in a sequence of them."""

    text: str
    language: str
    label: str
    escalate: bool


@dataclass(frozen=True)
class Lessons:
    """What is learned from corrections, and how many are left aside, why.

    `conflicts` says in a sentence each where the corpus has the same words otherwise: the corpus holds.
    """

    lessons: tuple[Correction, ...]
    superseded: int
    known: int
    unusable: int
    conflicts: tuple[str, ...]


def lessons_of(corrections: Sequence[Correction], corpus: Iterable[Example], evaluation: Iterable[Message]) -> Lessons:
    """Of equal words the latest correction holds; messages of the evaluation are never learned from."""
    latest: dict[str, Correction] = {}
    for correction in corrections:
        said = _on_one_line(correction)
        latest.pop(same_words(said.text), None)  # so that the order is that of the latest ones
        latest[same_words(said.text)] = said
    frozen = {same_words(message.text) for message in evaluation}
    written = {same_words(example.text): example for example in corpus}
    usable = {words: one for words, one in latest.items() if words not in frozen and _is_usable(one)}
    met = [(one, written[words]) for words, one in usable.items() if words in written]
    return Lessons(
        lessons=tuple(one for words, one in usable.items() if words not in written),
        superseded=len(corrections) - len(latest),
        known=sum(_agree(one, example) for one, example in met),
        unusable=len(latest) - len(usable),
        conflicts=tuple(_conflict(one, example) for one, example in met if not _agree(one, example)),
    )


def as_yaml(lessons: Iterable[Correction]) -> str:
    """The training file. Empty when there is nothing to learn."""
    blocks: Mapping[tuple[str, str, bool], list[str]] = defaultdict(list)
    for lesson in lessons:
        blocks[lesson.label, lesson.language, lesson.escalate].append(lesson.text)
    if not blocks:
        return ""
    lines = ['version: "3.1"', "", "# Corrections of agents, masked. Written by `redress train --candidate`.", "nlu:"]
    for (label, _, escalate), texts in sorted(blocks.items()):
        lines += [f"  - intent: {json.dumps(label)}", "    metadata:", f"      escalate: {json.dumps(escalate)}"]
        lines += ["    examples: |", *(f"      - {text}" for text in texts)]
    return "\n".join(lines) + "\n"


def _on_one_line(correction: Correction) -> Correction:
    """As the file can hold it: one line of characters that can be printed; and the language of its words."""
    printable = "".join(c if c.isprintable() else " " for c in correction.text.translate(_SPELLED))
    text = " ".join(printable.split())
    return Correction(text, language_of(text) or correction.language, correction.label, correction.escalate)


def _is_usable(correction: Correction) -> bool:
    """Has words of its language, is not too long, and says nothing that the labels rule out."""
    return (
        0 < len(correction.text) <= LONGEST
        and language_of(correction.text) is not None
        and correction.label in CLASSES
        and (correction.label in COMPLAINTS or not correction.escalate)
    )


def _agree(correction: Correction, example: Example) -> bool:
    return (correction.label, correction.escalate) == (example.label, example.escalate)


def _conflict(correction: Correction, example: Example) -> str:
    ours = f"{example.label} with escalate {json.dumps(example.escalate)}"
    theirs = f"{correction.label} with escalate {json.dumps(correction.escalate)}"
    return (
        f"{example.file}:{example.line}: stands as {ours}, an agent says {theirs}; the file holds until it is changed"
    )
