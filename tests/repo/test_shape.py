"""Sizes, unfinished marks and names: what a reader of the code may rely on."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.repo.tree import PACKAGES, files, module_of, parsed

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
ALL = files(*PACKAGES, "tests")
OURS = files(*PACKAGES)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")  # the marks themselves


@pytest.mark.parametrize("path", ALL, ids=module_of)
def test_a_module_answers_one_question(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= MAX_MODULE_LINES


@pytest.mark.parametrize("path", ALL, ids=module_of)
def test_a_function_does_one_thing(path: Path) -> None:
    long = [
        f"{node.name}: {size}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (size := _lines(node)) > MAX_FUNCTION_LINES
    ]
    assert not long


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Without the docstring, which may be as long as it likes."""
    docstring = ast.get_docstring(node, clean=False)
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)


@pytest.mark.parametrize("path", OURS, ids=module_of)
def test_nothing_is_left_unfinished(path: Path) -> None:
    assert not UNFINISHED.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", OURS, ids=module_of)
def test_a_public_module_says_what_it_is_for(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == "" or ast.get_docstring(parsed(path))
