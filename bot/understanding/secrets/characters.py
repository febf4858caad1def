"""Recovery phrases (BIP-39) of Chinese characters in a text, 简体 or 繁體.

Their lists are the commonest characters of the language, one character a word, so whole sentences are in them. What
tells a phrase: characters set apart, the checksum, few of the very commonest, and no two that always go together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from bot.understanding.secrets.lists import LENGTHS, characters, checksum_holds, is_called, labels, words_of

_CHARACTER: Final = re.compile("[\u3400-\u9fff]")
_ALONE: Final = re.compile("^[^\\w\n]{0,20}(?P<run>[\u3400-\u9fff]{12,24})[^\\w\n]{0,20}$", re.MULTILINE)
_APART: Final = re.compile("[\u3400-\u9fff](?:[^\u3400-\u9fffA-Za-z\ue000]{1,8}[\u3400-\u9fff](?![\u3400-\u9fff])){7,}")
_FEWEST_APART: Final = 8
_COMMON: Final = 250
"""The lists begin with the commonest characters: of prose these make up more than half, of a phrase an eighth."""
_PROSE: Final = re.compile("|".join(sorted(words_of("pairs_of_prose"))))
"""Two characters that stand together in nearly every sentence, and in one phrase of a few thousand."""
_LABELS_AT_MOST: Final = 200
_BEHIND_LABEL: Final = 9
"""Characters between the label and the phrase: "是", "如下：", "发给你们"."""


def find_character_phrases(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of `text` that give a phrase away. They may overlap. Linear."""
    if _CHARACTER.search(text) is None:
        return
    called = labels(text)
    yield from _set_apart(text, called)
    yield from _on_a_line(text)
    for place in called[:_LABELS_AT_MOST]:
        yield from _behind_label(text, place)


def _set_apart(text: str, called: Sequence[int]) -> Iterator[tuple[int, int]]:
    """ "1. 旦 2. 渠", "旦,渠,鼓". Some write prose like that."""
    for match in _APART.finditer(text):
        found = list(_CHARACTER.finditer(text, match.start(), match.end()))
        if match.start() and _CHARACTER.match(text[match.start() - 1]):
            del found[0]  # the end of an ordinary word
        single = [one.group() for one in found]
        if len(single) < _FEWEST_APART:
            continue
        if _is_phrase(single) or _looks_drawn(single, lenient=is_called(called, found[0].start())):
            yield found[0].start(), found[-1].end()


def _on_a_line(text: str) -> Iterator[tuple[int, int]]:
    """Without any space: a whole phrase with nothing else on its line."""
    for match in _ALONE.finditer(text):
        run = match.group("run")
        if len(run) in LENGTHS and _looks_drawn(run, lenient=True) and _is_phrase(run):
            yield match.span("run")


def _behind_label(text: str, place: int) -> Iterator[tuple[int, int]]:
    for start in range(place, place + _BEHIND_LABEL):
        for length in LENGTHS:
            piece = text[start : start + length]
            if len(piece) == length and _looks_drawn(piece, lenient=True) and _is_phrase(piece):
                yield start, start + length
                return


def _looks_drawn(single: Sequence[str], *, lenient: bool) -> bool:
    """Whether the characters can have been drawn from a list evenly, with a slip or two."""
    simplified, traditional = characters()
    places = [simplified.get(character, traditional.get(character, -1)) for character in single]
    foreign, common = places.count(-1), sum(0 <= place < _COMMON for place in places)
    if foreign * 6 > len(places) or common * 12 > len(places) * (5 if lenient else 4):
        return False
    return _PROSE.search("".join(single)) is None


def _is_phrase(single: Sequence[str]) -> bool:
    """Whether it is a whole phrase of one script, with the right checksum."""
    if len(single) not in LENGTHS:
        return False
    for known in characters():
        places = [known.get(character, -1) for character in single]
        if min(places) >= 0 and checksum_holds(places):
            return True
    return False
