"""The short way to the driver, for statements that run many times for each goal.

SQLAlchemy takes longer to look up, send and unpack a statement than psycopg takes to run it. A
statement here is psycopg's own text; what it returns can be objects of the tables all the same.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum as PlainEnum
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, cast

import psycopg
from psycopg.pq import TransactionStatus
from pydantic_core import to_json
from sqlalchemy import Dialect, Enum
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.attributes import instance_state, manager_of_class

_DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # -- it has no types

Row = tuple[Any, ...]
Values = Mapping[str, Any]
Wish = tuple[str, Values]
"""A statement with its values."""

Kind = TypeVar("Kind", bound=DeclarativeBase)
Done = TypeVar("Done")


class Direct:
    """Runs statements on a connection that it shares with a session, in one transaction of both.

    An object is the session's own: what the session finds elsewhere for that row is the same one,
    brought up to date by whichever read came last.
    """

    def __init__(self, connection: AsyncConnection, session: AsyncSession) -> None:
        self._session = session
        self._link = connection
        self._connection: psycopg.AsyncConnection[Row] | None = None
        self._cursor: psycopg.AsyncCursor[Row] | None = None

    async def rows(self, statement: str, values: Values) -> list[Row]:
        """Return the rows of a statement that returns rows.

        Args:
            statement: our own text, with `%(name)s` for values.
            values: of types that psycopg knows: JSON and enumerations as text (`plain`).

        Raises:
            psycopg.Error: the statement failed, or the database is away.
        """
        connection = self._connection or await self._connect()
        # One cursor for all: making one takes a tenth of what a statement does.
        cursor = self._cursor = self._cursor or connection.cursor()
        await self._watched(connection, cursor.execute(statement.encode(), values))
        return await cursor.fetchall()

    async def rows_of(self, wishes: Sequence[Wish]) -> list[list[Row]]:
        """Return the rows of several statements that are sent at once, in one round trip.

        They run one after the other, and each sees what is committed when it begins: what follows
        a lock sees what those who held it have left.
        """
        connection = self._connection or await self._connect()
        return await self._watched(connection, _sent(connection, wishes))

    async def row(self, statement: str, values: Values) -> Row | None:
        """Return the first row, or None."""
        return next(iter(await self.rows(statement, values)), None)

    async def value(self, statement: str, values: Values) -> Any:
        """Return the first value of the first row, or None."""
        row = await self.row(statement, values)
        return None if row is None else row[0]

    async def objects(self, kind: type[Kind], statement: str, values: Values) -> list[Kind]:
        """Return the objects of a statement that returns `columns` of a table, in their order."""
        return self.made(kind, await self.rows(statement, values))

    async def object(self, kind: type[Kind], statement: str, values: Values) -> Kind | None:
        """Return the first object, or None."""
        return next(iter(await self.objects(kind, statement, values)), None)

    def made(self, kind: type[Kind], rows: Iterable[Row]) -> list[Kind]:
        """Return the objects of rows that hold a table's `columns`."""
        shape = _shape(kind)
        return [self._object(kind, shape, shape.typed(row)) for row in rows]

    def _object(self, kind: type[Kind], shape: "_Shape", values: dict[str, Any]) -> Kind:
        session = self._session.sync_session
        key = shape.identity(tuple(values[name] for name in shape.key))
        found = cast("Kind | None", session.identity_map.get(key))
        if found is None:
            found = _attached(kind, key, values, session)
        else:
            _set(found, values)
        return found

    async def _connect(self) -> psycopg.AsyncConnection[Row]:
        raw = await self._link.get_raw_connection()
        self._connection = cast("psycopg.AsyncConnection[Row]", raw.driver_connection)
        return self._connection

    async def commit(self) -> None:
        """Commit what was done here and in the session."""
        if self._session.in_transaction():
            await self._session.commit()
        if (connection := self._unfinished()) is not None:
            await self._watched(connection, connection.commit())

    async def roll_back(self) -> None:
        """Undo what was not committed, and leave the connection fit for whoever comes next."""
        if self._session.in_transaction():
            await self._session.close()
        if (connection := self._unfinished()) is not None:
            await self._watched(connection, connection.rollback())

    def _unfinished(self) -> psycopg.AsyncConnection[Row] | None:
        """Return the connection if it is in a transaction."""
        connection = self._connection
        if connection is None or connection.pgconn.transaction_status == TransactionStatus.IDLE:
            return None
        return connection

    async def _watched(
        self, connection: psycopg.AsyncConnection[Row], work: Awaitable[Done]
    ) -> Done:
        try:
            return await work
        except psycopg.Error:
            if connection.closed:
                await self._tell_lost()
            raise
        except asyncio.CancelledError:
            # What was sent may still run: nobody else gets this connection.
            await self._give_up()
            raise

    async def _tell_lost(self) -> None:
        """Let SQLAlchemy find the connection lost: it then drops all that are as old."""
        self._connection = self._cursor = None
        with contextlib.suppress(DBAPIError):
            await self._link.exec_driver_sql("SELECT 1")

    async def _give_up(self) -> None:
        connection, self._connection, self._cursor = self._connection, None, None
        try:
            await self._link.invalidate()
        finally:
            # The pool drops it without a word to psycopg where a second cancellation came.
            if connection is not None and not connection.closed:
                await connection.close()


