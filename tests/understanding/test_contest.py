"""When a candidate takes the place of the live model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.understanding.lessons.contest import decide, score, table
from bot.understanding.lessons.evaluation import Figures, Report

FIGURES = Figures(messages=100, accuracy=0.8, macro=0.8, recall=0.9, false_alarms=0.1)


def report(en: Figures = FIGURES, zh: Figures = FIGURES) -> Report:
    return Report({"en": en, "zh": zh}, en, {"spam": 1.0})


def better(figures: Figures = FIGURES, **changed: Any) -> Figures:
    return replace(figures, **changed)


@pytest.mark.parametrize(
    ("candidate", "objections"),
    [
        (report(better(accuracy=0.81)), []),
        (report(zh=better(recall=0.91)), []),
        (report(better(accuracy=0.85), better(false_alarms=0.11)), []),
        (report(zh=better(false_alarms=0.08)), []),
        (report(), ["not better as a whole"]),
        (report(better(accuracy=0.9), better(accuracy=0.79)), ["fewer classes right in zh: 79.0% against 80.0%"]),
        (report(better(recall=0.89), better(accuracy=0.9)), ["misses more cases in en: it finds 89.0%"]),
        (report(better(accuracy=0.9, false_alarms=0.12)), ["more cases without need in en: 12.0% against 10.0%"]),
        (report(better(recall=1.0, false_alarms=1.0)), ["without need in en", "not better as a whole"]),
        (report(better(accuracy=0.7), better(recall=0.8)), ["right in en", "cases in zh", "not better as a whole"]),
        (Report({"en": better(accuracy=0.9)}, FIGURES, {}), ["was not measured in zh"]),
    ],
)
def test_worse_in_nothing_and_better_as_a_whole(candidate: Report, objections: list[str]) -> None:
    verdict = decide(report(), candidate)
    assert verdict.swap is (objections == [])
    assert len(verdict.objections) == len(objections)
    for said, wanted in zip(verdict.objections, objections, strict=True):
        assert wanted in said


def test_neither_always_nor_never_escalating_pays() -> None:
    always, never = better(recall=1.0, false_alarms=1.0), better(recall=0.0, false_alarms=0.0)
    assert score(report(always, always)) == score(report(never, never)) < score(report())


def test_the_table_shows_both_in_percent() -> None:
    shown = table(report(), report(better(accuracy=0.825))).splitlines()
    assert shown[1].split() == ["en", "right", "class", "80.0%", "82.5%", "+2.5"]
    assert shown[-1].split()[0] == "score"
    assert len(shown) == 1 + 3 * 4 + 1
