"""New plan versions: what stays, what goes back, what is dropped, and whose approval survives."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.engine.versions import ExpandedListError, NewVersion, apply_version
from bot.planning.plan import Ref
from bot.planning.valid import ValidPlan, ValidTask
from connectors.labels import Label, Provenance, leaves
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import TaskStatus
from tests.bot.engine.world import ASK_MO, DANA, TEAM, World, add, ref, step

T = TaskStatus


async def revise(world: World, goal_id: int, *tasks: ValidTask) -> int:
    source = Provenance(Label.MESSAGE, "typed")
    new = NewVersion(
        plan=ValidPlan("", tasks),
        author=f"person:{DANA}",
        labels={t.key: {at: source for at, _ in leaves(t.arguments)} for t in tasks},
        reason="Dana changed the plan",
    )
    async with world.database.transaction() as tx:
        goal = await tx.goals.lock(TEAM, goal_id)
        return await apply_version(
            tx,
            goal,
            await tx.tasks.list_(TEAM, goal_id),
            new,
            decisions=world.decisions,
            actor=DANA,
        )


async def asked(world: World, *tasks: ValidTask) -> int:
    """Start a plan of which Mo is asked about every write with guests."""
    world.policy = ASK_MO
    world.wire()
    return await world.start(*tasks)


def invite(key: str, name: str, *, after: Sequence[str] = ()) -> ValidTask:
    return add(key, name, guests=["x@acme.example"], after=tuple(after))


async def test_unchanged_call_keeps_its_approval(world: World) -> None:
    """A new version leaves what did not change where it is, approval included."""
    first, other = invite("t1", "a"), invite("t2", "b")
    goal_id = await asked(world, first, other)
    await revise(world, goal_id, replace(first, why="other words"), invite("t2", "c"))
    statuses = [item.status for _, item in await world.asked(goal_id)]
    assert statuses == [ApprovalStatus.PENDING, ApprovalStatus.WITHDRAWN]
    assert await world.statuses(goal_id) == {"t1": T.NEEDS_APPROVAL, "t2": T.PENDING}
    assert (await world.asked(goal_id))[1][1].status_reason == "Dana changed the plan"


async def test_changed_task_is_asked_about_anew_and_runs_as_changed(world: World) -> None:
    """What was approved before a change does not run; the changed call is frozen anew."""
    goal_id = await asked(world, invite("t1", "a"))
    assert await revise(world, goal_id, invite("t1", "b")) == 2
    await world.drive(goal_id)
    items = [item for _, item in await world.asked(goal_id)]
    assert [item.status for item in items] == [ApprovalStatus.WITHDRAWN, ApprovalStatus.PENDING]
    assert items[0].call_hash != items[1].call_hash


async def test_left_out_task_is_cancelled_and_its_approver_told(world: World) -> None:
    """What a version leaves out never runs; its approval is withdrawn."""
    goal_id = await asked(world, invite("t1", "a"), invite("t2", "b"))
    await revise(world, goal_id, invite("t1", "a"))
    task = (await world.tasks(goal_id))["t2"]
    assert (task.status, task.dropped_in) == (T.CANCELLED, 2)
    assert (await world.asked(goal_id))[1][1].status is ApprovalStatus.WITHDRAWN


async def test_finished_task_stays_and_new_one_uses_its_result(world: World) -> None:
    """Finished tasks are fixed; a task of a later version refers to what they found."""
    goal_id = await asked(world, add("t1", "a", is_own=True), invite("t2", "b"))
    child = add("t3", "child", parent_id=ref("t1", "id"), is_own=True)
    await revise(world, goal_id, add("t1", "other", is_own=True), invite("t2", "b"), child)
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {
        "t1": T.SUCCEEDED,
        "t2": T.NEEDS_APPROVAL,
        "t3": T.SUCCEEDED,
    }
    assert world.provider.effects == ["a", "child"]


async def test_expanded_list_cannot_be_changed_under_its_key(world: World) -> None:
    """Rows that exist belong to the list they were made for: a changed list gets a new key."""
    world.provider.put("x")
    world.policy = ASK_MO
    world.wire()
    found = step("t1", "find_items")
    each = invite("t2", "n")
    listed = replace(each, for_each=Ref(task="t1", path=["items"]), depends_on=("t1",))
    goal_id = await world.start(found, listed)
    assert (await world.tasks(goal_id))["t2"].status is T.WAITING
    changed = replace(listed, arguments={**listed.arguments, "name": "m"})
    with pytest.raises(ExpandedListError):
        await revise(world, goal_id, found, changed)