async def _sent(
    connection: psycopg.AsyncConnection[Row], wishes: Sequence[Wish]
) -> list[list[Row]]:
    cursors = []
    async with connection.pipeline():
        for statement, values in wishes:
            cursor = connection.cursor()
            await cursor.execute(statement.encode(), values)
            cursors.append(cursor)
    return [await cursor.fetchall() for cursor in cursors]


def renew(found: DeclarativeBase, row: Row) -> None:
    """Set every column of an object, attached or not, to what a row of `columns` holds."""
    _set(found, _shape(type(found)).typed(row))


def _set(found: DeclarativeBase, values: Mapping[str, Any]) -> None:
    # No event listens, and nothing of ours changes an object otherwise: `set_committed_value`
    # for each column leaves the same.
    instance_state(found).dict.update(values)


def _attached(
    kind: type[Kind], key: tuple[Any, ...], values: dict[str, Any], session: Session
) -> Kind:
    """Return a new object that the session holds as if it had loaded it.

    These are the steps of `sqlalchemy.orm.loading` for a plain row, 2.0 and 2.1 alike; `add` of a
    detached object does the same at ten times the cost.
    """
    made = manager_of_class(kind).new_instance()
    state = instance_state(made)
    state.dict.update(values)
    state.key = key
    state.session_id = session.hash_key
    session.identity_map.add(state)
    return made


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is known of a table: its columns in order, its key, and which are enumerations."""

    names: Sequence[str]
    key: Sequence[str]
    identity: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    kinds: Sequence[tuple[str, type[PlainEnum]]]
    json: frozenset[str]

    def typed(self, row: Row) -> dict[str, Any]:
        values = dict(zip(self.names, row, strict=True))
        for name, kind in self.kinds:
            if values[name] is not None:
                values[name] = kind(values[name])
        return values


@cache
def _shape(kind: type[DeclarativeBase]) -> _Shape:
    every = list(kind.__table__.columns)
    return _Shape(
        names=[column.name for column in every],
        key=[column.name for column in kind.__table__.primary_key],
        identity=kind.__mapper__.identity_key_from_primary_key,
        kinds=[
            (column.name, column.type.enum_class)
            for column in every
            if isinstance(column.type, Enum) and column.type.enum_class is not None
        ],
        json=frozenset(column.name for column in every if isinstance(column.type, JSONB)),
    )


@cache
def columns(kind: type[DeclarativeBase], source: str = "") -> str:
    """Return what a statement returns for an object of this table: all its columns, in order.

    They come from the table, or from what the statement calls `source`.
    """
    return ", ".join(f"{source or kind.__tablename__}.{name}" for name in _shape(kind).names)


@cache
def given(kind: type[DeclarativeBase], names: tuple[str, ...], *more: str) -> str:
    """Return a FROM item `given`: the rows of the parameters of `given_rows`.

    Without their count PostgreSQL takes them for a hundred, and reads a whole table of some ten
    thousand rows rather than look one up.

    Args:
        kind: the table.
        names: columns of the table, of their types there.
        more: further columns with their types, such as `before text`.
    """
    types = kind.__table__.columns
    listed = [f'"{name}" {types[name].type.compile(_DIALECT)}' for name in names]
    shape = ", ".join([*listed, *more])
    return (
        f"(SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS given ({shape}) "  # noqa: S608 -- our own names
        "LIMIT %(count)s::int) AS given"
    )


def selected(kind: type[DeclarativeBase], rest: str) -> str:
    """Return a SELECT of a table's objects; `rest` is what follows FROM and the table's name."""
    return f"SELECT {columns(kind)} FROM {kind.__tablename__} {rest}"  # noqa: S608 -- our own text


def returned(kind: type[DeclarativeBase], change: str) -> str:
    """Return an INSERT or UPDATE that returns the objects that it leaves."""
    return f"{change} RETURNING {columns(kind)}"


def as_json(value: Any) -> str | None:
    """Return a value for a parameter that is cast to `jsonb`; None is SQL's null."""
    return None if value is None else to_json(value).decode()


def given_rows(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parameters of `given` for these rows."""
    whole = list(rows)
    return {"rows": to_json(whole).decode(), "count": len(whole)}


def plain(kind: type[DeclarativeBase], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values of a table's columns as a statement of `assigned` takes them."""
    is_json = _shape(kind).json
    return {
        name: as_json(value)
        if name in is_json
        else value.value
        if isinstance(value, StrEnum)
        else value
        for name, value in values.items()
    }


@cache
def assigned(kind: type[DeclarativeBase], names: frozenset[str]) -> str:
    """Return the assignments of an UPDATE that sets these columns to parameters of their names."""
    is_json = _shape(kind).json
    return ", ".join(
        f"{name} = %({name})s{'::jsonb' if name in is_json else ''}" for name in sorted(names)
    )
