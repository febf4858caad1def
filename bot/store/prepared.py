"""Statements that every message asks for, made once and run by the driver itself.

What SQLAlchemy does around a statement each time it runs takes three times as long as the driver and SQLite together,
and a chat turn runs fifteen of them after a pause in which the processor has forgotten how (docs/benchmarks.md). What
is asked stays written in SQLAlchemy's terms; the tables' types convert what goes in and what comes out; errors are
SQLAlchemy's own, and whoever listens before an engine's statements ("before_cursor_execute") hears of these too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select

type Row = tuple[Any, ...]
type Process = Callable[[Any], Any] | None


class Prepared:
    """A select, or an insert, update or delete that says all its values, with named parameters for what changes."""

    def __init__(self, statement: Select[Any] | UpdateBase) -> None:
        self._statement = statement
        self._made: dict[str, _Made] = {}

    def rows(self, connection: Connection, given: Mapping[str, Any]) -> Sequence[Row]:
        """What a select finds, or what a change returns. KeyError when a parameter is not given; DBAPIError."""
        made = self._for(connection.dialect)
        found, _ = run(connection, made.text, made.bound(given))
        return made.read(found)

    def one_or_none(self, connection: Connection, given: Mapping[str, Any]) -> Row | None:
        """The only row; the statement finds one at most."""
        rows = self.rows(connection, given)
        return rows[0] if rows else None

    def one(self, connection: Connection, given: Mapping[str, Any]) -> Row:
        """The only row. Raises NoResultFound when there is none."""
        row = self.one_or_none(connection, given)
        if row is None:
            raise NoResultFound(f"no row for {', '.join(given)}")
        return row

    def change(self, connection: Connection, given: Mapping[str, Any]) -> int:
        """How many rows were changed. KeyError when a parameter is not given; DBAPIError."""
        made = self._for(connection.dialect)
        return run(connection, made.text, made.bound(given))[1]

    def _for(self, dialect: Dialect) -> _Made:
        made = self._made.get(dialect.name)
        if made is None:
            made = self._made[dialect.name] = _make(self._statement, dialect)
        return made


def run(connection: Connection, statement: str, parameters: Any, *, many: bool = False) -> tuple[Sequence[Row], int]:
    """The driver's own rows, and how many were changed. `many`: once for each of a list of parameters. DBAPIError."""
    if not connection.in_transaction():
        connection.begin()
    return execute(connection, statement, parameters, many=many)


def execute(
    connection: Connection, statement: str, parameters: Any, *, many: bool = False
) -> tuple[Sequence[Row], int]:
    """As `run`, in the transaction there is: for what begins one."""
    cursor = connection.connection.cursor()
    try:
        for hear in connection.dispatch.before_cursor_execute:
            hear(connection, cursor, statement, parameters, None, many)
        if many:
            cursor.executemany(statement, parameters)
        else:
            cursor.execute(statement, parameters)
        return (cursor.fetchall() if cursor.description else ()), cursor.rowcount
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemys(connection, cursor, statement, error) from error
    finally:
        cursor.close()


def _as_sqlalchemys(connection: Connection, cursor: Any, statement: str, error: Exception) -> BaseException:
    """Never with the parameters, which are customers' text."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection, cursor)  # type: ignore[arg-type]
    told = DBAPIError.instance(
        statement,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
    if lost:
        connection.invalidate(error)
    return told


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    process: Process
    constant: Any
    """Its value, already converted, where the statement says it."""
    asked: bool

    def value(self, given: Mapping[str, Any]) -> Any:
        if not self.asked:
            return self.constant
        value = given[self.name]
        return value if self.process is None else self.process(value)


@dataclass(frozen=True, slots=True)
class _Made:
    """A statement in the words of one database."""

    text: str
    parameters: Sequence[_Parameter]
    positional: bool
    readers: Sequence[Process] | None
    """How the columns are converted; None when they are good as they come."""

    def bound(self, given: Mapping[str, Any]) -> Any:
        if self.positional:
            return tuple([parameter.value(given) for parameter in self.parameters])
        return {parameter.name: parameter.value(given) for parameter in self.parameters}

    def read(self, rows: Sequence[Row]) -> Sequence[Row]:
        readers = self.readers
        if readers is None:
            return rows
        return [
            tuple([value if read is None else read(value) for read, value in zip(readers, row, strict=True)])
            for row in rows
        ]


def _make(statement: Executable, dialect: Dialect) -> _Made:
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    assert isinstance(compiled, SQLCompiler)
    assert not compiled.post_compile_params, "its text would change with what is given"
    names = compiled.positiontup or [] if compiled.positional else list(compiled.binds)
    types = [column.type.dialect_impl(dialect) for column in statement.exported_columns]  # type: ignore[attr-defined]
    readers: list[Process] = [kind.result_processor(dialect, None) for kind in types]
    return _Made(
        text=str(compiled),
        parameters=[_parameter(compiled, name, dialect) for name in names],
        positional=compiled.positional,
        readers=readers if any(readers) else None,
    )


def _parameter(compiled: SQLCompiler, name: str, dialect: Dialect) -> _Parameter:
    bind = compiled.binds[name]
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.required:
        return _Parameter(name, process, None, asked=True)
    value = bind.effective_value
    return _Parameter(name, process, value if process is None else process(value), asked=False)
