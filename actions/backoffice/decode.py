"""How JSON from the back office becomes the dataclasses of the contract: strictly, naming what is wrong."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

_AMOUNT = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)


class Malformed(ValueError):
    """A value is not what the contract promises. The message names the field and never shows the value."""


def decode[T](kind: type[T], value: object, where: str = "the answer") -> T:
    """Builds the dataclass `kind` from a JSON object; further fields are ignored. Raises Malformed."""
    if not isinstance(value, Mapping):
        raise Malformed(f"{where} is not an object")
    hints = get_type_hints(kind)
    if not is_dataclass(kind):
        raise TypeError(f"{kind.__name__} is not a dataclass of the contract")
    given = {field.name: _member(value, field.name, hints[field.name], where) for field in fields(kind)}
    return kind(**given)


def decode_list[T](kind: type[T], value: object, where: str) -> tuple[T, ...]:
    """Builds one dataclass per element of a JSON array. Raises Malformed."""
    if not isinstance(value, list):
        raise Malformed(f"{where} is not a list")
    return tuple(decode(kind, item, f"{where}[{index}]") for index, item in enumerate(value))


def _member(value: Mapping[str, object], name: str, hint: Any, where: str) -> object:
    if name not in value:
        raise Malformed(f"{where} lacks the field {name}")
    return _convert(hint, value[name], f"{where}.{name}")


def _convert(hint: Any, value: object, where: str) -> object:
    if get_origin(hint) in (Union, types.UnionType):
        inner = next(part for part in get_args(hint) if part is not type(None))
        return None if value is None else _convert(inner, value, where)
    if get_origin(hint) is tuple:
        return _words(value, where)
    if issubclass(hint, StrEnum):
        return _status(hint, _text(value, where))
    return _SCALARS[hint](value, where)


def _status(kind: type[StrEnum], value: str) -> StrEnum:
    """A newer back office may know more states than we do: those are `unknown`, not a crash."""
    return kind(value) if value in kind else kind("unknown")


def _words(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Malformed(f"{where} is not a list")
    return tuple(_text(item, f"{where}[{index}]") for index, item in enumerate(value))


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{where} is not a string")
    return value


def _whole(value: object, where: str) -> int:
    # bool is a kind of int in Python, not in JSON.
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(f"{where} is not a whole number")
    return value


def _truth(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise Malformed(f"{where} is not true or false")
    return value


def _amount(value: object, where: str) -> Decimal:
    """JSON numbers are refused: most parsers turn them into binary fractions and lose digits."""
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise Malformed(f"{where} is not a decimal number in a string")
    return Decimal(value)


def _time(value: object, where: str) -> datetime:
    try:
        time = datetime.fromisoformat(_text(value, where))
    except ValueError as error:
        raise Malformed(f"{where} is not an ISO 8601 time") from error
    if time.tzinfo is None:
        raise Malformed(f"{where} is a time without a zone")
    return time.astimezone(UTC)


_SCALARS: Mapping[Any, Callable[[object, str], object]] = {
    str: _text,
    int: _whole,
    bool: _truth,
    Decimal: _amount,
    datetime: _time,
}
