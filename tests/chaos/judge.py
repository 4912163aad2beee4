"""The judge: compares what the provider did with what our tables say."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from connectors.errors import OutcomeUnknownError
from storage.database import Database
from storage.sealer import seal, verify

_TASKS = """
SELECT t.goal_id, t.status, t.spec->'arguments'->>'name', t.result->>'id',
       a.idempotency, a.error->>'code', t.failure->>'message'
FROM tasks t LEFT JOIN LATERAL
  (SELECT * FROM attempts WHERE task_id = t.id ORDER BY number DESC LIMIT 1) a ON true
WHERE t.action LIKE 'counting.add%'
"""
_OPEN = "SELECT id, status FROM goals WHERE settled_at IS NULL"


@dataclass(slots=True)
class Verdict:
    """What was found; `problems` is empty when all is well."""

    effects: int = 0
    doubled: int = 0
    lost: int = 0
    unknown: int = 0
    stopped: int = 0
    """Writes that did not run because they need the result of one that a person vouched for."""
    problems: list[str] = field(default_factory=list)

    def blame(self, problem: str) -> None:
        self.problems.append(problem)


def judge(
    url: str,
    state: Mapping[str, Any],
    *,
    goals: int,
    writes: int,
    vouched: frozenset[int] = frozenset(),
) -> Verdict:
    """Judge a run at rest.

    Args:
        url: the database.
        state: the provider's.
        goals: how many were asked for.
        writes: how many each has.
        vouched: goals of which a person said that a write happened: nobody knows its result, so
            what needs it does not run.
    """
    verdict = Verdict(effects=len(state["effects"]))
    made: dict[str, list[str]] = defaultdict(list)
    for name, item_id in state["effects"]:
        made[name].append(item_id)
    verdict.doubled = sum(len(ids) - 1 for ids in made.values())
    for name in (name for name, ids in made.items() if len(ids) > 1):
        verdict.blame(f"{name} took effect {len(made[name])} times")
    if state["cards_doubled"]:
        verdict.blame(f"{state['cards_doubled']} cards were posted twice")
    with psycopg.connect(url) as connection:
        tasks = connection.execute(_TASKS).fetchall()
        still_open = connection.execute(_OPEN).fetchall()
        running = connection.execute("SELECT id FROM attempts WHERE status = 'running'").fetchall()
    if len(tasks) != goals * writes:
        verdict.blame(f"{goals * writes} writes were asked for, the tables hold {len(tasks)}")
    for name in made.keys() - {task[2] for task in tasks}:
        verdict.blame(f"{name} took effect, and nobody asked for it")
    waits = _judge_tasks(tasks, made, verdict, vouched)
    _judge_goals(still_open, waits, verdict)
    if running:
        verdict.blame(f"attempts {running} were left running")
    return verdict


def _judge_tasks(
    tasks: Sequence[tuple[Any, ...]],
    made: Mapping[str, list[str]],
    verdict: Verdict,
    vouched: frozenset[int],
) -> frozenset[int]:
    """Compare every write with its effects; return the goals that wait for somebody to look."""
    waits = set()
    for goal_id, status, name, result, kind, code, why in tasks:
        ids = made.get(name, [])
        if status == "unknown":
            verdict.unknown += 1
            waits.add(goal_id)
            if not (kind == "unsafe" or (kind, code) == _INCONCLUSIVE):
                verdict.blame(f"{name} is unknown although it is {kind} ({code})")
        elif status == "succeeded":
            _judge_done(name, ids, result, verdict)
        elif ids:
            verdict.blame(f"{name} took effect, and is said to be {status}")
        elif status in ("failed", "skipped") and goal_id in vouched:
            verdict.stopped += 1
        elif status != "pending":  # One that is pending is judged with its goal.
            verdict.lost += 1
            verdict.blame(f"{name} is {status}, though nothing forbade it: {why}")
    return frozenset(waits)


def _judge_done(name: str, ids: Sequence[str], result: str | None, verdict: Verdict) -> None:
    if not ids:
        verdict.lost += 1
        verdict.blame(f"{name} is said to be done, and is not")
    elif result not in (None, ids[0]):
        verdict.blame(f"{name} made {ids[0]}, its result says {result}")


_INCONCLUSIVE = ("verifiable", OutcomeUnknownError.code)


def _judge_goals(
    still_open: Sequence[tuple[Any, ...]], waits: frozenset[int], verdict: Verdict
) -> None:
    stuck: Counter[str] = Counter()
    for goal_id, status in still_open:
        if goal_id not in waits or status != "waiting":
            stuck[status] += 1
    if stuck:
        verdict.blame(f"goals are neither over nor waiting for a look: {dict(stuck)}")


async def judge_audit(database: Database, verdict: Verdict) -> int:
    """Seal what is left and check the whole chain; return how many rows it has."""
    while await seal(database):
        pass
    async with database.transaction() as tx:
        report = await verify(tx.session)
    if not report.is_intact or report.unsealed_tail:
        verdict.blame(f"the audit chain is broken: {report}")
    return report.rows
