"""The figures as a picture: a bar per series with every round on it, and the line that a bar asks for."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot

from bench.frame import Result
from bench.report import bar_line, figure

PLAIN, GOOD, BAD, LINE = "#8fa3b8", "#3f8f5f", "#c0563f", "#222222"


def draw(result: Result, folder: Path) -> Path:
    names = list(result.series)
    picture, axes = pyplot.subplots(figsize=(9, 1.6 + 0.5 * len(names) + 0.25 * len(result.verdicts)))
    for row, name in enumerate(names):
        values = result.series[name]
        axes.barh(row, median(values), height=0.55, color=_colour(result, name), zorder=2)
        axes.plot([min(values), max(values)], [row, row], color=LINE, linewidth=1, zorder=3)
        axes.plot(values, [row] * len(values), ".", color=LINE, markersize=4, zorder=4)
        axes.annotate(figure(median(values)), (0, row), (4, 0), textcoords="offset points", va="center", zorder=5)
    _draw_lines(axes, result, names)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel(result.benchmark.unit)
    axes.set_title(result.benchmark.question, loc="left", fontsize=10)
    axes.grid(axis="x", color="#dddddd", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    caption = "\n".join(bar_line(verdict) for verdict in result.verdicts)
    picture.supxlabel(caption, x=0.01, ha="left", fontsize=8)
    picture.tight_layout()
    path = folder / f"{result.benchmark.name}.png"
    picture.savefig(path, dpi=110)
    pyplot.close(picture)
    return path


def _colour(result: Result, name: str) -> str:
    """Green when every bar of the series is reached, red when one is missed, grey without any."""
    judged = [verdict.reached for verdict in result.verdicts if verdict.bar.subject == name and not verdict.bar.goal]
    known = [reached for reached in judged if reached is not None]
    return PLAIN if not known else GOOD if all(known) else BAD


def _draw_lines(axes: object, result: Result, names: list[str]) -> None:
    """Where each bar stands: dashed for a goal."""
    for verdict in result.verdicts:
        bar = verdict.bar
        if not verdict.values:
            continue
        floor = None if bar.of is None else median(result.series[bar.of])
        row = names.index(bar.subject)
        place = bar.line(floor)
        axes.plot(  # type: ignore[attr-defined]
            [place, place], [row - 0.42, row + 0.42], color=LINE, linewidth=2, zorder=6,
            linestyle="--" if bar.goal else "-",
        )  # fmt: skip
