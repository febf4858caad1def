"""What the trained model says of messages that it has not seen, in both languages equally. `make test` trains it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.understanding.archive import classifier_of
from bot.understanding.classifier import Classification, Classifier
from bot.understanding.judge import matter_of
from bot.understanding.lessons.evaluation import read
from tests.understanding.nlu_data import ROOT, examples
from tests.understanding.test_classifier import HOSTILE

MODEL = ROOT / "models" / "bot.tar.gz"
CHECKS = [line.split("\t") for line in Path(__file__).with_name("checks.tsv").read_text("utf-8").splitlines()]
ONE_IN = 5
"""Of the frozen messages; all of them are asked by `make bench`."""
FLOOR = 0.86
"""Share to be understood in each language; of the checks 0.98 and 0.88, of the frozen ones 0.88 and 0.91 when this was
written."""
FROZEN_FLOOR = 0.84
SURE = 0.18
"""Confidence from which the bot answers instead of asking back."""

Asked = list[tuple[str, str, Classification]]
"""(language, right label, what was found)"""


@pytest.fixture(scope="module")
def shipped() -> Classifier:
    return classifier_of(MODEL)


@pytest.fixture(scope="module")
def checked(shipped: Classifier) -> Asked:
    return [(language, label, shipped.classify(text)) for label, language, text in CHECKS]


@pytest.fixture(scope="module")
def frozen(shipped: Classifier) -> Asked:
    messages = read(ROOT / "data" / "evaluation")[::ONE_IN]
    return [(one.language, one.label, shipped.classify(one.text)) for one in messages]


def right(asked: Asked, language: str) -> float:
    hits = [label in (found.label, matter_of(found)[0]) for own, label, found in asked if own == language]
    return sum(hits) / len(hits)


def test_the_check_set_is_large_even_and_unseen() -> None:
    assert len(CHECKS) >= 60
    assert sum(language == "zh" for _, language, _ in CHECKS) * 2 == len(CHECKS)
    assert {text for _, _, text in CHECKS}.isdisjoint(text for text, _ in examples())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_messages_are_understood(checked: Asked, frozen: Asked, language: str) -> None:
    assert right(checked, language) >= FLOOR
    assert right(frozen, language) >= FROZEN_FLOOR


def test_what_is_said_with_confidence_is_seldom_wrong(checked: Asked) -> None:
    sure = [(label, found.label) for _, label, found in checked if found.confidence >= SURE]
    wrong = [(label, said) for label, said in sure if label != said]
    assert len(sure) >= len(CHECKS) / 2
    assert len(wrong) <= 0.05 * len(sure), wrong


def test_neither_language_is_understood_much_worse(checked: Asked, frozen: Asked) -> None:
    """Over both sets: of 43 checks in a language one alone is more than two points."""
    both = [*checked, *frozen]
    assert abs(right(both, "en") - right(both, "zh")) <= 0.08


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_makes_it_fail(shipped: Classifier, text: str) -> None:
    found = shipped.classify(text)
    assert 0.0 <= found.confidence <= 1.0
    assert found.ranking == tuple(sorted(found.ranking, key=lambda entry: -entry[1]))


@pytest.mark.parametrize("text", ["", " ", "🙂", "\ud83d"])
def test_texts_without_words_are_not_classed(shipped: Classifier, text: str) -> None:
    assert (shipped.classify(text).label, shipped.classify(text).confidence) == ("background", 0.0)
