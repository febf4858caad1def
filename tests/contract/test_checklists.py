"""Every channel says how finished it is, and what it calls done is tested."""

from __future__ import annotations

import ast

import pytest

from channels import registry
from tests.contract.peer import Peer, can
from tests.contract.rows import OTHERWISE, READ_FROM_THE_SOURCE, ROOT, ROWS, STATES, checklist, peers

every_channel = pytest.mark.parametrize("name", registry.names())


@every_channel
def test_it_has_a_peer(name: str) -> None:
    assert peers(name)


@every_channel
def test_every_row_is_there_and_has_a_reason_where_it_is_not_done(name: str) -> None:
    said = checklist(name)
    assert [row for row in (*ROWS, *READ_FROM_THE_SOURCE) if row not in said] == []
    assert {row: each.state for row, each in said.items() if each.state not in STATES} == {}
    assert [row for row, each in said.items() if each.state != "done" and not each.reason.strip()] == []


@every_channel
def test_what_is_done_is_tested(name: str) -> None:
    untested = [row for row, each in checklist(name).items() if each.state == "done" and not _is_tested(name, row)]
    assert not untested, (
        f"channels/{name}/checklist.yml says that {', '.join(untested)} is done, but nothing tests it: give "
        f"tests/{name}/peer.py the ability (tests/contract/rows.py), or name a test in tested_by"
    )


def _is_tested(name: str, row: str) -> bool:
    if checklist(name)[row].tested_by or row in READ_FROM_THE_SOURCE:
        return True
    return row in ROWS and any(_has(peer, row) for peer in peers(name))


def _has(peer: type[Peer], row: str) -> bool:
    ways = [ROWS[row], *([OTHERWISE[row]] if row in OTHERWISE else [])]
    return any(all(can(peer, ability) for ability in way) for way in ways)


@every_channel
def test_a_way_that_lacks_what_another_has_says_why(name: str) -> None:
    wanted = {ability for abilities in ROWS.values() for ability in abilities}
    wanted = {ability for ability in wanted if any(can(peer, ability) for peer in peers(name))}
    silent = {peer.way: wanted - {a for a in wanted if can(peer, a)} - peer.lacks.keys() for peer in peers(name)}
    assert {way: missing for way, missing in silent.items() if missing} == {}
    assert all(reason.strip() for peer in peers(name) for reason in peer.lacks.values())


@every_channel
def test_a_test_that_is_named_exists(name: str) -> None:
    named = {row: each.tested_by for row, each in checklist(name).items() if each.tested_by}
    assert {row: test for row, test in named.items() if not _exists(test)} == {}


def _exists(test: str) -> bool:
    file, _, function = test.partition("::")
    path = ROOT / file
    if not file.startswith("tests/") or not path.is_file():
        return False
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defined = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    return function.startswith("test_") and function in defined
