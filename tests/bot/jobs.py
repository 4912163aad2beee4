"""The jobs that a test finds in the queue, as (name, arguments), oldest first."""

from typing import Any

import psycopg


def deferred_jobs(database_url: str) -> list[tuple[str, dict[str, Any]]]:
    """Return every job that waits."""
    query = "SELECT task_name, args FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id"
    with psycopg.connect(database_url) as connection:
        return [(row[0], row[1]) for row in connection.execute(query).fetchall()]
