"""The migrations make what the models say, once, and never go back by accident."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from storage import migrate
from storage.revision import HEAD, is_current
from tests.storage.empty import empty_url

__all__ = ["empty_url"]


def test_upgraded_database_equals_the_models(empty_url: str) -> None:
    """Models and migrations agree; Procrastinate's tables are there and left out of the check."""
    migrate.upgrade(empty_url)

    assert migrate.check(empty_url) == []
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


def test_missing_column_is_named_by_the_check(empty_url: str) -> None:
    """The check sees a difference when there is one."""
    migrate.upgrade(empty_url)
    with psycopg.connect(empty_url) as connection:
        connection.execute("ALTER TABLE goals DROP COLUMN reason")

    (difference,) = migrate.check(empty_url)

    assert "reason" in difference


def test_empty_database_is_not_current_until_upgraded(empty_url: str) -> None:
    """A database that was never migrated is told from one that is up to date."""
    assert not is_current(empty_url)
    migrate.upgrade(empty_url)
    assert is_current(empty_url)


def test_replicas_that_start_together_migrate_once(empty_url: str) -> None:
    """Any number of processes may upgrade at the same time."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, [empty_url] * 4))

    assert is_current(empty_url)


def test_newer_database_is_refused_and_left_alone(empty_url: str) -> None:
    """An older version never runs on a newer schema, nor touches it."""
    migrate.upgrade(empty_url)
    with psycopg.connect(empty_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(migrate.NewerDatabaseError, match="9999"):
        migrate.upgrade(empty_url)
    assert not is_current(empty_url)


def test_migrations_have_one_head_and_are_found_from_the_ini_file() -> None:
    """Two branches of migrations would leave it open which of them a database gets."""
    scripts = ScriptDirectory.from_config(Config(Path(__file__).parents[2] / "alembic.ini"))

    assert scripts.get_heads() == [HEAD]
