"""What the filtered stream is to bring: one rule of ours at X, the same words as of the search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channels.monitor.faults import NotTaken
from channels.monitor.parts import entries, part, words

if TYPE_CHECKING:
    from channels.twitter.api import Api

TAG = "redress"
"""Marks rules of ours: the same app may have others, which are left alone."""


async def reconciled(api: Api, wanted: str) -> frozenset[str]:
    """Makes our rule be `wanted`, and returns its id. Raises Fault."""
    found = [rule for rule in entries((await api.rules()).body, "data") if words(rule, "id")]
    right = frozenset(words(rule, "id") for rule in found if part(rule, "value") == wanted)
    old = [words(rule, "id") for rule in found if part(rule, "tag") == TAG and words(rule, "id") not in right]
    if old:
        await api.delete_rules(old)
    return right or await _added(api, wanted)


async def _added(api: Api, wanted: str) -> frozenset[str]:
    """X answers 2xx also to a rule that it does not take."""
    made = entries((await api.add_rule(wanted, TAG)).body, "data")
    found = frozenset(words(rule, "id") for rule in made if words(rule, "id"))
    if not found:
        raise NotTaken
    return found
