"""Does the classifier tell matters apart, leave filler out, and ask its second encoder only when it has to?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import override

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding import reader
from bot.understanding.classifier import Classifier, State, softened
from bot.understanding.encoder import UnknownEncoder, encoder_named
from bot.understanding.escalation import HEARD, WAITED, Escalation
from bot.understanding.model_files import load, save
from bot.understanding.ngrams import NGrams
from bot.understanding.reader import Reader, Space
from bot.understanding.signals import Signals
from bot.understanding.tuned import Heard, Tuned
from tests.understanding.letters import Letters

LABELS = ("background", "deposit_issue", "greet", "withdrawal_issue")
LETTERS = "bpaw"
"""One for each label."""
SURE = 0.5
HOSTILE = ["", " ", "\x00" * 5000, "9" * 10_000, "我" * 50_000, "a. " * 30_000, "🙂", "\ud83d", "p \ud83d"]


def reader_of(letters: str, weight: float) -> Reader:
    """Reads a label from how much of its letter a text has; the training texts were pure ones."""
    dense = np.zeros((len(letters), len(LABELS)), dtype=np.float32)
    for place, letter in enumerate(letters):
        dense[place, LETTERS.index(letter)] = weight
    return Reader(
        dense=dense,
        sparse=np.zeros((1, len(LABELS)), dtype=np.float32),
        bias=np.zeros(len(LABELS), dtype=np.float32),
        temperature=1.0,
        neighbours=np.eye(len(letters), dtype=np.float32)[: len(LABELS)],
        starts=np.arange(len(LABELS) + 1),
    )


@pytest.fixture(scope="module")
def encoders() -> dict[str, Letters]:
    return {"quick": Letters("quick", LETTERS), "second": Letters("second", LETTERS)}


@pytest.fixture(scope="module")
def small(encoders: dict[str, Letters]) -> Classifier:
    """Quick where one letter prevails; where two are even, the second encoder's reader prefers the withdrawal."""
    nothing = np.zeros(len(LETTERS), dtype=np.float32)
    spaces = tuple(Space(name, {"en": nothing, "zh": nothing, "": nothing}) for name in encoders)
    quick = reader_of(LETTERS, 8.0)
    both = np.vstack([quick.dense, np.diag([0.0, 0.0, 0.0, 30.0]).astype(np.float32)])
    thorough = Reader(both, quick.sparse, quick.bias, 1.0, np.hstack([quick.neighbours] * 2), quick.starts)
    ngrams = NGrams(["~~~"], np.ones(1, dtype=np.float32))
    return Classifier(State(LABELS, ngrams, spaces, quick, thorough, SURE))


class Attentive(Tuned):
    """Says of every text that it is a greeting and needs a case, and remembers which texts it was asked about."""

    def __init__(self) -> None:
        super().__init__(
            LABELS, {name: np.zeros(1) for name in ("head0", "head0_b", "head1", "head1_b", "need1", "need1_b")}
        )
        self.asked: list[str] = []

    @override
    def read(self, texts: Sequence[str]) -> Heard:
        self.asked += texts
        chances = np.eye(len(LABELS), dtype=np.float32)[[LABELS.index("greet")] * len(texts)]
        return Heard(chances, np.full(len(texts), 3.0, dtype=np.float32))


@pytest.fixture
def attentive(small: Classifier) -> Attentive:
    return Attentive()


@pytest.fixture
def aided(small: Classifier, attentive: Attentive) -> Classifier:
    """The small one with the tuned reader beside it, and nothing learned of cases but a threshold."""
    columns = len(LETTERS) + len(HEARD) + len(WAITED)
    learned = Escalation(
        np.zeros(columns, dtype=np.float32), np.zeros(1, dtype=np.float32), 0.0, {"en": 2.0, "zh": 4.0}
    )
    return Classifier(replace(small.state, tuned=attentive, escalation=learned))


@pytest.fixture(autouse=True)
def _see_through(monkeypatch: pytest.MonkeyPatch, encoders: dict[str, Letters]) -> None:
    monkeypatch.setattr(reader, "encoder_named", encoders.__getitem__)


def test_a_matter_outweighs_a_greeting_in_the_same_text(small: Classifier) -> None:
    assert small.classify("aaaa").label == "greet"
    assert small.classify("aaaa. pppp.").label == "deposit_issue"


