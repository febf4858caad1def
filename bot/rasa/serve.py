"""Starts the Rasa process.

    python bot/rasa/serve.py --port P --model models/bot.tar.gz --data FOLDER --actions-url URL

Listens on the loopback address only. The shared secret comes from the environment: REDRESS_RASA_SECRET.
Exit codes: 0 stopped, 2 wrong settings or a port in use, 3 the model is missing or broken.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import List, Optional

ROOT = Path(__file__).resolve().parents[2]
WRONG_SETTINGS = 2
NO_MODEL = 3
WAY_OUT = "train it again, or put the one before back with `redress train --back`."


def main(arguments: Optional[List[str]] = None) -> int:
    args = _parse(arguments)
    if not os.environ.get("REDRESS_RASA_SECRET", "").strip():
        return _complain(WRONG_SETTINGS, "REDRESS_RASA_SECRET is empty: Rasa needs a shared secret to start.")
    from actions.loopback import PortTaken, bind
    from bot.rasa.environment import prepare
    from bot.rasa.stamp import fault_of

    if fault := fault_of(args.model):
        return _complain(NO_MODEL, fault)
    try:
        listener = bind(args.port)
    except PortTaken as error:
        return _complain(WRONG_SETTINGS, str(error))
    args.data.mkdir(parents=True, exist_ok=True)
    # Read by endpoints.yml.
    os.environ["REDRESS_ACTIONS_URL"] = args.actions_url
    os.environ["REDRESS_RASA_TRACKER"] = str((args.data / "rasa.db").resolve())
    with tempfile.TemporaryDirectory(prefix="redress-rasa-") as private:
        prepare(private)
        return _serve(args.model, listener)


def _serve(model: Path, listener: socket.socket) -> int:
    from bot.rasa.lean import leave_out_tensorflow

    try:
        leave_out_tensorflow(model)
    except Exception as error:
        return _broken(model, error)
    # Only now: what these import depends on the model.
    from bot.rasa.app import load_processor, make_app
    from bot.rasa.quiet import quiet_rasa
    from bot.rasa.serving import Serving

    quiet_rasa()
    try:
        serving = Serving(model, load_processor)
    except Exception as error:
        return _broken(model, error)
    app = make_app(serving)
    app.run(sock=listener, workers=1, access_log=False, debug=False, motd=False)
    return 0


def _broken(model: Path, error: Exception) -> int:
    """Whatever a damaged archive provokes."""
    return _complain(NO_MODEL, f"The model {model} cannot be loaded ({type(error).__name__}): {WAY_OUT}")


def _parse(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="serve.py", description="Starts the Rasa process on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--model", type=Path, default=ROOT / "models/bot.tar.gz", help="the trained archive")
    parser.add_argument("--data", type=Path, required=True, help="folder for the conversations' state")
    parser.add_argument("--actions-url", default="http://127.0.0.1:5055/webhook", help="the action server")
    return parser.parse_args(arguments)


def _complain(code: int, sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    # The script's own folder would let its modules stand in for others of the same name.
    sys.path[0] = str(ROOT)
    raise SystemExit(main())
