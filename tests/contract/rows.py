"""The rows of a channel's `checklist.yml`: what every channel must say of itself, and which abilities test each."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from channels import registry
from tests.contract.peer import Peer, can

ROOT = Path(__file__).resolve().parents[2]
STATES = ("done", "todo", "exempt")
ROWS: Mapping[str, tuple[str, ...]] = {
    "caller-authenticated": ("forge",),
    "durable-before-ok": ("deliver", "again"),
    "duplicate-is-harmless": ("deliver", "again"),
    "order": ("deliver",),
    "size-limit": ("too_large",),
    "rate-limit-in": ("flood",),
    "rate-limit-out": ("sent",),
    "retry-after-honoured": ("refuse_next", "sent"),
    "outcome-unknown": ("fall_silent", "sent"),
    "loop-protection": ("own",),
    "edits": ("edit",),
    "deletions": ("delete",),
    "attachments": ("file",),
    "no-customer-text-in-logs": ("deliver",),
    "graceful-stop": ("restart",),
    "gap-detection": ("outage",),
    "feed-down-is-shown": ("go_down", "come_back"),
}
"""Tested through a peer, by the abilities named."""
OTHERWISE: Mapping[str, tuple[str, ...]] = {"rate-limit-in": ("cap",)}
"""Other abilities that test a row: of channels that keep everything, and do less about what is too much."""
READ_FROM_THE_SOURCE = ("secret-compared-in-constant-time", "both-languages")
"""Tested without a peer."""


@dataclass(frozen=True)
class Said:
    """One row of a checklist."""

    state: str
    reason: str = ""
    tested_by: str = ""
    """`tests/<folder>/<file>.py::<function>`, where the suite cannot test the row itself."""
    harmless: Mapping[str, str] = field(default_factory=dict)
    """Comparisons that look like one of a secret and are none, each with the reason."""


class NoPeer(Exception):
    """A channel that the suite cannot drive."""


@cache
def checklist(name: str) -> Mapping[str, Said]:
    """Raises TypeError for a field that no row has, FileNotFoundError without a checklist."""
    text = (Path(registry.HERE) / name / "checklist.yml").read_text(encoding="utf-8")
    return {row: Said(**said) for row, said in yaml.safe_load(text).items()}


@cache
def peers(name: str) -> list[type[Peer]]:
    """The peers of a channel, one per way of receiving. Raises NoPeer with a sentence that says what to write."""
    path = ROOT / "tests" / name / "peer.py"
    module = f"tests.{name}.peer"
    if not path.exists() or importlib.util.find_spec(module) is None:
        raise NoPeer(
            f"the contract suite cannot drive the channel {name}: write tests/{name}/peer.py with a subclass of "
            "tests.contract.peer.Peer (its docstring says how; tests/telegram/peer.py is an example)"
        )
    found = [
        each
        for each in vars(importlib.import_module(module)).values()
        if isinstance(each, type) and issubclass(each, Peer) and not inspect.isabstract(each)
    ]
    if not [each for each in found if each.channel_name == name]:
        raise NoPeer(f"tests/{name}/peer.py defines no Peer whose channel_name is {name!r}")
    return [each for each in found if each.channel_name == name]


def peers_that_test(row: str, abilities: Sequence[str] | None = None) -> list[type[Peer]]:
    """The peers by which a row is tested: those of channels that say `done`, and that have the abilities, which are
    those of `ROWS` unless others are given."""
    wanted = ROWS[row] if abilities is None else abilities
    return [
        peer
        for name in registry.names()
        if row in _checklist_or_none(name) and checklist(name)[row].state == "done"
        for peer in _peers_or_none(name)
        if all(can(peer, ability) for ability in wanted)
    ]


def _checklist_or_none(name: str) -> Mapping[str, Said]:
    """A channel without one fails in a test of its own, not while the tests are collected."""
    try:
        return checklist(name)
    except (OSError, TypeError, AttributeError, yaml.YAMLError):
        return {}


def _peers_or_none(name: str) -> list[type[Peer]]:
    try:
        return peers(name)
    except NoPeer:
        return []
