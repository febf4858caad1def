"""How the figures are told: a table, a JSON file and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot

from bench.nlu.measures import Measure, Row

COLOURS = {"MISSED": "#c0563f", "holds": "#8fa3b8", "goal": "#3f8f5f"}
TITLES = ("measure", "value", "unit", "floor", "goal", "verdict")


@dataclass
class Found:
    """What a run has come to: figures by row, sentences, why a measure was left out, and what broke off."""

    figures: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def missed(self, measures: Sequence[Measure]) -> list[Row]:
        """The rows whose floor does not hold."""
        return [row for row, value in self.rows(measures) if not row.holds(value, row.floor)]

    def rows(self, measures: Sequence[Measure]) -> list[tuple[Row, float]]:
        rows = [row for measure in measures for row in measure.rows]
        return [(row, self.figures[row.key]) for row in rows if row.key in self.figures]


def table(found: Found, measures: Sequence[Measure]) -> str:
    lines = [TITLES, *(_cells(row, value) for row, value in found.rows(measures))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(TITLES))]
    told = [
        "  ".join(_padded(cell, width, n) for n, (cell, width) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    ]
    told += [f"{name}: left out, {reason}" for name, reason in found.skipped.items()]
    told += [f"{name}: BROKEN OFF, {reason}" for name, reason in found.broken.items()]
    told += [f"note: {note}" for note in found.notes]
    return "\n".join(line.rstrip() for line in told)


def write(found: Found, measures: Sequence[Measure], machine: Mapping[str, str], folder: Path) -> Path:
    path = folder / "nlu.json"
    path.write_text(
        json.dumps(_as_json(found, measures, machine), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return path


def draw(found: Found, measures: Sequence[Measure], folder: Path) -> Path:
    """Every figure between its floor (0) and its goal (1)."""
    rows = [(row, value) for row, value in found.rows(measures) if row.goal is not None]
    picture, axes = pyplot.subplots(figsize=(9, 1.4 + 0.36 * max(1, len(rows))))
    for place, (row, value) in enumerate(rows):
        assert row.goal is not None
        reached = (value - row.floor) / (row.goal - row.floor)
        axes.barh(place, max(-1.0, min(2.0, reached)), height=0.6, color=COLOURS[row.verdict(value)], zorder=2)
        axes.annotate(f"{figure(value)} {row.unit}", (2.05, place), va="center", fontsize=8, annotation_clip=False)
    axes.axvline(0, color="#222222", linewidth=1.5, zorder=3)
    axes.axvline(1, color="#222222", linewidth=1.5, linestyle="--", zorder=3)
    axes.set_xlim(-1, 2)
    axes.set_xticks([0, 1], ["floor", "goal"])
    axes.set_yticks(range(len(rows)), [row.title for row, _ in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_title("How well, and how fast, does the bot understand?", loc="left", fontsize=10)
    axes.spines[["top", "right", "left"]].set_visible(False)
    picture.tight_layout()
    path = folder / "nlu.png"
    picture.savefig(path, dpi=110)
    pyplot.close(picture)
    return path


def figure(value: float) -> str:
    """Two decimals below a hundred: 93.05, 4.62; none above: 327."""
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def _cells(row: Row, value: float) -> tuple[str, ...]:
    goal = "" if row.goal is None else f"{row.goal:g}"
    sign = "<= " if row.lower else ""
    return row.title, figure(value), row.unit, f"{sign}{row.floor:g}", goal and f"{sign}{goal}", row.verdict(value)


def _padded(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if TITLES[column] in ("value", "floor", "goal") else cell.ljust(width)


def _as_json(found: Found, measures: Sequence[Measure], machine: Mapping[str, str]) -> dict[str, Any]:
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(machine),
        "rows": [
            {
                "key": row.key,
                "title": row.title,
                "value": value,
                "unit": row.unit,
                "floor": row.floor,
                "goal": row.goal,
                "lower_is_better": row.lower,
                "verdict": row.verdict(value),
            }
            for row, value in found.rows(measures)
        ],
        "left_out": found.skipped,
        "broken_off": found.broken,
        "notes": found.notes,
    }
