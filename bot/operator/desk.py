"""`redress check`, `redress raw`, `redress user add`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from contextlib import closing

from bot import catalogue, library
from bot.files import Files
from bot.first_start import bring_up
from bot.operator.common import DONE, complain, look
from bot.repository import inbox
from bot.settings import Settings
from bot.store.store import Store


def check(settings: Settings, _options: argparse.Namespace) -> int:
    """Everything a start would check, and the migration. Faults are raised with their sentence."""
    words = catalogue.whole()
    knowledge = library.load(settings)
    count = len(list(words.keys()))
    bring_up(settings)
    print(f"settings, {count} sentences, {len(knowledge.ids())} articles and the database are in order")
    return DONE


def raw(settings: Settings, options: argparse.Namespace) -> int:
    """The bytes exactly as received; exit code 1 when there is no such message."""
    row = look(settings, lambda connection: inbox.get(connection, options.inbox_id))
    if row is None:
        return complain(f"there is no message {options.inbox_id}")
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
