"""A fixture for what begins with a database that was never migrated."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest

from tests.storage.pg import with_database


@pytest.fixture
def empty_url(postgres_server: str) -> Iterator[str]:
    """Return the URL of an empty database."""
    name = f"empty_{secrets.token_hex(4)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    try:
        yield with_database(postgres_server, name)
    finally:
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
