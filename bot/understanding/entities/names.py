"""Which assets and networks does a text name? spaCy's entity ruler over the names in names.json."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from bot.understanding.entities.entity import Entity

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Span

NAMES: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "names.json").read_text(encoding="utf-8"))
"""`capitals` are codes that are words too ("near"), `after_number` those of them that a number makes sure of, and
`only_after_number` what is nearly always something else. Chinese names are written in 简体: the text is folded."""

_CAPITALS: Final = frozenset(NAMES["capitals"])
_NEVER_ALONE: Final = frozenset(NAMES["only_after_number"])
_WORD: Final = re.compile("[A-Za-z0-9]{1,2000}")
"""As the tokenizer finds them."""
_ONE_AT_A_TIME: Final = Lock()
"""A memory zone belongs to the vocabulary, not to a thread; long texts are read beside the event loop."""


def prepare() -> None:
    """Loads spaCy, which takes seconds: whoever answers people does it before the first of them writes."""
    with _ONE_AT_A_TIME:
        _pipeline()


def find(text: str) -> Iterator[Entity]:
    """Without a memory zone the vocabulary would keep every word that anybody has ever written."""
    if not _may_name_one(text):
        return
    with _ONE_AT_A_TIME, _pipeline().memory_zone():
        doc = _pipeline()(text)
        found = [
            Entity(span.label_, span.ent_id_, span.start_char, span.end_char)
            for span in doc.ents
            if not (span.text in _CAPITALS and _is_shouted(doc, span))
        ]
    yield from found


def _may_name_one(text: str) -> bool:
    """Whether a word or a character stands in it that some name has. It spares most texts spaCy, which takes a third
    of all the time of reading them."""
    words, characters = _telling()
    return not (words.isdisjoint(map(str.lower, _WORD.findall(text))) and characters.isdisjoint(text))


@cache
def _telling() -> tuple[frozenset[str], frozenset[str]]:
    """The longest word of each name, in lower case, and the first character of each without such a word."""
    groups = [*NAMES["assets"].items(), *NAMES["networks"].items()]
    names = [name.lower() for code, others in groups for name in (code, *others)]
    words = {name: _WORD.findall(name) for name in names}
    longest = frozenset(max(found, key=len) for found in words.values() if found)
    return longest, frozenset(name[0] for name, found in words.items() if not found)


def _is_shouted(doc: Doc, span: Span) -> bool:
    """ "NEAR" in "SEND IT NEAR ME" is no coin, and neither is "LINK" in "DO NOT LINK"."""
    neighbours = [doc[place] for place in (span.start - 1, span.end) if 0 <= place < len(doc)]
    return any(word.is_ascii and word.is_alpha and word.is_upper and not word.ent_type_ for word in neighbours)


def _patterns() -> Iterator[dict[str, Any]]:
    for code, names in NAMES["assets"].items():
        if code in _CAPITALS:
            yield {"label": "asset", "pattern": [{"ORTH": code}], "id": code}
        elif code not in _NEVER_ALONE:
            yield {"label": "asset", "pattern": code, "id": code}
        for name in names:
            yield {"label": "asset", "pattern": name, "id": code}
    for network, names in NAMES["networks"].items():
        for name in names:
            yield {"label": "network", "pattern": name, "id": network}


@contextmanager
def _without_command_line() -> Iterator[None]:
    """spaCy imports its command line for one function that nobody calls here: an HTTP client, a package manager and
    progress bars, 8 MB for as long as the app lives. Whoever wants it afterwards gets the real one."""
    stubs = {name: ModuleType(name) for name in ("spacy.cli", "spacy.cli.info") if name not in sys.modules}
    for stub in stubs.values():
        stub.__dict__.update(__path__=[], info=None)
    sys.modules.update(stubs)
    try:
        yield
    finally:
        for name in stubs:
            del sys.modules[name]


@cache
def _pipeline() -> Language:
    """Imported here: the command line and the supervisor know this package and need no spaCy."""
    with _without_command_line():
        import spacy

    from bot.understanding.entities.tokens import MixedTokenizer

    pipeline = spacy.blank("xx")
    pipeline.tokenizer = MixedTokenizer(pipeline.vocab)
    ruler: Any = pipeline.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    ruler.add_patterns(list(_patterns()))
    return pipeline
