"""The command `redress`: runs the desk and shows what its operator needs to see."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence

from bot import operator
from bot.keys import DamagedKey
from bot.settings import Settings, SettingsError, load

WRONG_SETTINGS = 2
FAILED = 1
Command = Callable[[Settings, argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 well, 1 failed or out of balance, 2 wrong settings or a port in use."""
    options = _parser().parse_args(arguments)
    command: Command = options.run
    try:
        return command(load(), options)
    except KeyboardInterrupt:
        return 0
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        return _complain(sentence, WRONG_SETTINGS)


def _run(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.supervise import CannotRun, Supervisor, train

    try:
        if not settings.rasa_url:
            train()
        _prepare(settings)
        asyncio.run(Supervisor(settings).run())
    except CannotRun as error:
        return _complain(str(error), WRONG_SETTINGS)
    return 0


def _serve(settings: Settings, _options: argparse.Namespace) -> int:
    from bot import logs
    from bot.serve import DataFolderInUse, serve

    logs.set_up()
    _prepare(settings)
    try:
        serve(settings)
    except (OSError, DataFolderInUse) as error:
        return _complain(f"Redress cannot start: {error}", WRONG_SETTINGS)
    return 0


def _prepare(settings: Settings) -> None:
    """Database and first log-in."""
    from bot.first_start import ADMIN, prepare

    password = prepare(settings)
    if password is not None:
        print(f"first start: log in as {ADMIN} with the password {password}", file=sys.stderr, flush=True)


def _sentence(error: Exception) -> str | None:
    """What to tell the operator about an expected fault; None for a fault of ours, which shows its traceback."""
    from sqlalchemy.exc import DBAPIError

    from bot.store.engine import UnsafeDatabase
    from bot.store.migrate import SchemaTooNew, SchemaTooOld
    from bot.wording import WordingError
    from channels.contract import NotStored

    if isinstance(error, DBAPIError):
        return f"Redress cannot use its database: {str(error.orig).splitlines()[0]}"
    if isinstance(error, UnsafeDatabase | SchemaTooNew | SchemaTooOld | NotStored):
        return f"Redress cannot use its database: {error}"
    return str(error) if isinstance(error, SettingsError | WordingError | DamagedKey) else None


def _train(_settings: Settings, _options: argparse.Namespace) -> int:
    from bot.supervise import CannotRun, train

    try:
        train()
    except CannotRun as error:
        return _complain(str(error), FAILED)
    return 0


def _demo(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.demo.play import play
    from bot.demo.stage import DemoFailed

    try:
        asyncio.run(play(settings, print))
    except DemoFailed as error:
        return _complain(f"The demo stopped: {error}", FAILED)
    return 0


def _complain(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="redress", description="A complaint desk for crypto exchanges.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("run", _run, "Start everything on this machine and watch it.")
    add("serve", _serve, "Start the app process alone (Rasa and the back office run elsewhere).")
    add("check", operator.check, "Check settings, wording, knowledge and database without starting.")
    add("train", _train, "Train the bot's model if its inputs changed.")
    add("demo", _demo, "Play real conversations through a running desk and show them.")
    add("reconcile", operator.reconcile, "Show that everything received is accounted for.")
    raw = add("raw", operator.raw, "Write the original bytes of a received message to standard output.")
    raw.add_argument("inbox_id", type=int)
    _add_parked(add("parked", operator.parked_list, "Show what no machine could go on with."))
    _add_user(add("user", operator.user_add, "Manage the people who work at the desk."))
    return parser


def _add_parked(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list", help="one line each").set_defaults(run=operator.parked_list)
    show = actions.add_parser("show", help="one of them, without its text")
    show.add_argument("id", help="as the list names it, for example inbox:12")
    show.set_defaults(run=operator.parked_show)


def _add_user(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="add an agent; the password is asked for or read from standard input")
    add.add_argument("login")
    add.add_argument("--name", required=True)
    add.add_argument("--role", choices=("agent", "supervisor", "admin"), default="agent")
    add.set_defaults(run=operator.user_add)


if __name__ == "__main__":
    raise SystemExit(main())
