"""The training sentences of `data/nlu` as examples, each with its place; and everything that is wrong with them.

A file holds one label, in Rasa's YAML, in blocks: one per language and per answer to "does this need a case?". The
language of a block is the one most of its sentences are written in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Optional

import yaml

from bot.understanding.folding import fold
from bot.understanding.labels import ACTS, BACKGROUND, CLASSES, COMPLAINTS
from bot.understanding.language import Language, language_of

LABELS: Final = (*CLASSES, *ACTS, BACKGROUND)
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
LEAST: Final[Mapping[str, int]] = {label: 60 if label in CLASSES else 30 for label in LABELS}
"""Sentences that each language needs of a label."""
LOPSIDED: Final = 1.5
"""How many times as many sentences of a label one language may have as the other."""
SHOWN: Final = 20
"""Faults of which the error speaks; the rest is counted."""
_MARKUP: Final = frozenset("[]{}")
"""Rasa reads them as an entity, or as the name of an environment variable."""
_FOREIGN: Final = re.compile(r"[^\W\d_A-Za-z\u00c0-\u024f\u3400-\u9fff\uf900-\ufaff]")
"""A letter of a script that neither of our languages is written in."""
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where it was built, is ten times as fast."""
_BULLET: Final = "- "


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a file of data; `line` counts from one, 0 is the file as a whole."""

    file: str
    line: int
    sentence: str

    @property
    def told(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}" if self.line else f"{self.file}: {self.sentence}"


class CorpusError(ValueError):
    """Data of the bot cannot be used; the message names every fault with its file and line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line)))
        shown = [fault.told for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            shown.append(f"and {len(self.faults) - SHOWN} faults more")
        super().__init__("\n".join(shown))


@dataclass(frozen=True)
class Example:
    """One sentence to learn from. `escalate`: whether it needs a case and a person by itself."""

    text: str
    label: str
    language: Language
    escalate: bool
    file: str
    line: int


def read(folder: Path) -> tuple[Example, ...]:
    """Every example in the order of the files. Raises CorpusError with all faults at once."""
    faults: list[Fault] = []
    examples: list[Example] = []
    for path in sorted(folder.glob("*.yml")):
        file = _Reader(path, faults)
        examples += file.examples()
    explained = {f"{_shown(folder)}/{example.label}.yml" for example in examples} | {fault.file for fault in faults}
    files = [f"{_shown(folder)}/{label}.yml" for label in LABELS]
    faults += [Fault(file, 0, "has no examples") for file in files if file not in explained]
    faults += _repeated(examples)
    if faults:
        raise CorpusError(faults)
    return tuple(examples)


def shortfalls(examples: Iterable[Example]) -> list[str]:
    """What is too little, or too much of one language, in a sentence each; empty for a corpus that is complete."""
    counted = Counter((example.label, example.language) for example in examples)
    found = []
    for label in LABELS:
        sizes = {language: counted[label, language] for language in LANGUAGES}
        for language, size in sizes.items():
            if size < LEAST[label]:
                found.append(f"{label} has {size} sentences in {language}, it needs {LEAST[label]}")
        if max(sizes.values()) > LOPSIDED * min(sizes.values()):
            told = " and ".join(f"{size} in {language}" for language, size in sizes.items())
            found.append(f"{label} has {told}: bring them nearer to each other")
    return found


def same_words(text: str) -> str:
    """The spelling under which two sentences are the same one: case, spaces and the punctuation around do not count."""
    return fold(text).strip(" ?!.,;:~。？！，、；：…")


def language_of_most(texts: Iterable[str]) -> Optional[Language]:
    counted = Counter(language for text in texts if (language := language_of(text)))
    return counted.most_common(1)[0][0] if counted else None


class _Reader:
    """Reads one file; what is wrong with it goes to `faults`, and reading goes on."""

    def __init__(self, path: Path, faults: list[Fault]) -> None:
        self._path = path
        self._file = f"{_shown(path.parent)}/{path.name}"
        self._faults = faults
        self._seen: dict[tuple[Language, bool], int] = {}

    def examples(self) -> list[Example]:
        if self._path.stem not in LABELS:
            self._fault(0, f"{self._path.stem} is no label: see bot/understanding/labels.py")
            return []
        text = ""
        try:
            text = self._path.read_text(encoding="utf-8")
            root = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            # What misses its end is noticed behind the last line.
            line = min(mark.line + 1, len(text.splitlines())) if mark else 0
            self._fault(line, f"is no YAML: {error.problem or error.context}")
            return []
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self._fault(0, f"cannot be read: {str(error).splitlines()[0]}")
            return []
        return [example for block in self._blocks(root) for example in self._block(block)]

    def _blocks(self, root: Optional[yaml.Node]) -> Sequence[yaml.Node]:
        fields = self._fields(root, {"version", "nlu"})
        blocks = fields.get("nlu")
        if not isinstance(blocks, yaml.SequenceNode):
            self._fault(_line(root), "needs a list of blocks under `nlu`")
            return []
        return list(blocks.value)

    def _block(self, block: yaml.Node) -> Iterator[Example]:
        fields = self._fields(block, {"intent", "metadata", "examples"})
        label_fits = self._label_fits(fields.get("intent"), block)
        escalate = self._escalate(fields.get("metadata"), block)
        lines = self._lines(fields.get("examples"), block)
        language = language_of_most(text for text, _ in lines)
        if lines and language is None:
            self._fault(_line(block), "a block of no language we know: write English or Chinese")
        if language is None or escalate is None or not label_fits:
            return
        if (known := self._seen.setdefault((language, escalate), _line(block))) != _line(block):
            self._fault(_line(block), f"a second block for {language} with escalate {escalate}, beside line {known}")
        for text, line in lines:
            self._check_language(text, line, language)
            yield Example(text, self._path.stem, language, escalate, self._file, line)

    def _label_fits(self, node: Optional[yaml.Node], block: yaml.Node) -> bool:
        if node is None:
            return self._fault(_line(block), "a block without `intent`")
        if not isinstance(node, yaml.ScalarNode) or not node.tag.endswith(":str"):
            return self._fault(_line(node), "`intent` must be a name; `yes` and `no` need quotation marks")
        if node.value not in LABELS:
            return self._fault(_line(node), f"{node.value} is no label: see bot/understanding/labels.py")
        if node.value != self._path.stem:
            return self._fault(_line(node), f"{node.value} belongs into {node.value}.yml")
        return True

    def _escalate(self, node: Optional[yaml.Node], block: yaml.Node) -> Optional[bool]:
        value = self._fields(node, {"escalate"}).get("escalate") if node is not None else None
        if value is None:
            if self._path.stem in COMPLAINTS:
                self._fault(_line(block), "a block of a complaint needs `metadata` with `escalate: true` or `false`")
                return None
            return False
        if not value.tag.endswith(":bool"):
            self._fault(_line(value), "`escalate` must be true or false")
            return None
        escalate = str(value.value).lower() in ("true", "yes", "on")
        if escalate and self._path.stem not in COMPLAINTS:
            self._fault(_line(value), f"{self._path.stem} is no complaint: nothing of it needs a case")
        return escalate

    def _lines(self, node: Optional[yaml.Node], block: yaml.Node) -> list[tuple[str, int]]:
        """The sentences and their lines. Only a literal block (`|`) keeps one sentence to a line."""
        if not isinstance(node, yaml.ScalarNode) or node.style != "|" or not node.value.strip():
            self._fault(_line(node or block), "`examples` must be a block that starts with `|`, a sentence to a line")
            return []
        found = []
        for number, line in enumerate(node.value.splitlines(), start=_line(node) + 1):
            if not line.strip():
                continue
            if not line.startswith(_BULLET) or not line[len(_BULLET) :].strip():
                self._fault(number, "an example is a line that starts with `- `")
                continue
            text = line[len(_BULLET) :].strip()
            if _MARKUP & set(text):
                self._fault(number, "square and curly brackets are markup: write round ones")
            found.append((text, number))
        return found

    def _check_language(self, text: str, line: int, language: Language) -> None:
        own = language_of(text)
        if own is None and _FOREIGN.search(text):
            self._fault(line, f"is in no language we know: {', '.join(LANGUAGES)}")
        elif own not in (language, None):
            self._fault(line, f"stands among sentences in {language} and is in {own}")

    def _fields(self, node: Optional[yaml.Node], known: set[str]) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._fault(_line(node), f"needs {', '.join(sorted(known))} here")
            return {}
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in known:
                self._fault(_line(key), f"{name} is not known here: write {', '.join(sorted(known))}")
            elif name in fields:
                self._fault(_line(key), f"{name} stands here twice")
            fields[name] = value
        return fields

    def _fault(self, line: int, sentence: str) -> bool:
        """Always False, so that a check can return it."""
        self._faults.append(Fault(self._file, line, sentence))
        return False


def _repeated(examples: Sequence[Example]) -> Iterator[Fault]:
    first: dict[str, Example] = {}
    for example in examples:
        known = first.setdefault(same_words(example.text), example)
        if known is example:
            continue
        same = (known.label, known.escalate) == (example.label, example.escalate)
        said = "stands already" if same else f"contradicts {known.label} with escalate {str(known.escalate).lower()}"
        yield Fault(example.file, example.line, f"{said} in {known.file}:{known.line}")


def _line(node: Optional[yaml.Node]) -> int:
    return 1 if node is None else int(node.start_mark.line) + 1


def _shown(folder: Path) -> str:
    """ "data/nlu", wherever the project lies."""
    return "/".join(folder.resolve().parts[-2:])
