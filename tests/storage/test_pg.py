import psycopg
import pytest

from tests.storage.pg import clone_database, create_template, run_server, with_database


def _migrate(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE word (text text)")


def test_changes_in_one_copy_are_absent_from_the_next() -> None:
    """Every test meets the migrated, empty database, whatever an earlier one left open."""
    with run_server() as server:
        template = create_template(server, migrate=_migrate)
        with clone_database(server, template=template) as url:
            left_open = psycopg.connect(url, autocommit=True)
            left_open.execute("INSERT INTO word VALUES ('left')")
        with clone_database(server, template=template) as url, psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM word").fetchone() == (0,)
        left_open.close()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(with_database(server, template))
