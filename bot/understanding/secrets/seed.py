"""Recovery phrases (BIP-39) of English words in a text.

The list is of everyday words, so a run of them is told from prose by how dense it is and by how few of the commonest
words it has: a phrase is drawn evenly from 2,048 words, prose lives on a few dozen of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Final

from bot.understanding.secrets.lists import LENGTHS, checksum_holds, english, is_called, labels, words_of

# One word however it is set: "abandon", "ABANDON", "AbandonAbility" (two).
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONGEST_GAP: Final = 12
"""Characters between two words of a phrase: "\n 11. ", " | "."""
_ORDINALS: Final = frozenset({"st", "nd", "rd", "th"})
_COMMON: Final = words_of("common_words")
"""Words of the list that hold prose together, and those of our trade. Of twelve words drawn evenly hardly ever five are
among them."""


@dataclass(frozen=True)
class _Rule:
    """Of `words` words in a row at least `listed` are in the list, and `rare` of them not among the common ones."""

    words: int
    listed: int
    rare: int


_RULES: Final = (_Rule(8, 8, 6), _Rule(12, 10, 8))
_BRIEF: Final = _Rule(12, 12, 10)
"""For words cut to four letters, as on steel plates: those are other words too."""
_CALLED: Final = _Rule(6, 5, 4)
"""Right behind words that call it a phrase, a part of one is enough."""


_FEWEST_RARE: Final = min(rule.rare for rule in (*_RULES, _BRIEF, _CALLED))


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    word: str


def find_seed_phrases(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of `text` that give a phrase away. They may overlap. Linear."""
    if not _has_rare_words(text):
        return
    called = labels(text)
    for row in _rows(text):
        yield from _in_row(row, called)


def _has_rare_words(text: str) -> bool:
    """Whether it has as many words of the list as every phrase has, those that hold prose together left out."""
    words = map(str.lower, _WORD.findall(text))
    return sum(map(_rare().__contains__, words)) >= _FEWEST_RARE


@lru_cache(maxsize=1)
def _rare() -> frozenset[str]:
    return (frozenset(english()) | _short()) - _COMMON


def _rows(text: str) -> Iterator[list[_Token]]:
    """Words that follow each other with only figures, punctuation and spaces in between, six of them at least."""
    row: list[_Token] = []
    for match in _WORD.finditer(text):
        if _only_numbers(text, match):
            continue
        if row and match.start() - row[-1].end > _LONGEST_GAP:
            if len(row) >= _CALLED.words:
                yield row
            row = []
        row.append(_Token(match.start(), match.end(), match.group().lower()))
    if len(row) >= _CALLED.words:
        yield row


def _only_numbers(text: str, word: re.Match[str]) -> bool:
    """ "1st", "a)": the mark of a list."""
    if word.group().lower() in _ORDINALS:
        return text[word.start() - 1 : word.start()].isdigit()
    return len(word.group()) == 1 and text[word.end() : word.end() + 1] in (")", ".")


def _in_row(row: Sequence[_Token], called: Sequence[int]) -> Iterator[tuple[int, int]]:
    listed = [token.word in english() for token in row]
    for rule in _RULES:
        yield from _windows(row, listed, rule)
    yield from (span for span in _windows(row, listed, _CALLED) if is_called(called, span[0]))
    if sum(listed) * 2 < len(row):
        brief = [known or token.word in _short() for known, token in zip(listed, row, strict=True)]
        yield from _windows(row, brief, _BRIEF)


@lru_cache(maxsize=1)
def _short() -> frozenset[str]:
    return frozenset(word[:4] for word in english())


def _windows(row: Sequence[_Token], listed: Sequence[bool], rule: _Rule) -> Iterator[tuple[int, int]]:
    rare = [known and token.word not in _COMMON for known, token in zip(listed, row, strict=True)]
    of_list, of_rare = [0, *accumulate(listed)], [0, *accumulate(rare)]
    for first in range(len(row) - rule.words + 1):
        after = first + rule.words
        if of_list[after] - of_list[first] < rule.listed or of_rare[after] - of_rare[first] < rule.rare:
            continue
        part = row[first:after]
        if len({token.word for token in part}) * 4 < rule.words * 3:
            yield from _repetitive(row, first)
            continue
        known = [token for token, of in zip(part, listed[first:after], strict=True) if of]
        yield known[0].start, known[-1].end


def _repetitive(row: Sequence[_Token], first: int) -> Iterator[tuple[int, int]]:
    """The same few words again and again ("abandon" eleven times and "about"): only the checksum tells a phrase."""
    length = _length(tuple(token.word for token in row[first : first + LENGTHS[0]]))
    if length:
        yield row[first].start, row[first + length - 1].end


@lru_cache(maxsize=4096)
def _length(words: Sequence[str]) -> int:
    """Of the whole phrase that begins with the first of these words; 0 when none does."""
    places = [english().get(word, -1) for word in words]
    for length in LENGTHS:
        if len(places) >= length and min(places[:length]) >= 0 and checksum_holds(places[:length]):
            return length
    return 0
