"""A new channel is one folder: no Python module outside it may know any channel by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from channels.registry import names
from tests.repo.tree import PACKAGES, files, module_of, parsed

ORDINARY_WORDS = ("mail", "form", "phone")
"""Channels that are called by a word which means other things as well: a letter, what a browser posts, a number. Of
these, identifiers are free, and a string counts where a channel's name is meant (`_as_a_channel`)."""
WHAT_PEOPLE_WRITE = "bot.understanding"
"""People write about Telegram on every channel: what is read there may name it, as long as it is not what a channel is
asked for."""
WHERE = [*files(*PACKAGES), *files("tests/flow", "tests/store", "tests/unit")]


@pytest.mark.parametrize("path", WHERE, ids=module_of)
def test_only_a_channels_own_folder_names_it(path: Path) -> None:
    found = {
        name: places
        for name in names()
        if not module_of(path).startswith(f"channels.{name}")
        if (places := sorted(_named(parsed(path), name, about=module_of(path).startswith(WHAT_PEOPLE_WRITE))))
    }
    assert not found, f"{path} names channels in these lines: {found}"


def _named(tree: ast.Module, name: str, *, about: bool = False) -> set[int]:
    """`about`: the module is about what people write."""
    if name in ORDINARY_WORDS or about:
        return {*_as_a_channel(tree, name), *_prefixed(tree, name)}
    strings = {node.lineno for node in _strings(tree) if re.search(rf"\b{name}\b", str(node.value), re.IGNORECASE)}
    return strings | {line for identifier, line in _identifiers(tree) if name in _words(identifier)}


def _prefixed(tree: ast.Module, name: str) -> Iterator[int]:
    """The key of a conversation, "mail:…"."""
    yield from (node.lineno for node in _strings(tree) if str(node.value).startswith(f"{name}:"))


def _as_a_channel(tree: ast.Module, name: str) -> Iterator[int]:
    """`channel == "mail"`, `channels["mail"]`, `channels.get("mail")`, `channel="mail"`, `{"channel": "mail"}`."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others) if any(map(_is_channel, (left, *others))):
                inside: list[ast.AST] = [left, *others]
            case ast.Subscript(value=value, slice=index) if _is_channel(value):
                inside = [index]
            case ast.Call(func=ast.Attribute(value=value), args=arguments) if _is_channel(value):
                inside = [*arguments]
            case ast.keyword(arg=str(arg), value=value) if "channel" in arg:
                inside = [value]
            case ast.Dict(keys=keys, values=values):
                inside = [
                    v for k, v in zip(keys, values, strict=True) if isinstance(k, ast.Constant) and k.value == "channel"
                ]
            case _:
                continue
        yield from (
            each.lineno
            for part in inside
            for each in ast.walk(part)
            if isinstance(each, ast.Constant) and each.value == name
        )


def _is_channel(node: ast.AST) -> bool:
    """By what the expression is called: `channel`, `row.channel`, `desk.channels`, `channel.name`."""
    match node:
        case ast.Attribute(value=value, attr="name"):
            return _is_channel(value)
        case ast.Attribute(attr=called) | ast.Name(id=called):
            return "channel" in called
        case _:
            return False


def _strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """But for docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def _identifiers(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "asname"):
            if isinstance(called := getattr(node, field, None), str) and hasattr(node, "lineno"):
                yield called, node.lineno


def _words(identifier: str) -> list[str]:
    """Of `TelegramChannel`, `_telegram_token` or `telegram.ext`."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)]


@pytest.mark.parametrize(
    ("source", "name", "found"),
    [
        ('if conversation.channel == "mail": pass', "mail", True),
        ('if "form" in channel.name: pass', "form", True),
        ('channels["phone"].send()', "phone", True),
        ('settings.channel.get("mail", {})', "mail", True),
        ('select(channel="form")', "form", True),
        ('key = "mail:77"', "mail", True),
        ('html = "form"', "form", False),
        ("form = await request.form()", "form", False),
        ('kind = Entity("phone")', "phone", False),
        ('name = "telegram"', "telegram", True),
        ('words.say("telegram.file")', "telegram", True),
        ('raise ValueError("use Telegram instead")', "telegram", True),
        ("def of_telegram(): pass", "telegram", True),
        ("TelegramChannel()", "telegram", True),
        ("telegraph = 1", "telegram", False),
        ('def f():\n    "Telegram may be named in a docstring."', "telegram", False),
    ],
)
def test_what_counts_as_naming_a_channel(source: str, name: str, found: bool) -> None:
    assert bool(_named(ast.parse(source), name)) is found
