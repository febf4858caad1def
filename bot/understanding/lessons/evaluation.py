"""How well does the bot understand? The frozen messages of `data/evaluation`, and what a reader makes of them.

They were written apart from the training data and are never trained on; a figure here is comparable over time.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bot.understanding.labels import CLASSES
from bot.understanding.language import language_of
from bot.understanding.lessons.corpus import LANGUAGES, CorpusError, Example, Fault, same_words

KIND: Final = re.compile(r"[a-z]{2,16}")
"""The manner of a message in a word: chat, review, ..."""
FIELDS: Final = {"id": str, "text": str, "label": str, "escalate": bool, "kind": str}

Classify = Callable[[str], "tuple[str, bool]"]
"""A message to its class and whether it needs a case and a person."""


@dataclass(frozen=True)
class Message:
    """A message and what a careful person makes of it."""

    id: str
    text: str
    label: str
    escalate: bool
    kind: str
    language: str
    file: str
    line: int


@dataclass(frozen=True)
class Figures:
    """Of one language, or of all. Shares are 0 to 1.

    `accuracy`: messages with the right class. `macro`: the mean over the classes of their share of right ones.
    `recall`: of the messages that need a case, those that get one; `false_alarms`: of the others, those that do.
    """

    messages: int
    accuracy: float
    macro: float
    recall: float
    false_alarms: float


@dataclass(frozen=True)
class Report:
    """What was measured: by language, over all, and per class the share of messages that got it right."""

    languages: Mapping[str, Figures]
    overall: Figures
    classes: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Report:
        languages = {language: Figures(**figures) for language, figures in body["languages"].items()}
        return cls(languages, Figures(**body["overall"]), dict(body["classes"]))


def read(folder: Path) -> tuple[Message, ...]:
    """Every message of every language. Raises CorpusError with all faults at once."""
    faults: list[Fault] = []
    messages: list[Message] = []
    place = "/".join(folder.resolve().parts[-2:])
    known = {f"messages.{language}.jsonl": language for language in LANGUAGES}
    for path in sorted(folder.glob("messages.*.jsonl")):
        if path.name not in known:
            faults.append(Fault(f"{place}/{path.name}", 0, f"is in no language we know: {', '.join(LANGUAGES)}"))
    for name, language in known.items():
        if not (folder / name).is_file():
            faults.append(Fault(f"{place}/{name}", 0, "is missing"))
            continue
        found = list(_messages(folder / name, f"{place}/{name}", language, faults))
        absent = sorted(set(CLASSES) - {message.label for message in found})
        faults += [Fault(f"{place}/{name}", 0, f"has no message of {label}") for label in absent]
        messages += found
    faults += _repeated(messages)
    if faults:
        raise CorpusError(faults)
    return tuple(messages)


def leaked(messages: Iterable[Message], examples: Iterable[Example]) -> list[Fault]:
    """The training sentences that are messages of the evaluation: it would measure what was learned by heart."""
    frozen = {same_words(message.text): message for message in messages}
    met = ((example, frozen.get(same_words(example.text))) for example in examples)
    return [
        Fault(example.file, example.line, f"is a message of the evaluation, {message.file}:{message.line}")
        for example, message in met
        if message is not None
    ]


def evaluate(classify: Classify, messages: Sequence[Message]) -> Report:
    """Has every message judged once. Raises ValueError without messages."""
    if not messages:
        raise ValueError("there is nothing to evaluate on")
    judged = [(message, *classify(message.text)) for message in messages]
    by_language: dict[str, list[tuple[Message, str, bool]]] = defaultdict(list)
    for one in judged:
        by_language[one[0].language].append(one)
    languages = {language: _figures(by_language[language]) for language in sorted(by_language)}
    return Report(languages, _figures(judged), _per_class(judged))


def _figures(judged: Sequence[tuple[Message, str, bool]]) -> Figures:
    per_class = _per_class(judged)
    needed = [escalate for message, _, escalate in judged if message.escalate]
    needless = [escalate for message, _, escalate in judged if not message.escalate]
    return Figures(
        messages=len(judged),
        accuracy=_share(label == message.label for message, label, _ in judged),
        macro=sum(per_class.values()) / len(per_class),
        recall=_share(needed),
        false_alarms=_share(needless),
    )


def _per_class(judged: Iterable[tuple[Message, str, bool]]) -> dict[str, float]:
    right: dict[str, list[bool]] = defaultdict(list)
    for message, label, _ in judged:
        right[message.label].append(label == message.label)
    return {label: _share(right[label]) for label in sorted(right)}


def _share(answers: Iterable[bool]) -> float:
    """How many are true; of none, none."""
    counted = list(answers)
    return sum(counted) / len(counted) if counted else 0.0


def _messages(path: Path, file: str, language: str, faults: list[Fault]) -> Iterator[Message]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(file, 0, f"cannot be read: {error}"))
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            body = json.loads(line)
        except ValueError as error:
            faults.append(Fault(file, number, f"is no JSON: {error}"))
            continue
        if wrong := _wrong(body, language):
            faults.append(Fault(file, number, wrong))
            continue
        yield Message(**body, language=language, file=file, line=number)


def _wrong(body: Any, language: str) -> str:
    """What is wrong with a line, in a sentence; empty when nothing is."""
    if not isinstance(body, dict) or set(body) != set(FIELDS):
        return f"must be an object of {', '.join(FIELDS)}"
    for name, kind in FIELDS.items():
        if type(body[name]) is not kind:
            return f"`{name}` must be {'true or false' if kind is bool else 'a string'}"
    if not body["text"].strip():
        return "`text` is empty"
    if body["label"] not in CLASSES:
        return f"{body['label']} is no class: see bot/understanding/labels.py"
    if not KIND.fullmatch(body["kind"]):
        return "`kind` must be one word in small letters"
    if (own := language_of(body["text"])) not in (language, None):
        return f"stands among messages in {language} and is in {own}"
    return ""


def _repeated(messages: Iterable[Message]) -> Iterator[Fault]:
    ids: dict[str, Message] = {}
    texts: dict[str, Message] = {}
    for message in messages:
        if (known := ids.setdefault(message.id, message)) is not message:
            yield Fault(message.file, message.line, f"the id {message.id} stands already in {known.file}:{known.line}")
        if (known := texts.setdefault(same_words(message.text), message)) is not message:
            yield Fault(message.file, message.line, f"stands already in {known.file}:{known.line}")