def test_filler_is_left_out_of_what_is_read_as_a_whole(small: Classifier) -> None:
    found = small.classify("bbbb. pppp! bbb")
    assert (found.label, found.whole) == ("deposit_issue", "pppp")
    assert found.confidence == pytest.approx(small.classify("pppp").confidence)


def test_nothing_but_filler_has_no_confidence(small: Classifier) -> None:
    for text in ("bbbb", "bbbb. bbb."):
        found = small.classify(text)
        assert (found.label, found.confidence) == ("background", 0.0)
        assert "background" not in [label for label, _ in found.ranking]


def test_a_further_matter_is_named(small: Classifier) -> None:
    assert small.classify("pppppp. wwww. ppp").also == ("withdrawal_issue",)
    assert small.classify("pppp. aaaa. bbbb").also == ()
    assert small.classify("pppp").also == ()


def test_the_ranking_begins_with_the_label_and_falls(small: Classifier) -> None:
    found = small.classify("pppa")
    confidences = [confidence for _, confidence in found.ranking]
    assert found.ranking[0] == (found.label, found.confidence)
    assert confidences == sorted(confidences, reverse=True)


def test_what_is_like_nothing_trained_on_has_little_confidence(small: Classifier) -> None:
    assert small.classify("pppp").confidence > 0.9
    assert small.classify("zzzz").confidence < 0.5


def test_the_second_encoder_is_asked_only_in_doubt(small: Classifier, encoders: dict[str, Letters]) -> None:
    before = len(encoders["second"].asked)
    assert small.classify("pppp").label == "deposit_issue"
    assert encoders["second"].asked[before:] == []
    assert small.classify("ppww").label == "withdrawal_issue"
    assert encoders["second"].asked[before:] == ["ppww"]


def test_the_tuned_reader_is_heard_only_where_it_is_not_clear(aided: Classifier, attentive: Attentive) -> None:
    assert aided.classify("pppppp").label == "deposit_issue"
    assert attentive.asked == []
    assert aided.classify("ppaa").label == "greet"
    assert attentive.asked == ["ppaa"]


def test_what_the_tuned_reader_says_of_the_need_counts(aided: Classifier, attentive: Attentive) -> None:
    calm = Signals(False, False, "normal", ())
    clear, unclear = aided.classify("pppppp"), aided.classify("ppaa")
    assert (clear.need, unclear.need) == (None, 3.0)
    for found in (clear, unclear):
        assert aided.escalates(found, calm, "en")
        assert not aided.escalates(found, calm, "zh")
    assert attentive.asked.count("ppaa") == 1


def test_softening_keeps_the_order_and_takes_the_certainty_away(small: Classifier) -> None:
    sharp = np.array([0.9, 0.08, 0.02], dtype=np.float32)
    soft = softened(sharp, small.state.quick)
    assert soft.sum() == pytest.approx(1.0)
    assert list(np.argsort(soft)) == list(np.argsort(sharp))
    assert soft[0] < sharp[0]


@given(st.text(alphabet=st.one_of(st.sampled_from(LETTERS + "。. \n!"), st.characters()), max_size=400))
def test_no_text_makes_it_fail(small: Classifier, text: str) -> None:
    found = small.classify(text)
    assert 0.0 <= found.confidence <= 1.0
    assert found.label in LABELS


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_read_like_any_other(small: Classifier, text: str) -> None:
    found = small.classify(text)
    assert all(np.isfinite(confidence) for _, confidence in found.ranking)
    assert len(found.whole) <= 700


def test_where_nothing_was_learned_of_cases_the_rules_decide(small: Classifier) -> None:
    found = small.classify("pppp")
    for escalate in (True, False):
        assert small.escalates(found, Signals(escalate, False, "normal", ()), "en") is escalate


def test_it_is_the_same_after_being_saved(small: Classifier, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("saved")
    save(small, folder)
    again = load(folder)
    for text in ("pppa", "ppww", "aaaa. pppp. wwww"):
        one, other = small.classify(text), again.classify(text)
        assert (one.label, one.ranking, one.also) == (other.label, other.ranking, other.also)


def test_an_unknown_encoder_is_named() -> None:
    with pytest.raises(UnknownEncoder, match="'bert'"):
        encoder_named("bert")
