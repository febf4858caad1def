"""The same complaint in 简体 and in 繁體 is one complaint. Needs the trained model, as `make test` trains it."""

from __future__ import annotations

from itertools import groupby, islice

import pytest

from bot.script import for_models, script_of
from bot.understanding.archive import CannotOpen, classifier_of
from bot.understanding.classifier import Classifier
from bot.understanding.labels import COMPLAINTS, OTHERS
from bot.understanding.lessons.corpus import read
from bot.wording.traditional import traditional
from tests.understanding.nlu_data import NLU, ROOT

EACH = 4
"""Sentences of every class, spread over its file."""
TASK = {*COMPLAINTS, *OTHERS}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    try:
        return classifier_of(ROOT / "models" / "bot.tar.gz")
    except CannotOpen as error:
        pytest.skip(str(error))


def sentences() -> dict[str, list[str]]:
    """Of each class of the taxonomy, in 简体."""
    own = [one for one in read(NLU) if one.label in TASK and script_of(one.text) == "zh"]
    found = {}
    for label, examples in groupby(sorted(own, key=lambda one: one.label), key=lambda one: one.label):
        texts = [one.text for one in examples]
        found[label] = list(islice(texts[:: max(1, len(texts) // EACH)], EACH))
    return found


def test_every_class_is_the_same_in_both_scripts(classifier: Classifier) -> None:
    found = sentences()
    assert found.keys() == TASK
    pairs = [(text, for_models(traditional(text))) for texts in found.values() for text in texts]
    other = [text for text, read_as in pairs if classifier.classify(text).label != classifier.classify(read_as).label]
    assert len(other) <= len(pairs) * 0.02, other
