"""`redress parked list|show|replay|discard`. Never shows the text of a message."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from bot import parked
from bot.clock import now
from bot.operator.common import DONE, NOT_DONE, USAGE, change, complain, look
from bot.parked import Name, NoSuchName, NotDone, Order
from bot.repository.parked import ParkedRow
from bot.settings import Settings

Deed = Callable[[Connection, Name, Order], None]


def listed(settings: Settings, options: argparse.Namespace) -> int:
    rows = look(settings, parked.everything)
    if options.json:
        print(json.dumps([_as_json(row) for row in rows], indent=2))
        return DONE
    for row in rows:
        print(f"{row.name}\t{row.state}\t{row.channel}\t{row.since:%Y-%m-%d %H:%M}\t{row.error or ''}")
    if not rows:
        print("nothing is parked")
    return DONE


def show(settings: Settings, options: argparse.Namespace) -> int:
    row = next((row for row in look(settings, parked.everything) if row.name == options.id), None)
    if row is None:
        return complain(f"{options.id} is not parked")
    print(json.dumps(_as_json(row), indent=2))
    return DONE


def replay(settings: Settings, options: argparse.Namespace) -> int:
    return _each(settings, options, parked.replay, "goes back to the road")


def discard(settings: Settings, options: argparse.Namespace) -> int:
    return _each(settings, options, parked.discard, "is set aside")


def _each(settings: Settings, options: argparse.Namespace, deed: Deed, said: str) -> int:
    """One commit per row. Exit code 0 when all of them were done, 1 when one was not, 2 when the call is wrong."""
    if bool(options.ids) == options.all:
        return complain("name rows such as inbox:12, or say --all: exactly one of the two", USAGE)
    try:
        names = _wanted(settings, options)
    except NoSuchName as error:
        return complain(error, USAGE)
    order = Order(
        person=options.by or getpass.getuser(),
        reason=options.reason,
        at=now(),
        risk_repeat=getattr(options, "risk_repeat", False),
    )
    failed = sum(not _did(settings, deed, name, order, said) for name in names)
    if not names:
        return complain("nothing is parked")
    return NOT_DONE if failed else DONE


def _wanted(settings: Settings, options: argparse.Namespace) -> Sequence[Name]:
    """Raises NoSuchName. A row named twice is meant once."""
    written = [row.name for row in look(settings, parked.everything)] if options.all else options.ids
    return [Name.of(name) for name in dict.fromkeys(written)]


def _did(settings: Settings, deed: Deed, name: Name, order: Order, said: str) -> bool:
    try:
        change(settings, lambda connection: deed(connection, name, order))
    except NotDone as error:
        complain(error)
        return False
    print(f"{name} {said}")
    return True


def _as_json(row: ParkedRow) -> dict[str, Any]:
    return {**asdict(row), "since": row.since.isoformat()}
