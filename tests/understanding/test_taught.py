"""What is learned from agents' corrections, and the file that is written of it."""

from __future__ import annotations

import pytest
import yaml

from bot.understanding.lessons.corpus import Example
from bot.understanding.lessons.evaluation import Message
from bot.understanding.lessons.taught import LONGEST, Correction, as_yaml, lessons_of

CORPUS = [Example("my coins are late", "deposit_issue", "en", False, "data/nlu/deposit_issue.yml", 12)]
FROZEN = [Message("en-001", "a frozen message", "spam", False, "chat", "en", "messages.en.jsonl", 1)]


def said(text: str, label: str = "fees_limits", *, escalate: bool = False, language: str = "en") -> Correction:
    return Correction(text, language, label, escalate)


def test_of_equal_words_the_latest_correction_holds() -> None:
    lessons = lessons_of([said("why this fee", "spam"), said("other"), said("Why this FEE?")], CORPUS, FROZEN)
    assert [(one.text, one.label) for one in lessons.lessons] == [
        ("other", "fees_limits"),
        ("Why this FEE?", "fees_limits"),
    ]
    assert lessons.superseded == 1


def test_the_corpus_holds_against_a_correction_and_the_conflict_is_told() -> None:
    lessons = lessons_of([said("My coins are late!"), said("my coins are late", "deposit_issue")], CORPUS, FROZEN)
    assert (lessons.lessons, lessons.known, lessons.conflicts) == ((), 1, ())
    lessons = lessons_of([said("My coins are late!")], CORPUS, FROZEN)
    assert lessons.lessons == ()
    [conflict] = lessons.conflicts
    assert conflict.startswith(
        "data/nlu/deposit_issue.yml:12: stands as deposit_issue with escalate false, an agent says"
    )


@pytest.mark.parametrize(
    "unusable",
    [
        said("A frozen message."),
        said("word " * (LONGEST // 5 + 1)),
        said("12345 !!"),
        said("hello there", "greet"),
        said("buy my course", "spam", escalate=True),
    ],
)
def test_what_cannot_be_learned_from_is_left_aside(unusable: Correction) -> None:
    lessons = lessons_of([unusable], CORPUS, FROZEN)
    assert (lessons.lessons, lessons.unusable) == ((), 1)


def test_the_language_is_that_of_the_words() -> None:
    [lesson] = lessons_of([said("我的提现还没到账", "withdrawal_issue", language="en")], CORPUS, FROZEN).lessons
    assert lesson.language == "zh"


def test_the_file_holds_one_line_to_a_lesson_whatever_was_written() -> None:
    odd = 'Dear all,\n\n- my [uid] is {x}\\u12 \x00\ud800 ${HOME}\u2028: # "fee" 😀 ...'
    lessons = lessons_of(
        [said(odd), said("提现三天没到账", "withdrawal_issue", escalate=True, language="zh")], CORPUS, FROZEN
    ).lessons
    blocks = yaml.safe_load(as_yaml(lessons))["nlu"]
    assert [(block["intent"], block["metadata"]) for block in blocks] == [
        ("fees_limits", {"escalate": False}),
        ("withdrawal_issue", {"escalate": True}),
    ]
    assert blocks[0]["examples"] == '- Dear all, - my (uid) is (x)/u12 $(HOME) : # "fee" 😀 ...\n'
    assert blocks[1]["examples"] == "- 提现三天没到账\n"


def test_nothing_learned_is_an_empty_file() -> None:
    assert as_yaml([]) == ""
