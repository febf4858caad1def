"""What is measured, and what should come out: the floors that must hold and the goals that we want."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Place = Literal["rasa", "app", "here"]
"""Where a measure is taken: in a process of Rasa's environment, in one of the app's, or by the command itself."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. `key` is the figure's name; with `lower`, less is better; a floor may be all we want."""

    key: str
    title: str
    unit: str
    floor: float
    goal: float | None
    lower: bool = False

    def holds(self, value: float, bar: float) -> bool:
        return value <= bar if self.lower else value >= bar

    def verdict(self, value: float) -> str:
        if not self.holds(value, self.floor):
            return "MISSED"
        return "goal" if self.goal is not None and self.holds(value, self.goal) else "holds"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What is taken in one go. `alone`: timed, so that nothing else may run beside it."""

    name: str
    place: Place
    rows: Sequence[Row]
    alone: bool = False


MEASURES: Sequence[Measure] = (
    Measure(
        name="banking77", place="rasa",
        rows=(Row(key="banking77", title="BANKING77, all of train", unit="%", floor=92.5, goal=94.5),),
    ),
    Measure(
        name="banking77-few", place="rasa",
        rows=(Row(key="banking77-few", title="BANKING77, 10 per intent, mean of 3", unit="%", floor=83, goal=88),),
    ),
    Measure(
        name="clinc150", place="rasa",
        rows=(
            Row(key="clinc150", title="CLINC150, in scope", unit="%", floor=95.5, goal=97),
            Row(key="clinc150-out", title="CLINC150, out of scope found", unit="%", floor=88, goal=93),
            Row(key="clinc150-auroc", title="CLINC150, AUROC", unit="%", floor=97.5, goal=98.5),
        ),
    ),
    Measure(
        name="hwu64", place="rasa",
        rows=(Row(key="hwu64", title="HWU64", unit="%", floor=91, goal=93),),
    ),
    Measure(
        name="smp2017", place="rasa",
        rows=(Row(key="smp2017", title="SMP2017, Chinese", unit="%", floor=93.5, goal=96),),
    ),
    Measure(
        name="zh-banking", place="rasa",
        rows=(Row(key="zh-banking", title="Chinese banking, 4 per intent", unit="%", floor=90, goal=96),),
    ),
    Measure(
        name="mails", place="rasa",
        rows=(Row(key="mails", title="complaint among 10 fillers", unit="%", floor=85, goal=95),),
    ),
    Measure(
        name="own", place="app",
        rows=(
            Row(key="own", title="own evaluation, right class", unit="%", floor=88, goal=94),
            Row(key="own-gap", title="own evaluation, languages apart", unit="points", floor=3, goal=1, lower=True),
            Row(key="own-recall", title="own evaluation, cases found", unit="%", floor=95, goal=99),
            Row(key="own-alarms", title="own evaluation, false alarms", unit="%", floor=15, goal=None, lower=True),
        ),
    ),
    Measure(
        name="parse", place="rasa", alone=True,
        rows=(Row(key="parse", title="parse, at most 12 tokens", unit="CPU-ms", floor=8, goal=3, lower=True),),
    ),
    Measure(
        name="classify", place="here", alone=True,
        rows=(
            Row(key="classify-short", title="redress classify, <= 25 tokens", unit="messages/s", floor=60, goal=300),
            Row(key="classify-reviews", title="redress classify, reviews", unit="messages/s", floor=25, goal=150),
        ),
    ),
    Measure(
        name="server", place="here", alone=True,
        rows=(
            Row(key="server", title="Rasa over HTTP, 8 clients", unit="messages/s", floor=75, goal=150),
            Row(key="server-p99", title="Rasa over HTTP, 1 client, p99", unit="ms", floor=25, goal=None, lower=True),
            Row(key="rasa-memory", title="Rasa, resident", unit="MB", floor=600, goal=500, lower=True),
            Row(key="app-memory", title="app, resident when idle", unit="MB", floor=400, goal=300, lower=True),
        ),
    ),
)  # fmt: skip
