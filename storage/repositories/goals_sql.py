"""The statements about goals that run for each of them (`storage.repositories.direct`)."""

from functools import cache

from storage.repositories.direct import assigned, returned, selected
from storage.tables.goals import Goal, Plan, PlanRun

FIND = selected(Goal, "WHERE team_id = %(team)s AND id = %(goal)s")
LOCK = f"{FIND} FOR UPDATE"
BY_SOURCE = selected(Goal, "WHERE team_id = %(team)s AND source_key = %(source)s")

ADD = """
INSERT INTO goals (
    team_id, requester_id, channel_id, thread_ts, source_key, kind, text, status,
    plan_version, rounds, replans, started_version, budget_told,
    is_resting, clarifications
) VALUES (
    %(team_id)s, %(requester_id)s, %(channel_id)s, %(thread_ts)s, %(source_key)s, %(kind)s,
    %(text)s, %(status)s, 0, 0, 0, 0, false, false, '[]'
) ON CONFLICT (team_id, source_key) DO NOTHING RETURNING id
"""

MOVE = returned(
    Goal,
    """
    UPDATE goals SET status = %(status)s, reason = %(reason)s, updated_at = now(),
        settled_at = CASE WHEN %(settled)s THEN now() ELSE settled_at END
    WHERE team_id = %(team)s AND id = %(id)s AND status = %(before)s
    """,
)

PLAN = selected(Plan, "WHERE team_id = %(team)s AND goal_id = %(goal)s AND version = %(version)s")

ADD_PLAN = returned(
    Goal,
    """
    WITH added AS (
        INSERT INTO plans (team_id, goal_id, version, body, author)
        VALUES (%(team)s, %(goal)s, %(version)s, %(body)s::jsonb, %(author)s)
    )
    UPDATE goals SET plan_version = %(version)s, updated_at = now()
    WHERE team_id = %(team)s AND id = %(goal)s
    """,
)

ADD_RUN = """
INSERT INTO plan_runs (team_id, goal_id, version, person_id, shown)
VALUES (%(team)s, %(goal)s, %(version)s, %(person)s, %(shown)s::jsonb)
ON CONFLICT (goal_id, version) DO NOTHING RETURNING id
"""

RUN = selected(
    PlanRun,
    "WHERE team_id = %(team)s AND goal_id = %(goal)s AND version <= %(version)s "
    "ORDER BY version DESC LIMIT 1",
)


@cache
def change(names: frozenset[str]) -> str:
    """Return the UPDATE that sets these columns of one goal."""
    return returned(
        Goal,
        f"UPDATE goals SET updated_at = now(), {assigned(Goal, names)} "  # noqa: S608 -- our own names
        "WHERE team_id = %(team)s AND id = %(goal)s",
    )
