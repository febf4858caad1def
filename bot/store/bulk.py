"""What a batch writes: many rows, and on PostgreSQL several tables, in one statement.

PostgreSQL gets the rows of each table as one JSON parameter (`json_to_recordset`), SQLite a prepared statement and the
driver's own loop: each goes below SQLAlchemy's statements because that was measured to pay (docs/decisions/0002).
What is written stays described by the tables alone: a new column needs nothing here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, Self, cast, override

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
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.sql.schema import CallableColumnDefault, ScalarElementColumnDefault
from sqlalchemy.types import TypeEngine

from bot.clock import utc
from bot.store import prepared

Rows = Sequence[Mapping[str, Any]]
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Add:
    """Rows that all name the same columns.

    `unless`: a unique column; where a row has the same value there already, the new one is left out.
    `returning`: columns of the rows that were added, as the outcome.
    """

    table: Table
    rows: Rows
    returning: tuple[str, ...] = ()
    unless: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Rows that exist, by their `id`; all name the same columns. The outcome is how many were changed.

    `only_if` = (column, value): rows where it is not so are left alone.
    """

    table: Table
    rows: Rows
    only_if: tuple[str, str] | None = None


type Outcome = Any
"""Of Add: the returned columns of each row, in no particular order. Of Change: a count."""


def write(connection: Connection, *writes: Add | Change) -> Sequence[Outcome]:
    """One outcome per write, in their order. On PostgreSQL all of it is one statement and one way there and back, and
    none of the writes sees what the others do."""
    whole = [_whole(one) for one in writes]
    if connection.dialect.name != "postgresql":
        return [_lite(connection, one) for one in whole]
    given = [one for one in whole if one.rows]
    if not given:
        return [_nothing(one) for one in whole]
    statement = _pg(tuple(_shape(one) for one in given))
    found = iter(connection.execute(statement, {f"rows{n}": _json(one.rows) for n, one in enumerate(given)}).one())
    return [_outcome(one, next(found)) if one.rows else _nothing(one) for one in whole]


def add(connection: Connection, table: Table, rows: Rows, returning: tuple[str, ...] = ()) -> Sequence[Any]:
    """One `Add` by itself."""
    (outcome,) = write(connection, Add(table, rows, returning))
    return cast(Sequence[Any], outcome)


def change(connection: Connection, table: Table, rows: Rows) -> None:
    """One `Change` by itself."""
    write(connection, Change(table, rows))


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

    @override
    def self_group(self, against: OperatorType | None = None) -> Self:
        """SQLAlchemy would compare it with 1 where there is no boolean type, and SQLite would then use no index."""
        return self


@compiles(_Among)
def _as_table(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # names of our own tables


@compiles(_Among, "postgresql")
def _as_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({values})"


def _whole(one: Add | Change) -> Add | Change:
    """With what the tables fill in by themselves: our own statements have to say it."""
    if isinstance(one, Change) or not one.rows:
        return one
    defaults = _defaults(one.table)
    return replace(one, rows=[{**defaults, **row} for row in one.rows])


def _nothing(one: Add | Change) -> Outcome:
    return () if isinstance(one, Add) else 0


def _outcome(one: Add | Change, answer: Any) -> Outcome:
    """`answer` is what `_answer` asked for; None when no row was added."""
    return answer if isinstance(one, Change) else (one.returning and answer) or ()


def _lite(connection: Connection, one: Add | Change) -> Outcome:
    if not one.rows:
        return _nothing(one)
    dialect, names = connection.dialect, tuple(one.rows[0])
    if isinstance(one, Change):
        names = (*(name for name in names if name != "id"), "id")
        statement = _lite_update(one.table, names[:-1], one.only_if)
        return prepared.run(connection, statement, _values(dialect, one.table, names, one.rows), many=True)[1]
    values = _values(dialect, one.table, names, one.rows)
    if not one.returning:
        prepared.run(connection, _lite_insert(one.table, names, (), one.unless, 1), values, many=True)
        return ()
    statement = _lite_insert(one.table, names, one.returning, one.unless, len(values))
    return prepared.run(connection, statement, tuple(chain.from_iterable(values)))[0]


@cache
def _lite_insert(
    table: Table, names: tuple[str, ...], returning: tuple[str, ...], unless: str | None, rows: int
) -> str:
    one = f"({', '.join('?' for _ in names)})"
    answer = f" RETURNING {', '.join(returning)}" if returning else ""
    values = ", ".join([one] * rows)
    return f"INSERT INTO {table.name} ({', '.join(_quoted(names))}) VALUES {values}{_unless(unless)}{answer}"  # noqa: S608  # names of our own tables


@cache
def _lite_update(table: Table, names: tuple[str, ...], only_if: tuple[str, str] | None) -> str:
    columns = ", ".join(f"{name} = ?" for name in _quoted(names))
    guard = "" if only_if is None else f" AND {only_if[0]} = '{only_if[1]}'"
    return f"UPDATE {table.name} SET {columns} WHERE id = ?{guard}"  # noqa: S608  # names of our own tables


def _unless(unique: str | None) -> str:
    return "" if unique is None else f" ON CONFLICT ({unique}) DO NOTHING"


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


@dataclass(frozen=True)
class _Shape:
    """What of a write its statement depends on."""

    table: Table
    names: tuple[str, ...]
    adds: bool
    returning: tuple[str, ...] = ()
    unless: str | None = None
    only_if: tuple[str, str] | None = None


def _shape(one: Add | Change) -> _Shape:
    names = tuple(one.rows[0])
    if isinstance(one, Add):
        return _Shape(one.table, names, True, returning=one.returning, unless=one.unless)
    return _Shape(one.table, tuple(name for name in names if name != "id"), False, only_if=one.only_if)


@cache
def _pg(shapes: tuple[_Shape, ...]) -> Executable:
    parts = [f"w{n} AS ({_pg_insert(one, n) if one.adds else _pg_update(one, n)})" for n, one in enumerate(shapes)]
    answers = [f"(SELECT {_answer(one)} FROM w{n})" for n, one in enumerate(shapes)]  # noqa: S608  # names of our own tables
    return text(f"WITH {', '.join(parts)} SELECT {', '.join(answers)}")


def _answer(one: _Shape) -> str:
    if one.adds and one.returning:
        return f"json_agg(json_build_array({', '.join(one.returning)}))"
    return "count(*)"


def _pg_insert(one: _Shape, number: int) -> str:
    columns = ", ".join(_quoted(one.names))
    rows, answer = _recordset(one.table, one.names, number), ", ".join(one.returning or ("id",))
    return (
        f"INSERT INTO {one.table.name} ({columns}) SELECT {columns} FROM {rows}{_unless(one.unless)} RETURNING {answer}"  # noqa: S608  # names of our own tables
    )


def _pg_update(one: _Shape, number: int) -> str:
    columns = ", ".join(f"{name} = r.{name}" for name in _quoted(one.names))
    guard = "" if one.only_if is None else f" AND t.{one.only_if[0]} = '{one.only_if[1]}'"
    rows = _recordset(one.table, ("id", *one.names), number)
    return f"UPDATE {one.table.name} AS t SET {columns} FROM {rows} WHERE t.id = r.id{guard} RETURNING t.id"  # noqa: S608  # names of our own tables


def _recordset(table: Table, names: tuple[str, ...], number: int) -> str:
    columns = ", ".join(f'"{name}" {table.c[name].type.compile(_DIALECT)}' for name in names)
    return f"json_to_recordset(CAST(:rows{number} AS json)) AS r({columns})"


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
