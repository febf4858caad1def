"""Starts the action server: python -m actions --port P --backoffice URL

Secrets come from the environment: REDRESS_RASA_SECRET (shared with Rasa) and REDRESS_BACKOFFICE_TOKEN.
Exit codes: 0 stopped, 2 wrong settings or a port in use.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings

from actions.logs import quiet_libraries
from actions.loopback import PortTaken, bind

WRONG_SETTINGS = 2


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="actions", description="Starts the action server on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--backoffice", required=True, metavar="URL", help="address of the exchange's back office")
    args = parser.parse_args(arguments)
    secret = os.environ.get("REDRESS_RASA_SECRET", "").strip()
    if not secret:
        print("REDRESS_RASA_SECRET is empty: the action server needs it to know Rasa.", file=sys.stderr)
        return WRONG_SETTINGS
    warnings.simplefilter("ignore")  # rasa-sdk complains, with every call, that Rasa's version is another one
    try:
        listener = bind(args.port)
    except PortTaken as error:
        print(error, file=sys.stderr)
        return WRONG_SETTINGS
    from actions.server import serve

    quiet_libraries("actions")
    serve(listener, args.backoffice, os.environ.get("REDRESS_BACKOFFICE_TOKEN", ""), secret)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
