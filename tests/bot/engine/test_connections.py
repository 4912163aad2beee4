"""Connections: what waits for one resumes, what needs one that went is taken back."""

from bot.goals.clicks import Click
from storage.tables.approvals import ApprovalStatus, Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import ASK_MO, DANA, MO, TEAM, World, add, step

ME = Click(TEAM, DANA)


async def test_plan_without_a_connection_asks_for_it_and_goes_on_by_itself(world: World) -> None:
    """A read waits for its person's connection with the least scopes (S27), then runs."""
    world.sql("DELETE FROM connections")
    goal_id = await world.plan(step("t1", "find_items", query="a"))
    await world.drive(goal_id)
    tasks = await world.tasks(goal_id)
    assert tasks["t1"].status is TaskStatus.NEEDS_CONNECTION
    assert (tasks["t1"].failure or {})["scopes"] == ["read"]
    async with world.database.transaction() as tx:
        card = await world.connections.card(tx, TEAM, f"{goal_id}:counting")
    assert card is not None
    assert card.scopes == ("See items",)
    await world.connect(scopes=("read",))
    await world.connections.sweep()
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_disconnecting_withdraws_what_people_were_asked(world: World) -> None:
    """Mo is not left with a request that can no longer run (S26)."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Invitation", guests=["j@acme.example"]))
    assert (await world.connections.disconnect(ME, "counting")).ok
    (_, item) = (await world.asked(goal_id))[0]
    assert item.status is ApprovalStatus.WITHDRAWN
    answer = await world.desk.decide(Click(TEAM, MO), item.id, Verdict.APPROVE, None)
    assert not answer.ok
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.NEEDS_CONNECTION}
    assert world.provider.effects == []
    assert not (await world.connections.disconnect(ME, "counting")).ok


async def test_connection_of_somebody_else_resumes_nothing(world: World) -> None:
    """Mo's connection is of no use to Dana's goal (S37)."""
    world.sql("DELETE FROM connections")
    goal_id = await world.plan(step("t1", "find_items", query="a"))
    await world.drive(goal_id)
    await world.connect(MO)
    await world.connections.sweep()
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.NEEDS_CONNECTION}


async def test_death_while_disconnecting_leaves_no_approver_asked(world: World) -> None:
    """What a process did not take back before it died, the sweeper takes back (S26)."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Invitation", guests=["j@acme.example"]))
    world.sql("UPDATE connections SET status = 'disconnected', secret = NULL, scopes = '{}'")
    await world.connections.sweep()
    (_, item) = (await world.asked(goal_id))[0]
    assert item.status is ApprovalStatus.WITHDRAWN
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.NEEDS_CONNECTION}


async def test_other_branches_run_while_one_waits_for_a_connection(world: World) -> None:
    """Only what needs the provider waits; the goal ends by itself once it is connected."""
    world.sql("DELETE FROM connections")
    goal_id = await world.plan(
        step("t1", "find_items", query="a"), step("t2", "builtin.answer", question="?", rows=[])
    )
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {
        "t1": TaskStatus.NEEDS_CONNECTION,
        "t2": TaskStatus.SUCCEEDED,
    }
    await world.connect(scopes=("read",))
    await world.connections.sweep()
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
