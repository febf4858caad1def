"""How well does the model that is shipped understand the messages of `data/evaluation`?"""

from __future__ import annotations

from pathlib import Path

from bench.nlu.datasets import Missing
from bench.nlu.trial import Outcome, Trial
from bot.rasa.measure import measure
from bot.understanding.archive import CannotOpen
from bot.understanding.lessons import evaluation
from bot.understanding.lessons.evaluation import Message

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "bot.tar.gz"
EVALUATION = ROOT / "data" / "evaluation"
ONE_IN_QUICK = 10
"""A quick run asks every tenth message."""


def own(trial: Trial) -> Outcome:
    """Judged as the desk judges: class and escalation by the thresholds that are shipped."""
    messages = frozen()[:: ONE_IN_QUICK if trial.quick else 1]
    trial.say(f"asking {len(messages):,} messages")
    try:
        report = measure(shipped(), messages)
    except CannotOpen as error:
        raise Missing(str(error)) from error
    shares = {language: 100 * figures.accuracy for language, figures in report.languages.items()}
    figures = {
        "own": 100 * report.overall.accuracy,
        "own-gap": max(shares.values()) - min(shares.values()),
        "own-recall": 100 * report.overall.recall,
        "own-alarms": 100 * report.overall.false_alarms,
    }
    told = [
        f"{language}: {100 * one.accuracy:.1f} % right, {100 * one.recall:.1f} % of the cases found,"
        f" {100 * one.false_alarms:.1f} % false alarms"
        for language, one in report.languages.items()
    ]
    return Outcome(figures, tuple(told))


def frozen() -> tuple[Message, ...]:
    """The messages of the evaluation. Raises Missing."""
    if not EVALUATION.is_dir():
        raise Missing("data/evaluation is not there")
    return evaluation.read(EVALUATION)


def shipped() -> Path:
    """Raises Missing."""
    if not MODEL.is_file():
        raise Missing("there is no model: `redress train` makes it")
    return MODEL
