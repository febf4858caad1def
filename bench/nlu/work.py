"""`python -m bench.nlu.work NAME`: takes one measure in a process of its own and says what came out, a JSON per line.

Lines are {"say": progress}, {"missing": why it cannot be taken here}, or at last {"figures": ..., "notes": ...}.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.nlu.datasets import Missing
from bench.nlu.trial import ENCODERS, Outcome, Trial
from bench.nlu.vectors import remember

SHIPPED = ("own", "parse")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        outcome = taken(options.name, options)
    except Missing as reason:
        _tell(missing=str(reason))
        return 0
    _tell(figures=dict(outcome.figures), notes=list(outcome.notes))
    return 0


def taken(name: str, options: argparse.Namespace) -> Outcome:
    """Raises Missing."""
    trial = Trial(options.data, lambda line: _tell(say=line), options.quick)
    if name in SHIPPED:
        return _of_shipped_model(name)(trial)
    memories = remember(ENCODERS, options.vectors)
    try:
        outcome = _trained(name)(trial)
    finally:
        for memory in memories:
            memory.save()
    known, new = (sum(getattr(memory, kind) for memory in memories) for kind in ("known", "new"))
    return Outcome(
        outcome.figures, (*outcome.notes, f"{name}: {known:,} vectors were kept from before, {new:,} are new")
    )


def _trained(name: str) -> Callable[[Trial], Outcome]:
    """One that trains a classifier; it needs SciPy."""
    from bench.nlu import accuracy, mails, scope

    return {
        "banking77": accuracy.banking77,
        "banking77-few": accuracy.banking77_few,
        "clinc150": scope.clinc150,
        "hwu64": accuracy.hwu64,
        "smp2017": accuracy.smp2017,
        "zh-banking": accuracy.zh_banking,
        "mails": mails.mails,
    }[name]


def _of_shipped_model(name: str) -> Callable[[Trial], Outcome]:
    """One of the model as it is shipped, read without Rasa; no vector is kept for it."""
    from bench.nlu import own, parse

    return {"own": own.own, "parse": parse.parse}[name]


def _tell(**body: Any) -> None:
    print(json.dumps(body, ensure_ascii=False), file=sys.__stdout__, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.nlu.work")
    parser.add_argument("name")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
