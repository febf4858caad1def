"""`redress check`, `redress raw`, `redress user add`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from contextlib import closing

from bot import catalogue, library
from bot.clock import now
from bot.files import Files
from bot.first_start import bring_up
from bot.operator.common import DONE, change, complain, look
from bot.operator.teaching import read_data
from bot.parked import Order, record_opening
from bot.repository import inbox
from bot.settings import Settings
from bot.store.store import Store
from bot.understanding.lessons.corpus import CorpusError, shortfalls


def check(settings: Settings, _options: argparse.Namespace) -> int:
    """Everything a start would check, what the bot learns from, and the migration. Exit code 1 when the bot's data are
    not in order; other faults are raised with their sentence."""
    words = catalogue.whole()
    knowledge = library.load(settings)
    count = len(list(words.keys()))
    try:
        examples, messages = read_data()
    except CorpusError as error:
        return complain(error)
    if lacking := shortfalls(examples):
        return complain("\n".join(f"data/nlu: {sentence}" for sentence in lacking))
    bring_up(settings)
    print(
        f"settings, {count} sentences, {len(knowledge.ids())} articles, {len(examples):,} training sentences, "
        f"{len(messages):,} evaluation messages and the database are in order"
    )
    return DONE


def raw(settings: Settings, options: argparse.Namespace) -> int:
    """The bytes exactly as received; exit code 1 when there is no such message.

    They may hold a secret that is shown nowhere else, so who opens them is recorded first, and agents see it.
    """
    row = look(settings, lambda connection: inbox.get(connection, options.inbox_id))
    if row is None:
        return complain(f"there is no message {options.inbox_id}")
    order = Order(person=options.by or getpass.getuser(), reason=options.reason, at=now())
    change(settings, lambda connection: record_opening(connection, row, order))
    sys.stdout.buffer.write(row.raw if row.raw is not None else Files(settings.data_dir / "raw").get(row.raw_sha256))
    return DONE


def user_add(settings: Settings, options: argparse.Namespace) -> int:
    from escalation.console.auth import create_agent

    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    bring_up(settings)
    with closing(Store(settings.database)) as store:
        try:
            asyncio.run(create_agent(store, options.login, options.name, options.role, password))
        except ValueError as error:
            return complain(error)
    print(f"{options.login} can log in as {options.role}")
    return DONE
