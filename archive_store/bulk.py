"""Inserting many rows of one table with little work for each.

For mail that comes in by the thousand SQLAlchemy's own way of running an INSERT costs
more than the database does. Here the statement is compiled once for each kind of
database, and rows go to the driver as it wants them. Types and defaults are still
those of the table; what a row leaves out gets its column's default.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

Row = Mapping[str, Any]
_Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement, its parameters' defaults as the driver wants them, and where each column's
    value goes and how it is converted.
    """

    statement: str
    positional: bool
    defaults: tuple[Any, ...]
    columns: dict[str, tuple[int, _Convert | None]]

    def parameters(self, row: Row) -> Any:
        values = list(self.defaults)
        for name, value in row.items():
            at, convert = self.columns[name]
            values[at] = value if convert is None else convert(value)
        if self.positional:
            return tuple(values)
        return dict(zip(self.columns, values, strict=True))


class BulkInsert:
    """The INSERT of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._prepared: dict[str, _Prepared] = {}

    def execute(self, tx: Session, rows: Sequence[Row]) -> None:
        """Insert the rows, if there are any."""
        if not rows:
            return
        connection = tx.connection()
        name = connection.dialect.name
        if name not in self._prepared:
            self._prepared[name] = _prepare(self._table, connection.dialect)
        prepared = self._prepared[name]
        connection.exec_driver_sql(prepared.statement, [prepared.parameters(row) for row in rows])


def _prepare(table: Table, dialect: Dialect) -> _Prepared:
    columns = {
        column.name: (_default(column), column.type.dialect_impl(dialect).bind_processor(dialect))
        for column in table.columns
        if column is not table.autoincrement_column
    }
    # inline: nobody asks for the numbers that the database gives.
    compiled = insert(table).inline().compile(dialect=dialect, column_keys=list(columns))
    order = compiled.positiontup if compiled.positional else None
    placed = [(name, *columns[name]) for name in order or columns]
    return _Prepared(
        str(compiled),
        compiled.positional,
        tuple(default if to is None else to(default) for _, default, to in placed),
        {name: (at, to) for at, (name, _, to) in enumerate(placed)},
    )


def _default(column: Column[Any]) -> Any:
    default = column.default
    return default.arg if isinstance(default, ScalarElementColumnDefault) else None
