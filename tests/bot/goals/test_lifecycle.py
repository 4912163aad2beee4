"""The life of goals and tasks: only the moves of the table, once each, each with its audit row."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from approvals.decisions import DecisionService
from approvals.errors import IllegalTransitionError
from approvals.transitions import ALLOWED_TRANSITIONS, check
from bot.engine.cancelling import cancel_goal
from bot.goals.lifecycle import (
    ENDED_TASKS,
    GOAL_TRANSITIONS,
    SETTLED,
    TASK_TRANSITIONS,
    IllegalMoveError,
    move_goal,
    move_task,
)
from storage.database import Database
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.records import AuditRow

TEAM = "T1"


async def add(database: Database, status: GoalStatus, *tasks: TaskStatus, source: str = "x") -> int:
    async with database.transaction() as tx:
        goal_id = await tx.goals.add(
            team_id=TEAM,
            requester_id="U1",
            channel_id="D1",
            thread_ts="1.0",
            source_key=source,
            text="x",
            status=status,
        )
        assert goal_id is not None
        rows = [
            {
                "team_id": TEAM,
                "goal_id": goal_id,
                "key": f"t{at}",
                "position": at,
                "plan_version": 1,
                "action": "builtin.answer",
                "spec": {},
                "depends_on": [],
                "status": task,
                "tries": 0,
            }
            for at, task in enumerate(tasks)
        ]
        await tx.tasks.add_many(rows)
    return goal_id


@pytest.mark.parametrize("before", GoalStatus)
async def test_goal_moves_only_as_its_table_says(database: Database, before: GoalStatus) -> None:
    """A move outside the table is a defect and changes nothing."""
    for after in GoalStatus:
        goal_id = await add(database, before, source=after.value)
        allowed = after in GOAL_TRANSITIONS[before]
        async with database.transaction() as tx:
            goal = await tx.goals.lock(TEAM, goal_id)
            if allowed:
                assert await move_goal(tx, goal, to=after)
                assert (goal.settled_at is not None) is (after in SETTLED)
            else:
                with pytest.raises(IllegalMoveError):
                    await move_goal(tx, goal, to=after)
        async with database.transaction() as tx:
            found = await tx.goals.get(TEAM, goal_id)
        assert found.status is (after if allowed else before)


async def test_two_moves_at_once_have_one_winner(database: Database) -> None:
    """A move is a compare-and-set: the second finds that somebody was first, and audits nothing."""
    goal_id = await add(database, GoalStatus.RUNNING, TaskStatus.NEEDS_APPROVAL)

    async def move(to: TaskStatus) -> bool:
        async with database.transaction() as tx:
            (task,) = await tx.tasks.list_(TEAM, goal_id)
            await asyncio.sleep(0.02)
            return await move_task(tx, task, to=to)

    outcomes = await asyncio.gather(
        *[move(to) for to in (TaskStatus.READY, TaskStatus.DECLINED, TaskStatus.CANCELLED) * 3]
    )
    assert outcomes.count(True) == 1
    assert len(await audit_tags(database)) == 1


@pytest.mark.parametrize("status", TaskStatus)
async def test_cancelling_ends_every_open_task_but_what_runs_or_is_unknown(
    database: Database, status: TaskStatus
) -> None:
    """What runs finishes; what is unknown is still a human's to see."""
    goal_id = await add(database, GoalStatus.RUNNING, status)
    async with database.transaction() as tx:
        goal = await tx.goals.lock(TEAM, goal_id)
        await cancel_goal(
            tx, goal, decisions=DecisionService(policy_version="1"), actor="U1", reason="x"
        )
    async with database.transaction() as tx:
        (task,) = await tx.tasks.list_(TEAM, goal_id)
        goal = await tx.goals.get(TEAM, goal_id)
    stays = status in ENDED_TASKS or status in (TaskStatus.RUNNING, TaskStatus.UNKNOWN)
    assert task.status is (status if stays else TaskStatus.CANCELLED)
    assert goal.status is GoalStatus.CANCELLED


@given(walk=st.lists(st.sampled_from(GoalStatus), max_size=30))
def test_no_walk_leaves_an_end(walk: list[GoalStatus]) -> None:
    """Whatever is tried: an ended goal stays ended, and no goal gets back to its start."""
    at, ended = GoalStatus.RECEIVED, None
    for to in walk:
        at = to if to in GOAL_TRANSITIONS[at] else at
        ended = ended or (at if at in SETTLED else None)
        assert ended in (None, at)
        assert GoalStatus.RECEIVED not in GOAL_TRANSITIONS[at]


@given(walk=st.lists(st.sampled_from(TaskStatus), max_size=40))
def test_no_walk_runs_a_task_that_ended(walk: list[TaskStatus]) -> None:
    """Running is entered from ready alone, so every way into it passes the gate again."""
    at, ended = TaskStatus.PENDING, False
    for to in walk:
        if to not in TASK_TRANSITIONS[at]:
            continue
        if to is TaskStatus.RUNNING:
            assert at is TaskStatus.READY
            assert not ended
        ended = ended or to in ENDED_TASKS
        assert to is TaskStatus.UNDONE or at not in ENDED_TASKS
        at = to


@given(walk=st.lists(st.sampled_from(ApprovalStatus), max_size=20))
def test_no_walk_uses_an_approval_twice_or_unapproved(walk: list[ApprovalStatus]) -> None:
    """An approval is used at most once, and only after it was approved and not taken back."""
    at, path = ApprovalStatus.PENDING, [ApprovalStatus.PENDING]
    for to in walk:
        if to in ALLOWED_TRANSITIONS[at]:
            check(before=at, after=to)
            at = to
            path.append(at)
        else:
            with pytest.raises(IllegalTransitionError):
                check(before=at, after=to)
    assert path.count(ApprovalStatus.USED) <= 1
    if ApprovalStatus.USED in path:
        assert path == [ApprovalStatus.PENDING, ApprovalStatus.APPROVED, ApprovalStatus.USED]


def test_tables_name_every_status() -> None:
    """A status without a line would raise KeyError instead of being refused."""
    assert set(GOAL_TRANSITIONS) == set(GoalStatus)
    assert set(TASK_TRANSITIONS) == set(TaskStatus)
    assert set(ALLOWED_TRANSITIONS) == set(ApprovalStatus)


async def audit_tags(database: Database) -> list[str]:
    async with database.transaction() as tx:
        return [row.tag for row in await tx.session.scalars(select(AuditRow))]
