"""What the benchmark of understanding reads, and what it makes of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.nlu import datasets, mails, scope
from bench.nlu.fillers import CLOSINGS, OPENINGS, STORIES, TRAINING
from bench.nlu.parse import tokens
from bench.nlu.trial import first_of_each
from bench.nlu.vectors import Remembering
from bot.understanding.encoder import Vectors
from bot.understanding.labels import BACKGROUND


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_banking_keeps_texts_of_several_lines(tmp_path: Path) -> None:
    put(tmp_path / "benchmarks/banking77/test.csv", 'text,category\nWhere is it?,arrival\n"Hi,\n""lost"" it",lost\n')
    assert datasets.banking(tmp_path, "test") == [("Where is it?", "arrival"), ('Hi,\n"lost" it', "lost")]


def test_clinc_and_smp_are_read_by_split(tmp_path: Path) -> None:
    put(tmp_path / "benchmarks/clinc150/data_full.json", json.dumps({"val": [["hi", "greeting"]], "oos_val": []}))
    put(tmp_path / "benchmarks/smp2017/smp2017.json", json.dumps({"test": [["开灯", "放歌"], ["light", "music"]]}))
    assert datasets.clinc(tmp_path) == {"val": [("hi", "greeting")], "oos_val": []}
    assert datasets.smp(tmp_path) == {"test": [("开灯", "light"), ("放歌", "music")]}


def test_hwu_pairs_lines_and_says_when_they_do_not_fit(tmp_path: Path) -> None:
    put(tmp_path / "benchmarks/hwu64/valid/seq.in", "wake me\nstop it\n")
    put(tmp_path / "benchmarks/hwu64/valid/label", "alarm_set\nalarm_stop\n")
    put(tmp_path / "benchmarks/hwu64/test/seq.in", "wake me\n")
    put(tmp_path / "benchmarks/hwu64/test/label", "alarm_set\nalarm_stop\n")
    assert datasets.hwu(tmp_path, "valid") == [("wake me", "alarm_set"), ("stop it", "alarm_stop")]
    with pytest.raises(datasets.Missing, match="1 texts and 2 labels"):
        datasets.hwu(tmp_path, "test")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        datasets.Missing, match=r"BANKING77 is not there: benchmarks/banking77/train\.csv is looked for"
    ):
        datasets.banking(tmp_path, "train")


def test_each_fold_asks_another_fifth_and_learns_the_rest(tmp_path: Path) -> None:
    rows = [f"{label}\t{label}{number}\tgloss" for number in range(5) for label in ("a", "b")]
    put(tmp_path / "benchmarks/zh_banking100.tsv", "\n".join(rows) + "\n")
    pairs = datasets.zh_banking(tmp_path)
    folds = [datasets.zh_fold(pairs, fold) for fold in range(5)]
    assert [ask for _, ask in folds] == [[(f"a{n}", "a"), (f"b{n}", "b")] for n in range(5)]
    assert all(sorted(learn + ask) == sorted(pairs) for learn, ask in folds)


def test_a_small_training_set_has_ten_of_each_and_depends_on_the_seed_alone() -> None:
    pairs = [(f"{label}{number}", label) for label in "ab" for number in range(30)]
    assert Counter(label for _, label in datasets.few(pairs, 0)) == {"a": 10, "b": 10}
    assert datasets.few(pairs, 0) == datasets.few(pairs, 0)
    assert datasets.few(pairs, 0) != datasets.few(pairs, 1)


def test_fillers_that_are_asked_were_not_learned() -> None:
    asked = {*OPENINGS, *STORIES, *CLOSINGS}
    assert len(asked) == len(OPENINGS) + len(STORIES) + len(CLOSINGS)
    assert {one.casefold() for one in asked}.isdisjoint(one.casefold() for one in TRAINING)


def test_mails_are_the_same_in_every_run_and_hold_their_complaint_once() -> None:
    complaints = [(f"complaint {number}", "label") for number in range(50)]
    written = mails.compose(complaints)
    assert written == mails.compose(complaints)
    for (mail, label), (complaint, _) in zip(written, complaints, strict=True):
        lines = mail.split("\n")
        assert (label, len(lines), lines.count(complaint)) == ("label", 1 + mails.FILLERS, 1)
        assert len(set(lines)) == len(lines)
    places = {mail.split("\n").index(complaint) for (mail, _), (complaint, _) in zip(written, complaints, strict=True)}
    assert places == set(range(2, 8))


def test_the_background_leaves_out_whatever_a_bank_might_be_asked() -> None:
    far = [(f"far {number}", "weather") for number in range(mails.BACKGROUND_SENTENCES + 5)]
    learned = mails.background([*far, ("near", "balance"), ("near too", "w2")])
    assert {label for _, label in learned} == {BACKGROUND}
    assert len(learned) == mails.BACKGROUND_SENTENCES + len(TRAINING)
    assert {"near", "near too"}.isdisjoint(text for text, _ in learned)


def test_the_threshold_rejects_one_in_twenty_at_most() -> None:
    scores = np.arange(100) / 100
    assert (scores < scope.threshold(scores)).sum() == int(100 * scope.REJECTED)
    assert (np.full(40, 0.5) < scope.threshold(np.full(40, 0.5))).sum() == 0


@pytest.mark.parametrize(
    ("known", "unknown", "expected"),
    [([0.9, 0.8], [0.1, 0.2], 1.0), ([0.1], [0.9], 0.0), ([0.5], [0.5], 0.5), ([0.9, 0.3], [0.3, 0.1], 0.875)],
)
def test_auroc_counts_pairs(known: Sequence[float], unknown: Sequence[float], expected: float) -> None:
    assert scope.auroc(np.array(known), np.array(unknown)) == pytest.approx(expected)


def test_a_quick_run_takes_the_first_of_each_label() -> None:
    pairs = [("1", "a"), ("2", "b"), ("3", "a"), ("4", "a")]
    assert first_of_each(pairs, 2) == [("1", "a"), ("2", "b"), ("3", "a")]


@pytest.mark.parametrize(
    ("text", "expected"), [("where is it?", 4), ("提现3天没到", 6), ("", 0), ("我的USDT不见了！", 7), ("can't", 3)]
)
def test_tokens_are_words_and_chinese_characters(text: str, expected: int) -> None:
    assert tokens(text) == expected


class Counting:
    """Encodes a text as its length, and keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.given += texts
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)


def test_no_vector_is_computed_twice_not_even_by_the_next_process(tmp_path: Path) -> None:
    first, second = Counting(), Counting()
    memory = Remembering(first, tmp_path)
    assert memory(["ccc", "a", "ccc"]).tolist() == [[3, 1], [1, 1], [3, 1]]
    assert memory(["a"]).tolist() == [[1, 1]]
    memory.save()
    later = Remembering(second, tmp_path)
    assert later(["bb", "ccc"]).tolist() == [[2, 1], [3, 1]]
    assert (first.given, second.given) == (["a", "ccc"], ["bb"])
    assert (memory.known, memory.new, later.known, later.new) == (1, 2, 1, 1)
