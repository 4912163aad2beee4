"""Filling a database with copies of what is in it: as many goals as a company has after years."""

from collections.abc import Mapping
from typing import Any

import psycopg

APART = 10_000_000
"""So far apart are the ids of one copy and the next."""


def fill(url: str, sizes: Mapping[str, int], *, otherwise: int = 0) -> None:
    """Copy the rows of our tables until each has about as many as `sizes` says.

    Ids, references by id and texts of unique keys are each copy's own; everything else is equal, so
    indices see real values. Triggers and foreign keys are left out. Tables that are not named get
    `otherwise` rows.
    """
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename NOT LIKE 'procrastinate%' AND tablename <> 'alembic_version'"
        ).fetchall()
        connection.execute("SET session_replication_role = replica")
        for (table,) in names:
            rows = sizes.get(table, otherwise)
            if rows:
                _copy(connection, table, rows)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _copy(connection: psycopg.Connection[Any], table: str, rows: int) -> None:
    counted = f"SELECT count(*) FROM {table}"  # noqa: S608 -- a name of our own schema
    (there,) = connection.execute(counted.encode()).fetchone() or (0,)
    if not there:
        return
    columns = connection.execute(
        "SELECT a.attname, format_type(a.atttypid, NULL), EXISTS (SELECT FROM pg_index i "
        "WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)) "
        "FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 "
        "AND NOT a.attisdropped AND a.attgenerated = ''",
        [table],
    ).fetchall()
    values = [_value(name, kind, is_unique=is_unique) for name, kind, is_unique in columns]
    listed = ", ".join(name for name, _, _ in columns)
    copied = (
        f"INSERT INTO {table} ({listed}) OVERRIDING SYSTEM VALUE "  # noqa: S608 -- as above
        f"SELECT {', '.join(values)} FROM {table} r "
        f"CROSS JOIN generate_series(1, {rows // there}) n"
    )
    connection.execute(copied.encode())


def _value(name: str, kind: str, *, is_unique: bool) -> str:
    if kind == "bigint" and (name in ("id", "seq") or name.endswith("_id")):
        return f"r.{name} + n::bigint * {APART}"
    if name in ("requester_id", "person_id"):
        return f"r.{name} || (n % 1000)"
    if kind == "text" and is_unique and name not in ("team_id", "channel_id", "noun"):
        return f"r.{name} || ':' || n"
    return f"r.{name}"
