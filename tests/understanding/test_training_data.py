"""Is data/nlu complete, balanced and free of contradictions? What is wrong with a file is said with its line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.understanding.language import language_of
from bot.understanding.lessons.corpus import LABELS, SHOWN, CorpusError, Fault, read, shortfalls
from tests.understanding.nlu_data import NLU

Break = Callable[..., list[str]]
BEGIN = 14
"""Lines of a file that hold its head and some sentences."""


def test_the_data_are_in_order() -> None:
    examples = read(NLU)
    assert {example.label for example in examples} == set(LABELS)
    assert shortfalls(examples) == []


def test_an_example_knows_where_it_stands() -> None:
    for example in read(NLU)[::97]:
        line = (NLU.parent.parent / example.file).read_text(encoding="utf-8").splitlines()[example.line - 1]
        assert line.strip() == f"- {example.text}"
        assert language_of(example.text) in (example.language, None)


@pytest.fixture
def broken(tmp_path: Path) -> Break:
    """What is said of the data when in the file of a label the first `old` is replaced; one fault a line.

    Of the other files a few sentences will do.
    """
    folder = tmp_path / "data" / "nlu"
    folder.mkdir(parents=True)
    for path in NLU.glob("*.yml"):
        begin = path.read_text(encoding="utf-8").splitlines(keepends=True)[:BEGIN]
        (folder / path.name).write_text("".join(begin), encoding="utf-8")

    def change(label: str, old: str, new: str) -> list[str]:
        text = (NLU / f"{label}.yml").read_text(encoding="utf-8")
        assert old in text
        (folder / f"{label}.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(CorpusError) as caught:
            read(folder)
        return str(caught.value).splitlines()

    return change


@pytest.mark.parametrize(
    ("label", "old", "new", "said"),
    [
        ("greet", "nlu:", "nlu: [", "data/nlu/greet.yml:6: is no YAML"),
        ("greet", "nlu:", "nlx:", "data/nlu/greet.yml:4: nlx is not known here"),
        ("greet", "- intent: greet", "- intent: hail", ":6: hail is no label"),
        ("greet", "- intent: greet", "- intent: thanks", ":6: thanks belongs into thanks.yml"),
        ("yes", '- intent: "yes"', "- intent: yes", "need quotation marks"),
        ("greet", "escalate: false", "escalate: maybe", ":8: `escalate` must be true or false"),
        ("greet", "escalate: false", "escalate: true", ":8: greet is no complaint"),
        ("greet", "escalate: false", "urgent: false", ":8: urgent is not known here"),
        ("fees_limits", "    metadata:\n      escalate: false\n", "", ":6: a block of a complaint needs `metadata`"),
        ("fees_limits", "escalate: true", "escalate: false", "a second block for en with escalate False, beside line"),
        ("greet", "examples: |", "examples: >", "`examples` must be a block that starts with `|`"),
        ("greet", "      - ", "      * ", ":10: an example is a line that starts with `- `"),
        (
            "greet",
            "      - ",
            "      - 你好，有人在线吗，我想问一下\n      - ",
            ":10: stands among sentences in en and is in zh",
        ),
        ("greet", "      - ", "      - see [this](asset) coin\n      - ", ":10: square and curly brackets are markup"),
        ("greet", "      - ", "      - Привет всем\n      - ", ":10: is in no language we know: en, zh"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(
    broken: Break, label: str, old: str, new: str, said: str
) -> None:
    assert any(said in fault for fault in broken(label, old, new))


def test_a_missing_class_is_named(tmp_path: Path) -> None:
    shutil.copytree(NLU, tmp_path / "data" / "nlu")
    (tmp_path / "data" / "nlu" / "spam.yml").unlink()
    (tmp_path / "data" / "nlu" / "ham.yml").write_text("nlu: []")
    with pytest.raises(CorpusError) as caught:
        read(tmp_path / "data" / "nlu")
    assert str(caught.value).splitlines() == [
        "data/nlu/ham.yml: ham is no label: see bot/understanding/labels.py",
        "data/nlu/spam.yml: has no examples",
    ]


def test_a_sentence_that_stands_twice_is_said_with_both_places(broken: Break) -> None:
    known = next(example for example in read(NLU) if example.label == "deposit_issue")
    again = f"      - {known.text.upper()}!\n      - "
    [said] = broken("deposit_issue", "      - ", again)
    assert said.startswith(f"data/nlu/deposit_issue.yml:{known.line + 1}: stands already in data/nlu/deposit_issue.yml")


def test_a_sentence_under_two_labels_is_a_contradiction(broken: Break) -> None:
    known = next(example for example in read(NLU) if example.label == "deposit_issue")
    [said] = broken("withdrawal_issue", "      - ", f"      - {known.text}\n      - ")
    assert said.startswith("data/nlu/withdrawal_issue.yml:10: contradicts deposit_issue with escalate false in")


def test_too_few_and_lopsided_sentences_are_counted() -> None:
    examples = [one for one in read(NLU) if (one.label, one.language) != ("spam", "zh")]
    assert [sentence for sentence in shortfalls(examples) if "nearer" not in sentence] == [
        "spam has 0 sentences in zh, it needs 60"
    ]
    assert len(shortfalls(examples)) == 2


def test_of_many_faults_some_are_shown_and_all_are_counted() -> None:
    faults = [Fault("data/nlu/a.yml", number, "is wrong") for number in range(1, SHOWN + 6)]
    assert str(CorpusError(faults)).splitlines()[-1] == "and 5 faults more"
    assert len(CorpusError(faults).faults) == SHOWN + 5
