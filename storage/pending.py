"""What a transaction writes just before it commits, in one statement: audit rows, redraws, jobs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from storage.repositories.direct import Direct, as_json

POST_CARDS = "post_cards"
"""The job that shows what is due in one channel."""

CALM = 5
"""The priority from which on a redraw may wait a moment for the next one (`bot.notifier.pump`)."""

BEHIND_S = 0.05
"""How long an urgent redraw lets the work go first that its transaction begins.

An approver's click redraws two cards and starts a call; drawn at once, they would take the
processor from the call. Nobody sees a card change 50 ms later.
"""


class Priority(IntEnum):
    """Which waiting job a worker takes next: the highest, and of equals the oldest.

    Source: https://procrastinate.readthedocs.io/en/stable/howto/advanced/priorities.html
    """

    BACKGROUND = -10
    """Nobody waits for it at this moment: sweeps, waits that come due, polls, digests."""
    NORMAL = 0
    INTERACTIVE = 10
    """A person looks on: a message, a click, the plan and the first drive that follow from it."""


_WRITE = """
WITH audited AS (
    INSERT INTO audit (team_id, tag, actor, goal_id, data)
    SELECT a.team_id, a.tag, a.actor, a.goal_id, a.data
    FROM ROWS FROM (
        jsonb_to_recordset(%(audit)s::jsonb)
        AS (team_id text, tag text, actor text, goal_id bigint, data jsonb)
    ) WITH ORDINALITY AS a (team_id, tag, actor, goal_id, data, number)
    ORDER BY a.number
), cards AS (
    SELECT card.id, t.priority
    FROM (
        SELECT * FROM jsonb_to_recordset(%(redraws)s::jsonb)
            AS t (team_id text, noun text, subject text, priority int)
        LIMIT %(redraw_count)s::int
    ) AS t
    JOIN outbox AS card
        ON card.team_id = t.team_id AND card.noun = t.noun AND card.subject = t.subject
    ORDER BY card.id
    FOR NO KEY UPDATE OF card
), touched AS (
    UPDATE outbox SET
        wanted = outbox.wanted + 1,
        priority = CASE
            WHEN outbox.wanted > outbox.sent THEN least(outbox.priority, cards.priority)
            ELSE cards.priority
        END,
        tries = least(outbox.tries, 1),
        not_before = NULL
    FROM cards
    WHERE outbox.id = cards.id
    RETURNING outbox.team_id, outbox.channel_id, cards.priority
), channels AS (
    SELECT team_id, channel_id, min(priority) >= %(calm)s AS calm FROM touched
    GROUP BY team_id, channel_id
), given AS (
    SELECT * FROM jsonb_to_recordset(%(jobs)s::jsonb)
        AS j (number int, task_name text, priority int, queueing_lock text, args jsonb)
), added AS (
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args)
    SELECT wanted.task_name, wanted.task_name, wanted.priority, wanted.queueing_lock, wanted.args
    FROM (
        SELECT * FROM given
        UNION ALL
        SELECT 2147483647, 'post_cards',
            CASE WHEN calm THEN %(normal)s ELSE %(interactive)s END, NULL,
            jsonb_build_object('team_id', team_id, 'channel_id', channel_id)
                || CASE WHEN calm THEN '{"calm": true}'::jsonb ELSE %(behind)s::jsonb END
        FROM channels
        WHERE NOT (calm AND %(told)s) AND NOT EXISTS (
            SELECT 1 FROM given
            WHERE given.task_name = 'post_cards'
                AND given.args = jsonb_build_object('team_id', team_id, 'channel_id', channel_id)
        )
    ) AS wanted
    ORDER BY wanted.number
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
    RETURNING queueing_lock
)
SELECT queueing_lock, NULL, NULL FROM added WHERE queueing_lock IS NOT NULL
UNION ALL
SELECT NULL, team_id, channel_id FROM channels WHERE calm AND %(told)s
"""
"""Cards are locked in the order of their ids, so that two transactions cannot block each other.
How many there are is said, as `storage.repositories.direct.given` tells why.

Jobs are written as `procrastinate_defer_jobs_v1` writes them, with its triggers; only that a job
which waits already is left alone instead of failing the transaction.
Source: procrastinate/sql/schema.sql, version 3.10.

