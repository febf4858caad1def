"""`python -m bench.nlu [--only NAME ...]`: takes the measures of understanding and compares them with their floors.

Exit code 1 when a floor is missed or a measure broke off, 2 for a wrong call. What is not installed or not there is
left out with a sentence, and is no fault.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.frame import BUILD
from bench.machine import describe
from bench.nlu import table
from bench.nlu.measures import MEASURES, Measure
from bench.nlu.running import Crew
from bench.nlu.table import Found

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    chosen = [measure for measure in MEASURES if not options.only or measure.name in options.only]
    BUILD.mkdir(parents=True, exist_ok=True)
    machine = describe(BUILD)
    print("\n".join(f"{name}: {value}" for name, value in machine.items()), flush=True)
    crew = Crew(options.data, options.vectors, options.jobs, options.quick, _say)
    found = asyncio.run(crew.take(chosen))
    print(f"\n{table.table(found, chosen)}")
    if options.quick:
        print("A quick run: its figures mean nothing, and nothing is written.")
        return 1 if found.broken else 0
    for path in (table.write(found, chosen, machine, BUILD), table.draw(found, chosen, BUILD)):
        print(f"written: {path.relative_to(BUILD.parents[1])}")
    return _code(found, chosen)


def _code(found: Found, chosen: Sequence[Measure]) -> int:
    return 1 if found.broken or found.missed(chosen) else 0


def _say(line: str) -> None:
    """One line that is overwritten on a terminal."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K  {line[:100]}", end="", flush=True)
    else:
        print(f"  ... {line}", flush=True)


def _parser() -> argparse.ArgumentParser:
    names = [measure.name for measure in MEASURES]
    parser = argparse.ArgumentParser(prog="python -m bench.nlu", description="How well does the bot understand?")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"which: {', '.join(names)}")
    parser.add_argument(
        "--data", type=Path, default=DATA, help="the folder with benchmarks/ and the unlabelled messages"
    )
    parser.add_argument("--vectors", type=Path, default=BUILD / "vectors", help="where vectors are kept between runs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="measures of accuracy at the same time")
    parser.add_argument("--quick", action="store_true", help="a little of everything, to see that it works")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
