"""A candidate is trained beside the live model, measured against it, and takes its place only if it is better."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Callable, Sequence

from bot.rasa.stamp import ROOT, fault_of, inputs_digest, inputs_of, taught_path
from bot.rasa.swap import CANDIDATE, install, remove
from bot.understanding.archive import CannotOpen
from bot.understanding.lessons.contest import decide, table
from bot.understanding.lessons.evaluation import Message, Report, read

DONE = 0
FAILED = 1
NOT_BETTER = 3

Train = Callable[[Path], bool]
"""Trains the archive of that name, with the lessons beside it; False after having said what went wrong."""
Measure = Callable[[Path, Sequence[Message]], Report]


def challenge(live: Path, lessons: Path, train: Train, measure: Measure, root: Path = ROOT) -> int:
    """Exit code 0: the candidate is live now, or there is nothing new to learn. 1: no candidate came about, the live
    model stays. 3: it is not better, the live model stays. `lessons` may be empty."""
    if fault := fault_of(live):
        return _failed(f"{fault} A candidate needs a live model to be measured against.")
    messages = read(root / "data" / "evaluation")
    candidate = live.with_name(CANDIDATE)
    remove(candidate)
    if lessons.stat().st_size:
        shutil.copy(lessons, taught_path(candidate))
    try:
        if inputs_of(live) == inputs_digest(root, taught_path(candidate)):
            print("there is nothing to learn: the live model has learned all of it")
            return DONE
        if not train(candidate):
            return FAILED
        return _contest(live, candidate, messages, measure)
    except CannotOpen as error:
        return _failed(str(error))
    finally:
        remove(candidate)


def _contest(live: Path, candidate: Path, messages: Sequence[Message], measure: Measure) -> int:
    print(f"  measuring both models on {len(messages):,} messages", flush=True)
    before, after = measure(live, messages), measure(candidate, messages)
    print(table(before, after))
    verdict = decide(before, after)
    for objection in verdict.objections:
        print(f"the candidate stays out: {objection}")
    if not verdict.swap:
        return NOT_BETTER
    install(candidate, live)
    print("the candidate is live now; `redress train --back` puts the one before back")
    return DONE


def _failed(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return FAILED
