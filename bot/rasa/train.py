"""Trains models/bot.tar.gz when its inputs changed: python bot/rasa/train.py [--force] [--model FILE]

A failed training leaves the old model in place. Exit codes: 0 trained or up to date, 1 failed.
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


def main(arguments: Optional[List[str]] = None) -> int:
    from bot.rasa.stamp import MODEL, is_current

    parser = argparse.ArgumentParser(prog="train.py", description="Trains the bot's model if need be.")
    parser.add_argument("--force", action="store_true", help="train even if nothing changed")
    parser.add_argument("--model", type=Path, default=MODEL, help="where the archive goes")
    args = parser.parse_args(arguments)
    if not args.force and is_current(args.model):
        print("model is up to date")
        return 0
    return _train(args.model)


def _train(model: Path) -> int:
    from bot.rasa.stamp import inputs_digest, write_stamp

    started = time.monotonic()
    inputs = inputs_digest()
    model.parent.mkdir(parents=True, exist_ok=True)
    print("training the bot's model (about half a minute): loading Rasa", flush=True)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=model.parent) as private:
        fresh = _run_rasa(Path(private))
        if fresh is None:
            print("the training failed; the old model, if any, stays in place", file=sys.stderr)
            return 1
        fresh.replace(model)
    write_stamp(model, inputs)
    print(f"model trained in {time.monotonic() - started:.0f} s", flush=True)
    return 0


def _run_rasa(folder: Path) -> Optional[Path]:
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
                training_files=[str(ROOT / "data" / part) for part in ("nlu", "rules", "stories")],
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


if __name__ == "__main__":
    # The script's own folder would let its modules stand in for others of the same name.
    sys.path[0] = str(ROOT)
    raise SystemExit(main())
