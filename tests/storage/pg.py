"""PostgreSQL for tests: a server per test process, and for each test a copy of one template.

The fixtures are for `pytest_plugins`; whoever uses `database_url` also defines the session
fixture `migrate_database`, a callable that brings the empty database of a URL up to date. The
functions serve whatever is not a pytest test, such as a benchmark.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from storage.embedded import EmbeddedPostgres

TEMPLATE = "template_countersign"

# Several servers with several databases each, at 50 MB a server and 8 MB a database.
_ROOM_BYTES = 2 * 1024**3


@contextmanager
def folder_for_server() -> Iterator[Path]:
    """Give a short, temporary data folder that a server may enter which runs as another user."""
    parent = Path(tempfile.mkdtemp(prefix="cs-", dir=_quick_folder()))
    try:
        parent.chmod(0o711)
        yield parent / "d"
    finally:
        shutil.rmtree(parent)


@contextmanager
def run_server() -> Iterator[str]:
    """Run a fast server without durability and give its URL."""
    with folder_for_server() as folder:
        server = EmbeddedPostgres(data_dir=folder, durable=False)
        try:
            yield server.start()
        finally:
            server.stop()


def with_database(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def create_template(server_url: str, *, migrate: Callable[[str], None]) -> str:
    """Create and migrate the database that others are copied from; return its name."""
    _execute(server_url, f"CREATE DATABASE {TEMPLATE}")
    migrate(with_database(server_url, TEMPLATE))
    # A template with sessions cannot be copied: whoever forgets to close one learns it here.
    _execute(server_url, f"ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false")
    return TEMPLATE


@contextmanager
def clone_database(server_url: str, *, template: str) -> Iterator[str]:
    """Give the URL of a fresh copy of `template`; drop it afterwards, with its sessions."""
    name = f"test_{secrets.token_hex(6)}"
    # Copying files takes a third of the time that writing them through the log takes.
    _execute(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield with_database(server_url, name)
    finally:
        _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with run_server() as url:
        yield url


@pytest.fixture(scope="session")
def template_database(postgres_server: str, migrate_database: Callable[[str], None]) -> str:
    return create_template(postgres_server, migrate=migrate_database)


@pytest.fixture
def database_url(postgres_server: str, template_database: str) -> Iterator[str]:
    with clone_database(postgres_server, template=template_database) as url:
        yield url


def _quick_folder() -> Path | None:
    """Return a file system in memory, where copies cost a tenth, if programs may run from it."""
    memory = Path("/dev/shm")  # noqa: S108 -- a fresh, private folder is made inside
    if not os.access(memory, os.W_OK) or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return None
    return memory if shutil.disk_usage(memory).free > _ROOM_BYTES else None


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
