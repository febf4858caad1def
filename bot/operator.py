"""Operators' commands that look at the desk's data without starting it."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import closing

from sqlalchemy import Connection

from bot import catalogue, ledger, library
from bot.files import Files
from bot.repository import inbox, outbox
from bot.repository.inbox import InboxRow
from bot.repository.outbox import OutboxRow
from bot.settings import Settings
from bot.store.migrate import insist_on_current, migrate
from bot.store.store import Store


def _read[T](settings: Settings, query: Callable[[Connection], T]) -> T:
    """Looks at the database as it is; only a start migrates it."""
    insist_on_current(settings.database)
    with closing(Store(settings.database)) as store:
        return asyncio.run(store.read(query))


def check(settings: Settings, _options: argparse.Namespace) -> int:
    """Everything a start would check, and the migration. Faults are raised with their sentence."""
    words = catalogue.whole()
    knowledge = library.load(settings)
    count = len(list(words.keys()))
    migrate(settings.database)
    print(f"settings, {count} sentences, {len(knowledge.ids())} articles and the database are in order")
    return 0


def reconcile(settings: Settings, _options: argparse.Namespace) -> int:
    """Prints the intake ledger as JSON; exit code 1 when it does not balance."""
    book = _read(settings, ledger.draw_up)
    unproven = {name: count for name, count in book.unproven.items() if count}
    print(json.dumps({"received": book.received, **book.outcomes, "unproven": unproven, "balanced": book.balanced}))
    return 0 if book.balanced else 1


def raw(settings: Settings, options: argparse.Namespace) -> int:
    """The bytes exactly as received; exit code 1 when there is no such message."""
    row = _read(settings, lambda connection: inbox.get(connection, options.inbox_id))
    if row is None:
        print(f"there is no message {options.inbox_id}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(row.raw if row.raw is not None else Files(settings.data_dir / "raw").get(row.raw_sha256))
    return 0


def parked_list(settings: Settings, _options: argparse.Namespace) -> int:
    received, unsent = _read(settings, lambda connection: (inbox.parked(connection), outbox.parked(connection)))
    for row in received:
        print(f"inbox:{row.id}\t{row.channel}\treceived {row.received_at:%Y-%m-%d %H:%M}\t{row.error or ''}")
    for message in unsent:
        print(
            f"outbox:{message.id}\t{message.state}\tqueued {message.created_at:%Y-%m-%d %H:%M}\t{message.error or ''}"
        )
    if not received and not unsent:
        print("nothing is parked")
    return 0


def parked_show(settings: Settings, options: argparse.Namespace) -> int:
    """One parked row as JSON, without the text of the message."""
    kind, _, number = str(options.id).partition(":")
    if kind not in ("inbox", "outbox") or not number.isdecimal():
        print(f"{options.id} is not a name like inbox:12 or outbox:7", file=sys.stderr)
        return 1
    rows: Sequence[InboxRow | OutboxRow] = _read(settings, inbox.parked if kind == "inbox" else outbox.parked)
    row = next((r for r in rows if r.id == int(number)), None)
    if row is None:
        print(f"{options.id} is not parked", file=sys.stderr)
        return 1
    hidden = {"raw", "text", "buttons", "sender", "envelope"}
    shown = {name: str(value) for name, value in vars(row).items() if name not in hidden}
    print(json.dumps(shown, indent=2))
    return 0


def user_add(settings: Settings, options: argparse.Namespace) -> int:
    from escalation.console.auth import create_agent

    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    migrate(settings.database)
    with closing(Store(settings.database)) as store:
        try:
            asyncio.run(create_agent(store, options.login, options.name, options.role, password))
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1
    print(f"{options.login} can log in as {options.role}")
    return 0
