"""May a candidate take the place of the live model? A decision on two reports, and the table that shows it.

The rule and its reasons: docs/decisions/0018-a-model-that-is-taught.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.understanding.lessons.evaluation import Figures, Report

FALSE_ALARM_LEEWAY: Final = 0.01
"""By how much more often a candidate may open a case without need, in each language."""
_EPSILON: Final = 1e-9
_ROWS: Final = (
    ("accuracy", "right class"),
    ("macro", "mean of classes"),
    ("recall", "cases found"),
    ("false_alarms", "false alarms"),
)


@dataclass(frozen=True)
class Verdict:
    """`objections` are why the live model stays, in a sentence each; a candidate without any takes its place."""

    objections: tuple[str, ...]

    @property
    def swap(self) -> bool:
        return not self.objections


def score(report: Report) -> float:
    """One figure for the whole: every language counts the same, class and escalation count the same, 0 to 1."""
    parts = [(figures.accuracy + _escalating(figures)) / 2 for figures in report.languages.values()]
    return sum(parts) / len(parts)


def decide(live: Report, candidate: Report) -> Verdict:
    """A candidate must be worse in nothing that counts, in each language, and better as a whole."""
    objections = list(_worse(live, candidate))
    if score(candidate) <= score(live) + _EPSILON:
        objections.append(f"it is not better as a whole: {score(candidate):.4f} against {score(live):.4f}")
    return Verdict(tuple(objections))


def table(live: Report, candidate: Report) -> str:
    """Both side by side, in percent: by language, over all, and the score."""
    lines = [f"{'':<20}{'live':>9}{'candidate':>11}{'difference':>12}"]
    for name, mine, other in _sides(live, candidate):
        for field, title in _ROWS:
            lines.append(_row(f"{name} {title}", getattr(mine, field), getattr(other, field)))
    return "\n".join([*lines, _row("score", score(live), score(candidate))])


def _worse(live: Report, candidate: Report) -> Iterator[str]:
    for language, before in live.languages.items():
        after = candidate.languages.get(language)
        if after is None:
            yield f"it was not measured in {language}"
            continue
        if after.accuracy < before.accuracy - _EPSILON:
            yield f"it names fewer classes right in {language}: {_percent(after.accuracy, before.accuracy)}"
        if after.recall < before.recall - _EPSILON:
            yield f"it misses more cases in {language}: it finds {_percent(after.recall, before.recall)}"
        if after.false_alarms > before.false_alarms + FALSE_ALARM_LEEWAY + _EPSILON:
            yield f"it opens more cases without need in {language}: {_percent(after.false_alarms, before.false_alarms)}"


def _escalating(figures: Figures) -> float:
    """Balanced: neither "always" nor "never" gets more than a half."""
    return (figures.recall + 1 - figures.false_alarms) / 2


def _sides(live: Report, candidate: Report) -> Iterator[tuple[str, Figures, Figures]]:
    for language in sorted(live.languages.keys() & candidate.languages.keys()):
        yield language, live.languages[language], candidate.languages[language]
    yield "all", live.overall, candidate.overall


def _row(title: str, before: float, after: float) -> str:
    return f"{title:<20}{before:>9.1%}{after:>11.1%}{100 * (after - before):>+12.1f}"


def _percent(after: float, before: float) -> str:
    return f"{after:.1%} against {before:.1%}"
