"""The statements about tasks that run for each of them (`storage.repositories.direct`)."""

from functools import cache

from storage.repositories.direct import assigned, columns, given, returned, selected
from storage.tables.calls import Attempt
from storage.tables.goals import Task

LIST = selected(Task, "WHERE team_id = %(team)s AND goal_id = %(goal)s ORDER BY position, id")
FIND = selected(Task, "WHERE team_id = %(team)s AND id = %(task)s")
_FREE = (
    "team_id = %(team)s AND goal_id = %(goal)s AND key = ANY(%(keys)s) AND status = 'ready' "
    "AND (lease_until IS NULL OR lease_until < now()) "
    "AND (not_before IS NULL OR not_before <= now()) "
    "AND (key = ANY(%(reads)s) OR NOT EXISTS "
    "(SELECT FROM halts WHERE halts.team_id IN (%(team)s, %(every_team)s)))"
)
CLAIM = returned(
    Task,
    "UPDATE tasks SET lease_owner = %(owner)s, "  # noqa: S608 -- our own text
    f"lease_until = now() + make_interval(secs => %(lease_s)s) WHERE {_FREE} "
    f"AND (%(most)s::int IS NULL OR id IN (SELECT id FROM tasks WHERE {_FREE} "
    "ORDER BY array_position(%(keys)s, key) LIMIT %(most)s))",
)


@cache
def move(names: frozenset[str], *, ends: bool) -> str:
    """Return the compare-and-set of a task's status that also sets these columns."""
    now = ", finished_at = now()" if ends else ""
    return returned(
        Task,
        f"UPDATE tasks SET {assigned(Task, names)}{now} "  # noqa: S608 -- our own names
        "WHERE team_id = %(team)s AND id = %(id)s AND status = %(before)s",
    )


@cache
def move_many(names: tuple[str, ...], *, ends: bool) -> str:
    """Return the same for several tasks, each with its own values."""
    sets = [f"{name} = given.{name}" for name in names] + ["finished_at = now()"] * ends
    return returned(
        Task,
        f"UPDATE tasks SET {', '.join(sets)} "  # noqa: S608 -- our own names
        f"FROM {given(Task, ('id', *names), 'before text')} "
        "WHERE tasks.team_id = %(team)s AND tasks.id = given.id AND tasks.status = given.before",
    )


SUCCEED = f"""
WITH given AS (
    SELECT * FROM {given(Task, ("id", "result"), "attempt_id bigint")}
), ended AS (
    UPDATE attempts SET status = 'succeeded', error = NULL, finished_at = now()
    FROM given
    WHERE attempts.team_id = %(team)s AND attempts.id = given.attempt_id
        AND attempts.status = 'running'
    RETURNING {columns(Attempt)}
)
UPDATE tasks SET status = 'succeeded', result = given.result, failure = NULL, held_since = NULL,
    lease_owner = NULL, lease_until = NULL, finished_at = now()
FROM given JOIN ended ON ended.id = given.attempt_id
WHERE tasks.team_id = %(team)s AND tasks.id = given.id AND tasks.status = 'running'
RETURNING {columns(Task)}, {columns(Attempt, "ended")}
"""  # noqa: S608 -- our own names


@cache
def add(names: tuple[str, ...]) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return (
        f"INSERT INTO tasks ({listed}) SELECT {listed} "  # noqa: S608 -- our own names
        f"FROM {given(Task, names)} RETURNING id"
    )
