"""What can be read from a channel's source: how it compares secrets, and that it speaks both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from channels import registry
from tests.contract.rows import checklist

SECRET = re.compile(r"secret|token|signature|digest|hmac|passw|credential|(^|_)(mac|otp|pin)$", re.IGNORECASE)
CONSTANT_TIME = re.compile(r"\b(compare_digest|verify|validate|RequestValidator|jwt\.decode)\b")
_IMPORTED = re.compile(r"^from channels\.(\w+)", re.MULTILINE)
_GAP = re.compile(r"\{[^{}]*\}")
every_channel = pytest.mark.parametrize("name", registry.names())


def sources(name: str) -> list[Path]:
    return sorted((registry.HERE / name).rglob("*.py"))


def shared(name: str) -> list[Path]:
    """What channels share and this one uses: modules and folders beside the channels."""
    imported = {part for path in sources(name) for part in _IMPORTED.findall(path.read_text(encoding="utf-8"))}
    beside = {path.stem: path for path in registry.HERE.iterdir() if path.stem not in registry.names()}
    used = [beside[part] for part in sorted(imported & beside.keys())]
    return [module for path in used for module in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]


@every_channel
def test_no_secret_is_compared_by_equality(name: str) -> None:
    """`==` tells by its duration how much of a guess was right."""
    harmless = checklist(name)["secret-compared-in-constant-time"].harmless
    found = {
        f"{path.name}:{node.lineno}": ast.unparse(node)
        for path in sources(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare) and _compares_secrets(node)
    }
    assert {place: text for place, text in found.items() if text not in harmless} == {}
    assert sorted(harmless) == sorted(set(harmless) & set(found.values()))
    assert all(reason.strip() for reason in harmless.values())


def _compares_secrets(node: ast.Compare) -> bool:
    """Comparing with a constant asks whether there is one at all."""
    if not any(isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for operator in node.ops):
        return False
    operands = [node.left, *node.comparators]
    return not any(isinstance(each, ast.Constant) for each in operands) and any(map(_is_secret, operands))


def _is_secret(operand: ast.expr) -> bool:
    """By the last name of it: `self.secret`, `header["signature"]`, `hmac.digest(…)`, `secret.encode()`."""
    match operand:
        case ast.Name(id=name):
            return bool(SECRET.search(name))
        case ast.Attribute(value=value, attr=name):
            return bool(SECRET.search(name))
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
            return bool(SECRET.search(name)) or _is_secret(value)
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            return bool(SECRET.search(name)) or _is_secret(value)
        case ast.Call(func=function):
            return _is_secret(function)
        case _:
            return False


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("shown == self.secret", True),
        ("header['X-Signature'] != right", True),
        ("given == hmac.new(key, body, 'sha256').hexdigest()", True),
        ("token.encode() == known", True),
        ("token in known_tokens", True),
        ("secret == ''", False),
        ("secret is None", False),
        ("hmac.compare_digest(secret, shown)", False),
        ("name == other_name", False),
        ("len(token) == size", False),
    ],
)
def test_a_comparison_of_secrets_is_known_from_another(text: str, found: bool) -> None:
    node = ast.parse(text, mode="eval").body
    assert (isinstance(node, ast.Compare) and _compares_secrets(node)) is found


@every_channel
def test_a_channel_that_is_shown_secrets_compares_them_in_constant_time(name: str) -> None:
    if checklist(name)["secret-compared-in-constant-time"].state == "done":
        assert any(CONSTANT_TIME.search(path.read_text(encoding="utf-8")) for path in [*sources(name), *shared(name)])


@every_channel
def test_it_speaks_both_languages(name: str) -> None:
    """The same sentences with the same gaps; Chinese sentences are Chinese."""
    english, chinese = (_catalogue(name, language) for language in ("en", "zh"))
    assert english.keys() == chinese.keys()
    gaps = re.compile(r"\{(\w+)")
    assert {key for key in english if set(gaps.findall(english[key])) != set(gaps.findall(chinese[key]))} == set()
    assert [key for key, text in chinese.items() if not _is_chinese(text) and not _is_chinese(english[key])] == []


def _is_chinese(text: str) -> bool:
    """Or says nothing but what fills its gaps. (The name of the other language is in that language.)"""
    return bool(re.search("[\u3400-\u9fff]", text)) or not re.search(r"[A-Za-z]", _GAP.sub("", text))


def _catalogue(name: str, language: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in sorted((registry.HERE / name).glob(f"*.{language}.yml")):
        texts |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return texts
