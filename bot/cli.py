"""The command `redress`: runs the desk and shows what its operator needs to see."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.keys import DamagedKey
from bot.operator import archive, classify, desk, parked, reconcile, teaching
from bot.settings import Settings, SettingsError, load

WRONG_SETTINGS = 2
FAILED = 1
INTERRUPTED = 130
"""As shells say it of Ctrl-C."""
Command = Callable[[Settings, argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 well, 1 not done or out of balance, 2 a wrong call or setting or a port in use, 130 interrupted."""
    options = _parser().parse_args(arguments)
    command: Command = options.run
    try:
        return command(load(), options)
    except KeyboardInterrupt:
        return 0 if command in (_run, _serve) else INTERRUPTED
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        return _complain(sentence, FAILED if _may_pass(error) else WRONG_SETTINGS)


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
    from bot.serve import serve

    logs.set_up()
    _prepare(settings)
    try:
        serve(settings)
    except OSError as error:
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

    from bot.folder import DataFolderInUse, RestoreIncomplete
    from bot.store.engine import UnsafeDatabase
    from bot.store.migrate import SchemaTooNew, SchemaTooOld
    from bot.wording import WordingError
    from channels.faults import NotStored

    if isinstance(error, DBAPIError):
        return f"Redress cannot use its database: {str(error.orig).splitlines()[0]}"
    if isinstance(error, UnsafeDatabase | SchemaTooNew | SchemaTooOld | NotStored):
        return f"Redress cannot use its database: {error}"
    if isinstance(error, DataFolderInUse | RestoreIncomplete):
        return f"Redress cannot start: {error}"
    return str(error) if isinstance(error, SettingsError | WordingError | DamagedKey) else None


def _may_pass(error: Exception) -> bool:
    """The call was right, but the database is down or did not take it: the same call may succeed later."""
    from sqlalchemy.exc import DBAPIError

    from channels.faults import NotStored

    return isinstance(error, DBAPIError | NotStored)


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
    add("check", desk.check, "Check settings, wording, knowledge and database without starting.")
    _add_train(add("train", teaching.train, "Train the bot's model if its inputs changed."))
    _add_classify(add("classify", classify.classify, "Say what the bot makes of messages; no server is needed."))
    add("demo", _demo, "Play real conversations through a running desk and show them.")
    _add_reconcile(add("reconcile", reconcile.reconcile, "Prove that everything received is accounted for."))
    _add_raw(add("raw", desk.raw, "Write the original bytes of a received message to standard output."))
    _add_parked(add("parked", parked.listed, "Show, replay or discard what no machine could go on with."))
    _add_archive(
        add("backup", archive.back_up, "Back the desk up, running or not: database, original bytes, evidence, key."),
        add("restore", archive.bring_back, "Restore a back-up into an empty data folder and an empty database."),
    )
    _add_user(add("user", desk.user_add, "Manage the people who work at the desk."))
    return parser


def _add_reconcile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="TIME", help="only what was received since: 24h, 7d, 2026-11-22")
    parser.add_argument("--files", action="store_true", help="also read every file and compare it with its hash")
    parser.add_argument("--json", action="store_true", help="JSON on a terminal too; elsewhere it is always JSON")
    parser.epilog = "Exit code 1 when something received is not accounted for, or a file is missing or changed."


def _add_train(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--candidate",
        action="store_true",
        help="learn agents' corrections; replace the live model only by a better one",
    )
    what.add_argument("--back", action="store_true", help="put the model before back")
    parser.epilog = "Exit codes: 0 done or nothing to do, 1 failed, 2 wrong call, 3 the candidate is not better."


def _add_classify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, default=classify.MODEL, help="another archive than the live one")
    parser.epilog = 'Reads JSON lines {"id", "text"} from standard input, writes JSON lines to standard output.'


def _add_archive(backup: argparse.ArgumentParser, restore: argparse.ArgumentParser) -> None:
    backup.add_argument("folder", help="a folder that is empty or does not exist yet")
    backup.add_argument("--hard-links", action="store_true", help="link files instead of copying, on the same disk")
    backup.epilog = "Keep it as safe as the desk: it holds every complaint and the key that signs links and codes."
    restore.add_argument("folder", help="a folder that `redress backup` made")


def _add_raw(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inbox_id", type=int)
    parser.add_argument("--reason", default="")
    parser.add_argument("--by", metavar="NAME", help="who looks; recorded, and shown to agents")


def _add_parked(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="one line each")
    listed.add_argument("--json", action="store_true")
    listed.set_defaults(run=parked.listed)
    show = actions.add_parser("show", help="one of them, without its text")
    show.add_argument("id", help="as the list names it, for example inbox:12")
    show.set_defaults(run=parked.show)
    replay = actions.add_parser("replay", help="give rows back to the road; a running desk takes them up at once")
    _add_deed(replay, parked.replay, needed=False)
    replay.add_argument("--risk-repeat", action="store_true", help="also what may have arrived already")
    discard = actions.add_parser("discard", help="set rows aside for good; the reason is recorded and agents see it")
    _add_deed(discard, parked.discard, needed=True)


def _add_deed(parser: argparse.ArgumentParser, run: Command, *, needed: bool) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help="as the list names it, for example inbox:12")
    parser.add_argument("--all", action="store_true", help="every row that is parked")
    parser.add_argument("--reason", required=needed, default="")
    parser.add_argument("--by", required=needed, metavar="NAME", help="who does this")
    parser.epilog = "Exit codes: 0 done, 1 something was not done (it says what), 2 wrong call."
    parser.set_defaults(run=run)


def _add_user(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="add an agent; the password is asked for or read from standard input")
    add.add_argument("login")
    add.add_argument("--name", required=True)
    add.add_argument("--role", choices=("agent", "supervisor", "admin"), default="agent")
    add.set_defaults(run=desk.user_add)


if __name__ == "__main__":
    raise SystemExit(main())
