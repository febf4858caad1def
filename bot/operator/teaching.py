"""`redress train`: the bot's model, what agents taught it, and the way back."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot.operator.common import DONE, NOT_DONE, complain, look
from bot.repository import corrections
from bot.repository.corrections import CorrectionRow
from bot.settings import Settings
from bot.understanding.lessons import corpus, evaluation
from bot.understanding.lessons.corpus import CorpusError, Example
from bot.understanding.lessons.evaluation import Message
from bot.understanding.lessons.taught import Correction, Lessons, as_yaml, lessons_of

DATA = Path(__file__).resolve().parents[2] / "data"
NOT_BETTER = 3
CODES = (DONE, NOT_DONE, NOT_BETTER)


def train(settings: Settings, options: argparse.Namespace) -> int:
    """Exit codes: 0 done or nothing to do, 1 failed, 3 the candidate is not better; the live model stays then."""
    from bot.supervise import CannotRun, run_training

    try:
        if options.back:
            return _code(run_training("--back"))
        if options.candidate:
            return _candidate(settings, run_training)
        return _code(run_training())
    except (CannotRun, CorpusError) as error:
        return complain(error)


def read_data() -> tuple[tuple[Example, ...], tuple[Message, ...]]:
    """The training sentences and the evaluation messages. Raises CorpusError for whatever is wrong with them."""
    examples, messages = corpus.read(DATA / "nlu"), evaluation.read(DATA / "evaluation")
    if leaks := evaluation.leaked(messages, examples):
        raise CorpusError(leaks)
    return examples, messages


def _candidate(settings: Settings, run_training: Callable[..., int]) -> int:
    examples, messages = read_data()
    rows = look(settings, corrections.holding)
    lessons = lessons_of([_correction(row) for row in rows], examples, messages)
    _tell(len(rows), lessons)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="redress-lessons-", suffix=".yml") as file:
        file.write(as_yaml(lessons.lessons))
        file.flush()
        return _code(run_training("--candidate", file.name))


def _correction(row: CorrectionRow) -> Correction:
    return Correction(row.text, row.language, row.new_label, row.new_escalate)


def _tell(count: int, lessons: Lessons) -> None:
    print(f"{count:,} corrections of agents, {len(lessons.lessons):,} to learn from", flush=True)
    aside = {
        "superseded by a later one": lessons.superseded,
        "stand in data/nlu already": lessons.known,
        "too long, without words, or messages of the evaluation": lessons.unusable,
        "contradict data/nlu": len(lessons.conflicts),
    }
    for why, number in aside.items():
        if number:
            print(f"  {number:,} left aside: {why}", flush=True)
    for conflict in lessons.conflicts:
        print(conflict, file=sys.stderr)


def _code(code: int) -> int:
    """A training that was killed has failed, too."""
    return code if code in CODES else NOT_DONE
