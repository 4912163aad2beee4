"""Retention: which rows end when. What an audit row may refer to stays for ever.

That is: goals, plans, tasks, calls, attempts, permits (a used one is also what makes a second
execution impossible), approvals, decisions, and the log itself. Authorization requests and links
are forgotten when they end, by their own repositories.
"""

from dataclasses import dataclass
from enum import StrEnum


class Keep(StrEnum):
    """What a retention setting is about."""

    JOBS = "jobs"
    EVENTS = "events"
    ARCHIVE = "archive"
    CARDS = "cards"
    DEAD = "dead"
    """Rows of workers that died; not a setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which rows of a table end.

    Attributes:
        what: how the command line names them.
        keep: the setting that says how long they stay.
        table: where they are.
        key: the columns of its primary key.
        is_over: SQL about the row `r`; `:keep` is the interval. Bounded by an indexed column
            where the table grows.
        is_archived: put away in `archived_events` first, where a second setting ends them.
    """

    what: str
    keep: Keep
    table: str
    key: tuple[str, ...] = ("id",)
    is_over: str
    is_archived: bool = False


_QUIET = "NOT EXISTS (SELECT FROM procrastinate_events e WHERE e.job_id = r.id AND e.at > {since})"
_GOAL_OF_CARD = """
    CASE
        WHEN r.noun IN ('goal', 'summary') THEN r.subject::bigint
        WHEN r.noun IN ('connect', 'awaited') THEN split_part(r.subject, ':', 1)::bigint
        WHEN r.noun = 'approval'
            THEN (SELECT a.goal_id FROM approvals a WHERE a.id = r.subject::bigint)
        WHEN r.noun = 'remark'
            THEN (SELECT m.goal_id FROM remarks m WHERE m.id = r.subject::bigint)
        WHEN r.noun = 'handoff'
            THEN (SELECT h.goal_id FROM handoffs h WHERE h.id = r.subject::bigint)
        WHEN r.noun = 'note' AND starts_with(r.subject, 'time:')
            THEN split_part(r.subject, ':', 2)::bigint
        WHEN r.noun IN ('answer', 'unknown', 'question')
            THEN (SELECT t.goal_id FROM tasks t WHERE t.id = r.subject::bigint)
    END
"""

RULES = (
    Rule(
        what="finished jobs",
        keep=Keep.JOBS,
        table="procrastinate_jobs",
        is_over="r.status IN ('succeeded', 'failed', 'cancelled', 'aborted') AND "
        + _QUIET.format(since="now() - :keep"),
    ),
    Rule(
        # The tables hold the truth, so the sweepers have re-derived what these were about.
        what="jobs of dead workers",
        keep=Keep.DEAD,
        table="procrastinate_jobs",
        is_over="r.status = 'doing' AND NOT EXISTS (SELECT FROM procrastinate_workers w "
        "WHERE w.id = r.worker_id AND w.last_heartbeat > now() - :keep) AND "
        + _QUIET.format(since="now() - :keep"),
    ),
    Rule(
        what="dead workers",
        keep=Keep.DEAD,
        table="procrastinate_workers",
        is_over="r.last_heartbeat < now() - :keep",
    ),
    Rule(
        what="handled events",
        keep=Keep.EVENTS,
        table="inbox",
        is_over="r.received_at < now() - :keep AND r.status <> 'received'",
        is_archived=True,
    ),
    Rule(
        what="taken webhooks",
        keep=Keep.EVENTS,
        table="hook_deliveries",
        key=("hook_id", "delivery"),
        is_over="r.received_at < now() - :keep",
    ),
    Rule(
        what="archived events",
        keep=Keep.ARCHIVE,
        table="archived_events",
        key=("source", "id"),
        is_over="r.archived_at < now() - :keep",
    ),
    Rule(
        what="notes of cards",
        keep=Keep.CARDS,
        table="outbox",
        is_over="r.created_at < now() - :keep AND r.wanted <= r.sent AND ("
        # A note about a goal's time also says that its person was told: as long as it is open.
        "r.noun IN ('digest', 'welcome') "
        "OR (r.noun = 'note' AND NOT starts_with(r.subject, 'time:')) OR "
        f"EXISTS (SELECT FROM goals g WHERE g.team_id = r.team_id AND g.id = {_GOAL_OF_CARD} "
        "AND g.settled_at < now() - :keep))",
    ),
    Rule(
        # After their cards, whose goal is found by them.
        what="messages about goals",
        keep=Keep.CARDS,
        table="remarks",
        is_over="r.created_at < now() - :keep AND EXISTS (SELECT FROM goals g "
        "WHERE g.team_id = r.team_id AND g.id = r.goal_id AND g.settled_at < now() - :keep) "
        "AND NOT EXISTS (SELECT FROM outbox o WHERE o.team_id = r.team_id "
        "AND o.noun = 'remark' AND o.subject = r.id::text)",
    ),
    Rule(
        what="pauses of channels",
        keep=Keep.DEAD,
        table="parked_channels",
        key=("team_id", "channel_id"),
        is_over="r.until < now() - :keep",
    ),
)
"""Whoever adds a table of events adds its rule here."""
