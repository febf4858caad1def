"""`python -m bench [names...]`: runs the benchmarks, prints ratios, writes JSON and plots to build/bench/.

Exit code 0 whatever the figures say, for a benchmark measures; with `--strict` 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import bench
from bench import plot, report
from bench.frame import BUILD, Benchmark, Missing, Result, run
from bench.machine import describe


def main(arguments: Sequence[str] | None = None) -> int:
    known = found()
    options = _parser(known).parse_args(arguments)
    if options.list:
        print("\n".join(f"{name:<{max(map(len, known))}}  {one.question}" for name, one in known.items()))
        return 0
    chosen = [one for name, one in known.items() if not options.names or _named(name, options.names)]
    if not chosen:
        print(f"no benchmark is called {' or '.join(options.names)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    results, skipped = _run_all(chosen, options.rounds)
    print("\nsummary\n" + report.summary(results, skipped))
    missed = [verdict for result in results for verdict in result.verdicts if verdict.reached is False]
    return 1 if options.strict and any(not verdict.bar.goal for verdict in missed) else 0


def found() -> Mapping[str, Benchmark]:
    """Every benchmark of this folder by name, in the order of files and lists."""
    modules = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if module.name != "__main__")
    declared = [one for name in modules for one in getattr(import_module(f"bench.{name}"), "BENCHMARKS", ())]
    return {one.name: one for one in declared}


def _named(name: str, wanted: Sequence[str]) -> bool:
    """`mail` means every benchmark whose name begins with `mail-` as well."""
    return any(name == one or name.startswith(f"{one}-") for one in wanted)


def _run_all(chosen: Sequence[Benchmark], rounds: int | None) -> tuple[list[Result], Mapping[str, str]]:
    BUILD.mkdir(parents=True, exist_ok=True)
    machine = describe(BUILD)
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    results: list[Result] = []
    skipped: dict[str, str] = {}
    for number, benchmark in enumerate(chosen, 1):
        print(f"\n[{number}/{len(chosen)}] {benchmark.name}: {benchmark.question}", flush=True)
        try:
            result = asyncio.run(run(benchmark, _progress, rounds))
        except Missing as reason:
            skipped[benchmark.name] = str(reason)
            _progress("")
            print(f"  skipped: {reason}")
            continue
        _progress("")
        print(report.table(result))
        for path in (report.write(result, describe(BUILD), BUILD), plot.draw(result, BUILD)):
            print(f"  written: {path.relative_to(BUILD.parents[1])}")
        results.append(result)
    return results, skipped


def _progress(line: str) -> None:
    """One line that is overwritten on a terminal; nothing but the essentials in a log file."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K  {line[:100]}" if line else "\r\x1b[K", end="", flush=True)
    elif line:
        print(f"  ... {line}", flush=True)


def _parser(known: Mapping[str, Benchmark]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="How fast is the desk against its floors?")
    parser.add_argument("names", nargs="*", help=f"which ones; all when left out. There are {', '.join(known)}")
    parser.add_argument("--rounds", type=int, help="rounds of each, instead of its own number")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a bar is missed")
    parser.add_argument("--list", action="store_true", help="name them and stop")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
