"""How the figures are told: a table, a JSON file, and one line per bar at the end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.frame import Result, Verdict


def table(result: Result) -> str:
    """Medians with the least and the most, then every bar with its ratio."""
    rows = [("", f"median {result.benchmark.unit}", "least", "most")]
    rows += [(name, figure(median(all)), figure(min(all)), figure(max(all))) for name, all in result.series.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [f"  {row[0]:<{widths[0]}}" + "".join(f"  {row[n]:>{widths[n]}}" for n in (1, 2, 3)) for row in rows]
    lines += [f"  {line}" for line in map(bar_line, result.verdicts)]
    lines += [f"  note: {note}" for note in result.notes]
    return "\n".join(lines)


def bar_line(verdict: Verdict) -> str:
    """For example `ours: 1.31 (1.20 to 1.44), at least 1 x floor: reached`."""
    head = f"{verdict.bar.subject}: "
    if verdict.values:
        low, high = figure(min(verdict.values)), figure(max(verdict.values))
        head += f"{figure(median(verdict.values))} ({low} to {high}), "
    return f"{head}{verdict.bar.sentence()}: {verdict.word}"


def summary(results: Sequence[Result], skipped: Mapping[str, str]) -> str:
    lines = [f"  {result.benchmark.name}: {bar_line(verdict)}" for result in results for verdict in result.verdicts]
    lines += [f"  {name}: skipped. {reason}" for name, reason in skipped.items()]
    return "\n".join(lines)


def write(result: Result, machine: Mapping[str, str], folder: Path) -> Path:
    path = folder / f"{result.benchmark.name}.json"
    path.write_text(json.dumps(_as_json(result, machine), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def figure(value: float) -> str:
    """Three digits that matter: 4261, 35.2, 1.31, 0.064."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.{1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3}f}"


def _as_json(result: Result, machine: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": result.benchmark.name,
        "question": result.benchmark.question,
        "unit": result.benchmark.unit,
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(machine),
        "notes": list(result.notes),
        "rounds": [dict(figures) for figures in result.rounds],
        "series": {
            name: {"median": median(values), "least": min(values), "most": max(values)}
            for name, values in result.series.items()
        },
        "bars": [_bar(verdict) for verdict in result.verdicts],
    }


def _bar(verdict: Verdict) -> dict[str, Any]:
    return {
        "subject": verdict.bar.subject,
        "of": verdict.bar.of,
        "rule": verdict.bar.sentence(),
        "limit": verdict.bar.limit,
        "goal": verdict.bar.goal,
        "values": list(verdict.values),
        "median": median(verdict.values) if verdict.values else None,
        "reached": verdict.reached,
    }
