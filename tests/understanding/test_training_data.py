"""Is data/nlu complete, balanced and free of contradictions?"""

from __future__ import annotations

from collections import Counter

import pytest

from bot.understanding.folding import fold
from bot.understanding.labels import ACTS, BACKGROUND, CLASSES
from bot.understanding.language import language_of
from tests.understanding.nlu_data import NLU, blocks, examples

LABELS = (*CLASSES, *ACTS, BACKGROUND)


def test_there_is_one_file_per_label() -> None:
    assert sorted(path.stem for path in NLU.glob("*.yml")) == sorted(LABELS)


@pytest.mark.parametrize("label", LABELS)
def test_a_label_has_enough_of_both_languages_in_equal_number(label: str) -> None:
    (first, english), (second, chinese) = blocks(NLU / f"{label}.yml")
    assert (first, second) == (label, label)
    assert min(len(english), len(chinese)) >= 15
    assert max(len(english), len(chinese)) <= 1.25 * min(len(english), len(chinese))


def test_every_sentence_stands_under_its_language() -> None:
    wrong = []
    for label in LABELS:
        for language, (_, sentences) in zip(("en", "zh"), blocks(NLU / f"{label}.yml"), strict=True):
            wrong += [one for one in sentences if language_of(one) not in (language, None)]
    assert wrong == []


def test_no_sentence_stands_twice() -> None:
    counted = Counter(fold(text).strip(" ?!.,。？！，") for text, _ in examples())
    assert [text for text, count in counted.items() if count > 1] == []


def test_no_sentence_has_brackets_that_rasa_would_read_as_an_entity() -> None:
    assert [text for text, _ in examples() if set("[]{}") & set(text)] == []
