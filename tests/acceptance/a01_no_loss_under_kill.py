"""A1: kill -9 of a random process at a random moment, again and again: nothing lost, repeated or reordered.

python -m tests.acceptance.a01_no_loss_under_kill --rounds 50 --database both --mails 20 --chats 20 --lease 3
python -m tests.acceptance.a01_no_loss_under_kill --database postgres --processes 2

The victims are the app, one of its processes that read mail, and Rasa; the script starts again what the desk does not
replace by itself. People send again as real clients do. The short form is `tests/process/test_kill.py`.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.acceptance.bar import Bar, arguments, main
from tests.acceptance.killing import Plan, Round, Trial

GRACE_SECONDS = 1.0
"""On top of the lease: the scan that finds what a dead worker left."""


async def run(plan: Plan, bar: Bar, folder: Path, database_url: str) -> None:
    rounds = await rounds_of(plan, bar, folder, database_url)
    judge_recovery(bar, plan, rounds)


async def rounds_of(plan: Plan, bar: Bar, folder: Path, database_url: str) -> Sequence[Round]:
    """The rounds, judged by everything but time."""
    bar.note(f"{plan}")
    rounds = await Trial(plan, folder, database_url).run(lambda one: _tell(bar, one))
    judge(bar, plan, rounds)
    return rounds


def _tell(bar: Bar, one: Round) -> None:
    bar.note(
        f"round {one.number}: {one.victim} killed after {one.moment_seconds:.2f} s, {one.left} left, back after "
        f"{one.down_seconds:.1f} s, recovered in {one.recovered_seconds:.1f} s; {one.messages} messages, "
        f"{len(one.faults)} faults, {one.seconds:.1f} s"
    )
    for fault in one.faults:
        bar.note(f"    {fault}")


def judge(bar: Bar, plan: Plan, rounds: Sequence[Round]) -> None:
    faults = [fault for one in rounds for fault in one.faults]
    victims = Counter(one.victim for one in rounds)
    bar.require(len(rounds) == plan.rounds, "rounds", f"{len(rounds)}, killed {dict(victims)}")
    bar.note(f"acknowledged: {sum(one.messages for one in rounds)}")
    for kind in ("lost", "duplicate"):
        found = [fault for fault in faults if fault.startswith(kind)]
        bar.require(not found, kind, len(found))
    bar.require(not faults, "faults of any kind", len(faults))


def judge_recovery(bar: Bar, plan: Plan, rounds: Sequence[Round]) -> None:
    """The machine must have little else to do."""
    most = plan.lease_seconds + GRACE_SECONDS
    took = [one.recovered_seconds for one in rounds if one.left] or [0.0]
    figure = f"median {statistics.median(took):.1f} s, at most {max(took):.1f} s"
    bar.require(max(took) <= most, f"recovered within {most:g} s", figure)


if __name__ == "__main__":
    parser = arguments(__doc__, databases="both")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--mails", type=int, default=20, help="per round")
    parser.add_argument("--chats", type=int, default=10, help="chat messages per round")
    parser.add_argument("--lease", type=float, default=3.0, help="seconds")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--processes", type=int, default=1, help="app processes on one PostgreSQL")
    given = parser.parse_args()
    planned = Plan(
        rounds=given.rounds,
        mails=given.mails,
        chats=given.chats,
        lease_seconds=given.lease,
        seed=given.seed,
        processes=given.processes,
    )
    main("A1", partial(run, planned), given.database)
