"""Trains models/bot.tar.gz when its inputs changed, from data/ and from what agents taught it.

    python bot/rasa/train.py [--force] [--model FILE]
    python bot/rasa/train.py --candidate LESSONS    trains on these lessons beside the live model, which is replaced
                                                    only by a better one
    python bot/rasa/train.py --back                 puts the model before back

A failed training leaves the old model in place. Exit codes: 0 done or nothing to do, 1 failed, 2 a wrong call,
3 the candidate is not better.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import List, Optional

ROOT = Path(__file__).resolve().parents[2]
NAME = "bot.tar.gz"
PARTS = ("nlu", "rules", "stories")
STAYS = "the training failed; the old model, if any, stays in place"


def main(arguments: Optional[List[str]] = None) -> int:
    from bot.rasa.swap import alone
    from bot.understanding.lessons.corpus import CorpusError

    args = _parse(arguments)
    try:
        with alone(args.model.parent):
            return _act(args)
    except CorpusError as error:
        return _failed(str(error))


def _act(args: argparse.Namespace) -> int:
    from bot.rasa.stamp import is_current
    from bot.rasa.swap import CannotSwap, back

    if args.back:
        try:
            back(args.model)
        except CannotSwap as error:
            print(error, file=sys.stderr)
            return 1
        print("the previous model is live again; the same command changes them back")
        return 0
    if args.candidate is not None:
        from bot.rasa.candidate import challenge
        from bot.rasa.measure import measure

        return challenge(args.model, args.candidate, _train, measure)
    if not args.force and is_current(args.model):
        print("model is up to date")
        return 0
    return 0 if _train(args.model) else 1


def _train(model: Path) -> bool:
    """With the lessons beside it. False after having said what went wrong; raises CorpusError."""
    from bot.rasa.stamp import inputs_digest, taught_path, write_stamp
    from bot.rasa.swap import install
    from bot.understanding.lessons.corpus import read

    started = time.monotonic()
    lessons = taught_path(model)
    inputs = inputs_digest(ROOT, lessons)
    read(ROOT / "data" / "nlu")
    print("training the bot's model (two minutes; six the first time): loading Rasa", flush=True)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=model.parent) as private:
        fresh = _run_rasa(Path(private), [lessons] if lessons.is_file() else [])
        if fresh is None:
            print(STAYS, file=sys.stderr)
            return False
        write_stamp(fresh, inputs)
        if lessons.is_file():
            taught_path(fresh).write_bytes(lessons.read_bytes())
        install(fresh, model)
    print(f"model trained in {time.monotonic() - started:.0f} s", flush=True)
    return True


def _run_rasa(folder: Path, lessons: List[Path]) -> Optional[Path]:
    """Trains into that folder. Returns the archive, or None after having said what went wrong."""
    from bot.rasa.environment import prepare

    prepare(str(folder))
    import rasa.model
    import rasa.model_training

    from bot.rasa.quiet import quiet_rasa

    quiet_rasa()
    _show_progress()
    # Rasa would ask git for the project's remote address, to put its hash into the archive.
    rasa.model.project_fingerprint = lambda: None
    print("  reading the training data", flush=True)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            result = rasa.model_training.train(
                domain=str(ROOT / "domain.yml"),
                config=str(ROOT / "config.yml"),
                training_files=[str(path) for path in (*(ROOT / "data" / part for part in PARTS), *lessons)],
                output=str(folder),
                fixed_model_name=NAME,
                force_training=True,
            )
    except Exception as error:  # a mistake in the data surfaces as one of dozens of kinds
        print(f"Rasa refused the training data: {error}", file=sys.stderr)
        return None
    return folder / NAME if result.code == 0 and (folder / NAME).is_file() else None


class _Progress(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print(f"  {record.getMessage()}", file=sys.__stdout__, flush=True)


def _show_progress() -> None:
    """Prints which component Rasa is training."""
    steps = logging.getLogger("rasa.engine.training.hooks")
    steps.setLevel(logging.INFO)
    steps.propagate = False
    steps.addHandler(_Progress())


def _parse(arguments: Optional[List[str]]) -> argparse.Namespace:
    from bot.rasa.stamp import MODEL

    parser = argparse.ArgumentParser(prog="train.py", description="Trains the bot's model if need be.")
    parser.add_argument("--model", type=Path, default=MODEL, help="where the archive goes")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--force", action="store_true", help="train even if nothing changed")
    what.add_argument("--candidate", type=Path, metavar="LESSONS", help="a file of lessons, which may be empty")
    what.add_argument("--back", action="store_true", help="put the previous model back")
    return parser.parse_args(arguments)


def _failed(sentence: str) -> int:
    print(f"{sentence}\n{STAYS}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    # The script's own folder would let its modules stand in for others of the same name.
    sys.path[0] = str(ROOT)
    raise SystemExit(main())