There is a queue for each kind of job: a worker takes only the kinds that it knows, so one of a
newer version waits for a newer worker instead of failing for good in an older one.
"""

_RAISE = """
WITH raised AS (
    UPDATE procrastinate_jobs SET priority = j.priority
    FROM jsonb_to_recordset(%(jobs)s::jsonb) AS j (queueing_lock text, priority int)
    WHERE procrastinate_jobs.queueing_lock = j.queueing_lock
        AND procrastinate_jobs.status = 'todo' AND procrastinate_jobs.priority < j.priority
    RETURNING id
)
SELECT pg_notify(
    'procrastinate_any_queue_v1', json_build_object('type', 'job_inserted', 'job_id', id)::text
) FROM raised
"""
"""A worker that looks for a job while this one is locked passes it over: it is told again."""


@dataclass(slots=True)
class _Job:
    name: str
    priority: Priority
    once: str | None
    arguments: dict[str, Any]


class Pending:
    """Collects what one transaction is to write at its end; nothing of it exists before `write`.

    Redraws of one subject are one, with the most urgent wish; so are equal jobs.
    """

    def __init__(self, direct: Direct, *, tell: Callable[[str, str], None] | None = None) -> None:
        self._direct = direct
        self._tell = tell
        self._audit: list[dict[str, Any]] = []
        self._redraws: dict[tuple[str, str, str], int] = {}
        self._jobs: dict[str, _Job] = {}
        self._calm: list[tuple[str, str]] = []

    def audit(self, **row: Any) -> None:
        """Add an audit row; rows keep their order."""
        self._audit.append(row)

    def redraw(self, team_id: str, noun: str, subject: str, *, priority: int) -> None:
        """Want all cards of a subject to be drawn anew."""
        key = (team_id, noun, subject)
        self._redraws[key] = min(priority, self._redraws.get(key, priority))

    def defer(
        self, job: str, arguments: dict[str, Any], *, once: str | None, priority: Priority
    ) -> None:
        """Add a job; with `once`, unless one like it waits."""
        key = once or f"{job} {json.dumps(arguments, sort_keys=True)}"
        known = self._jobs.get(key)
        if known is None:
            self._jobs[key] = _Job(job, priority, once, arguments)
        else:
            known.priority = max(known.priority, priority)

    async def write(self) -> None:
        """Write everything that was added since the last time."""
        if not (self._audit or self._redraws or self._jobs):
            return
        values = self._values()
        jobs = list(self._jobs.values())
        self._audit, self._redraws, self._jobs = [], {}, {}
        rows = await self._direct.rows(_WRITE, values)
        self._calm += [(row[1], row[2]) for row in rows if row[0] is None]
        added = {row[0] for row in rows}
        waiting = [
            {"queueing_lock": job.once, "priority": job.priority}
            for job in jobs
            if job.once and job.once not in added and job.priority > Priority.BACKGROUND
        ]
        if waiting:
            await self._direct.rows(_RAISE, {"jobs": as_json(waiting)})

    def _values(self) -> dict[str, Any]:
        redraws = [
            {"team_id": team_id, "noun": noun, "subject": subject, "priority": priority}
            for (team_id, noun, subject), priority in self._redraws.items()
        ]
        jobs = [
            {
                "number": number,
                "task_name": job.name,
                "priority": job.priority,
                "queueing_lock": job.once,
                "args": job.arguments,
            }
            for number, job in enumerate(self._jobs.values())
        ]
        return {
            "audit": as_json(self._audit),
            "redraws": as_json(redraws),
            "redraw_count": len(redraws),
            "jobs": as_json(jobs),
            "told": self._tell is not None,
            "calm": CALM,
            "normal": int(Priority.NORMAL),
            "interactive": int(Priority.INTERACTIVE),
            "behind": as_json({"calm": BEHIND_S} if self._begins_work() else {}),
        }

    def _begins_work(self) -> bool:
        return any(job.name != POST_CARDS for job in self._jobs.values())

    def committed(self) -> None:
        """Tell this process which channels have a calm redraw; called once it is committed."""
        if self._tell is not None:
            for team_id, channel_id in self._calm:
                self._tell(team_id, channel_id)
