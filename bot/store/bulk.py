"""Many rows in one statement: what a batch writes, at a cost per row that does not grow with the number of columns.

PostgreSQL gets all rows as one JSON parameter (`json_to_recordset`), SQLite one prepared statement and the driver's
own loop: each goes below SQLAlchemy's statements because that was measured to pay (docs/decisions/0002). What is
written stays described by the tables alone: a new column needs nothing here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, override

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.schema import CallableColumnDefault, ScalarElementColumnDefault
from sqlalchemy.types import TypeEngine

from bot.clock import utc

Rows = Sequence[Mapping[str, Any]]
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def add(connection: Connection, table: Table, rows: Rows, returning: Sequence[str] = ()) -> Sequence[Any]:
    """Inserts rows that all name the same columns; the `returning` columns of each, in no particular order."""
    if not rows:
        return ()
    defaults = _defaults(table)
    whole = [{**defaults, **row} for row in rows]
    names = tuple(whole[0])
    if connection.dialect.name == "postgresql":
        result = connection.execute(_pg_insert(table, names, tuple(returning)), {"rows": _json(whole)})
    elif returning:
        values = tuple(chain.from_iterable(_values(connection.dialect, table, names, whole)))
        result = connection.exec_driver_sql(_lite_insert(table, names, tuple(returning), len(rows)), values)
    else:
        statement = _lite_insert(table, names, (), 1)
        result = connection.exec_driver_sql(statement, _values(connection.dialect, table, names, whole))
    return result.all() if returning else ()


def change(connection: Connection, table: Table, rows: Rows, only_if: tuple[str, str] | None = None) -> int:
    """Updates rows by their `id`; all name the same columns. How many were changed.

    `only_if` = (column, value): rows where it is not so are left alone.
    """
    if not rows:
        return 0
    names = tuple(name for name in rows[0] if name != "id")
    if connection.dialect.name == "postgresql":
        return connection.execute(_pg_update(table, names, only_if), {"rows": _json(rows)}).rowcount
    values = _values(connection.dialect, table, (*names, "id"), rows)
    return connection.exec_driver_sql(_lite_update(table, names, only_if), values).rowcount


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """`column` is one of the values of the parameter `name`, a list. Unlike IN, it is one statement for any number."""
    return _Among(column, bindparam(name, type_=_Values(column.type)))


class _Values(TypeDecorator[Sequence[Any]]):
    """A list as one parameter: an array, or the JSON that SQLite reads as a table."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.of) if dialect.name == "postgresql" else Text())

    @override
    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        return list(value or ()) if dialect.name == "postgresql" else json.dumps(list(value or ()))


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_Among)
def _as_table(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # names of our own tables


@compiles(_Among, "postgresql")
def _as_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({values})"


@cache
def _lite_insert(table: Table, names: tuple[str, ...], returning: tuple[str, ...], rows: int) -> str:
    one = f"({', '.join('?' for _ in names)})"
    answer = f" RETURNING {', '.join(returning)}" if returning else ""
    return f"INSERT INTO {table.name} ({', '.join(_quoted(names))}) VALUES {', '.join([one] * rows)}{answer}"  # noqa: S608  # names of our own tables


@cache
def _lite_update(table: Table, names: tuple[str, ...], only_if: tuple[str, str] | None) -> str:
    columns = ", ".join(f"{name} = ?" for name in _quoted(names))
    guard = "" if only_if is None else f" AND {only_if[0]} = '{only_if[1]}'"
    return f"UPDATE {table.name} SET {columns} WHERE id = ?{guard}"  # noqa: S608  # names of our own tables


def _values(dialect: Dialect, table: Table, names: tuple[str, ...], rows: Rows) -> list[tuple[Any, ...]]:
    """The rows as the driver wants them."""
    processors = _processors(dialect, table, names)
    return [
        tuple([row[name] if process is None else process(row[name]) for name, process in processors]) for row in rows
    ]


@cache
def _processors(
    dialect: Dialect, table: Table, names: tuple[str, ...]
) -> Sequence[tuple[str, Callable[[Any], Any] | None]]:
    return [(name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names]


def _quoted(names: Sequence[str]) -> Sequence[str]:
    return [f'"{name}"' for name in names]


@cache
def _pg_insert(table: Table, names: tuple[str, ...], returning: tuple[str, ...]) -> Executable:
    columns = ", ".join(_quoted(names))
    answer = f" RETURNING {', '.join(returning)}" if returning else ""
    return text(f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {_recordset(table, names)}{answer}")  # noqa: S608  # names of our own tables


@cache
def _pg_update(table: Table, names: tuple[str, ...], only_if: tuple[str, str] | None) -> Executable:
    columns = ", ".join(f"{name} = r.{name}" for name in _quoted(names))
    guard = "" if only_if is None else f" AND t.{only_if[0]} = '{only_if[1]}'"
    rows = _recordset(table, ("id", *names))
    return text(f"UPDATE {table.name} AS t SET {columns} FROM {rows} WHERE t.id = r.id{guard}")  # noqa: S608  # names of our own tables


def _recordset(table: Table, names: tuple[str, ...]) -> str:
    columns = ", ".join(f'"{name}" {table.c[name].type.compile(_DIALECT)}' for name in names)
    return f"json_to_recordset(CAST(:rows AS json)) AS r({columns})"


@cache
def _defaults(table: Table) -> Mapping[str, Any]:
    """What the tables fill in by themselves; our own statement has to say it."""
    found: dict[str, Any] = {}
    for column in table.columns:
        default = column.default
        if isinstance(default, ScalarElementColumnDefault):
            found[column.name] = default.arg
        elif isinstance(default, CallableColumnDefault):
            found[column.name] = default.arg(None)  # type: ignore[arg-type]
    return found


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, default=_plain, ensure_ascii=False, check_circular=False)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return utc(value).isoformat()
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    raise TypeError(f"a {type(value).__name__} is no column value")
