"""Upgrades while goals are open: what they name may be gone or mean something else."""

from dataclasses import replace

import pytest

from bot.builtins import BUILTINS
from bot.engine.newer import AT_MOST
from bot.goals.clicks import Click
from connectors.clients import ConnectionClients
from connectors.execute import Executor
from connectors.registry import Connector, Registry
from connectors.removed import MESSAGE
from storage.tables.approvals import ApprovalStatus
from storage.tables.calls import AttemptStatus
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.counting import CONNECTOR
from tests.bot.engine.test_gate import approve
from tests.bot.engine.test_recovery import die_while_sending
from tests.bot.engine.test_rows import FIND_ALL, ITEMS, each
from tests.bot.engine.world import ASK_MO, DANA, TEAM, World, add, ref, step


def upgrade(world: World, *connectors: Connector) -> None:
    """Start the next version, which has these connectors and the built-ins."""
    world.registry = Registry((*connectors, BUILTINS))
    world.executor = Executor(
        registry=world.registry,
        clients=ConnectionClients(
            database=world.database,
            clients=world.plumbing.clients,
            providers=world.plumbing.providers if connectors else {},
        ),
        database=world.database,
        timeout_s=world.timing.call_timeout_s,
    )
    world.wire()


def without(*names: str) -> Connector:
    kept = tuple(action for action in CONNECTOR.actions if action.name not in names)
    return replace(CONNECTOR, actions=kept)


def changed(name: str) -> Connector:
    """Return the connector with an action whose meaning another version changed."""
    return replace(
        CONNECTOR,
        actions=tuple(
            replace(action, version=2) if action.name == name else action
            for action in CONNECTOR.actions
        ),
    )


async def test_removed_action_fails_with_a_sentence_and_the_rest_runs(world: World) -> None:
    """A step that nobody can do any more ends; others run, and the card still draws."""
    goal_id = await world.plan(
        add("t1", "Old", kind="unsafe", is_own=True), add("t2", "New", is_own=True)
    )
    upgrade(world, without("add_unsafe"))
    await world.drive(goal_id)
    tasks = await world.tasks(goal_id)
    assert tasks["t1"].status is TaskStatus.FAILED
    assert (tasks["t1"].failure or {})["message"] == MESSAGE
    assert tasks["t2"].status is TaskStatus.SUCCEEDED
    assert (await world.goal(goal_id)).status is GoalStatus.PARTLY_DONE
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert [step.problem for step in card.steps] == [MESSAGE, None]
    assert "not possible any more" in card.steps[0].sentence


async def test_card_draws_after_what_it_did_was_removed(world: World) -> None:
    """A finished goal's card outlives its actions: no links, no Undo, no error."""
    goal_id = await world.start(
        add("t1", "Report"), add("t2", "Child", parent_id=ref("t1", "id"), kind="verifiable")
    )
    upgrade(world, without("add_keyed"))
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert [step.can_undo for step in card.steps] == [False, True]
    answer = await world.undos.undo(Click(TEAM, DANA), (await world.tasks(goal_id))["t1"].id)
    assert "cannot be undone" in answer.text


async def test_proposed_step_that_was_removed_is_shown_as_impossible(world: World) -> None:
    """A card that waits for Run says which step cannot run; Run does the others."""
    goal_id = await world.plan(add("t1", "Old", kind="unsafe"), add("t2", "New"))
    await world.drive(goal_id)
    upgrade(world, without("add_unsafe"))
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert [step.problem for step in card.steps] == [MESSAGE, None]
    assert (await world.plans.run(Click(TEAM, DANA), goal_id, 1)).ok
    await world.drive(goal_id)
    assert world.provider.effects == ["New"]


@pytest.mark.parametrize("kind", ["keyed", "verifiable", "unsafe"])
async def test_running_call_of_a_removed_action_is_put_to_a_human(world: World, kind: str) -> None:
    """It may have happened and cannot be looked up any more: nobody guesses."""
    goal_id = await world.plan(add("t1", "Report", kind=kind, is_own=True))
    await die_while_sending(world, goal_id)
    world.die(goal_id)
    upgrade(world, without(f"add_{kind}"))
    await world.drive(goal_id)
    task = (await world.tasks(goal_id))["t1"]
    assert task.status is TaskStatus.UNKNOWN
    assert (await world.attempts(goal_id))[-1].status is AttemptStatus.UNKNOWN
    async with world.database.transaction() as tx:
        card = await world.cards.unknown(tx, TEAM, task.id)
    assert card.settled is None
    answer = await world.unknowns.settle(Click(TEAM, DANA), task.id, "run_again")
    assert answer.ok
    await world.drive(goal_id)
    assert (await world.tasks(goal_id))["t1"].failure == {"code": "removed", "message": MESSAGE}
    assert world.provider.effects == ["Report"]


async def test_running_read_that_was_removed_fails(world: World) -> None:
    """A read changed nothing, so there is nothing to ask a human."""
    goal_id = await world.plan(step("t1", "find_items", query="x"))
    await world.drive(goal_id)
    world.sql("UPDATE tasks SET status = 'running', result = NULL")
    world.sql("UPDATE attempts SET status = 'running', finished_at = NULL")
    world.sql("UPDATE goals SET status = 'running', settled_at = NULL")
    world.die(goal_id)
    upgrade(world, without("find_items"))
    await world.drive(goal_id)
    assert (await world.tasks(goal_id))["t1"].status is TaskStatus.FAILED
    assert (await world.goal(goal_id)).status is GoalStatus.FAILED


async def test_approved_call_of_a_removed_action_fails_with_a_sentence(world: World) -> None:
    """An approval is for a call that can run; the approver's card says what became of it."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Invitation", guests=["a@b.example"]))
    assert await approve(world, goal_id)
    upgrade(world, without("add_keyed"))
    await world.drive(goal_id)
    assert (await world.tasks(goal_id))["t1"].failure == {"code": "removed", "message": MESSAGE}
    approval, _ = (await world.asked(goal_id))[0]
    async with world.database.transaction() as tx:
        card = await world.cards.approval(tx, TEAM, approval.id)
    assert card.provider_title == "Counting"
    assert world.provider.effects == []


async def test_step_that_waits_for_a_removed_provider_ends(world: World) -> None:
    """Nobody can connect it any more, so nothing waits for it for ever."""
    await world.plumbing.flow.disconnect(team_id=TEAM, person_id=DANA, provider="counting")
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    await world.drive(goal_id)
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.NEEDS_CONNECTION
    upgrade(world)
    world.connections._providers = {}
    async with world.database.transaction() as tx:
        assert await world.connections.card(tx, TEAM, f"{goal_id}:counting") is None
        await world.cards.goal(tx, TEAM, goal_id)
    await world.connections.sweep()
    await world.drive(goal_id)
    assert (await world.tasks(goal_id))["t1"].failure == {"code": "removed", "message": MESSAGE}


async def test_action_that_changed_since_the_approval_is_asked_again(world: World) -> None:
    """The version is part of the hash: what was approved is not what would run (S10)."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Invitation", guests=["a@b.example"]))
    assert await approve(world, goal_id)
    upgrade(world, changed("add_keyed"))
    await world.drive(goal_id)
    assert world.provider.effects == []
    assert [item.status for _, item in await world.asked(goal_id)] == [
        ApprovalStatus.WITHDRAWN,
        ApprovalStatus.PENDING,
    ]
    assert await approve(world, goal_id)
    await world.drive(goal_id)
    assert world.provider.effects == ["Invitation"]


async def test_lost_call_of_a_changed_action_is_put_to_a_human(world: World) -> None:
    """Repeating it under its key would mean something else now; it is not repeated."""
    goal_id = await world.plan(add("t1", "Report", is_own=True))
    await die_while_sending(world, goal_id)
    world.die(goal_id)
    upgrade(world, changed("add_keyed"))
    await world.drive(goal_id)
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.UNKNOWN
    assert world.provider.effects == ["Report"]


async def test_goal_whose_plan_vanished_goes_on_by_its_tasks(world: World) -> None:
    """Tasks carry all that they need; the card draws, Run and Edit work, nothing runs twice."""
    goal_id = await world.plan(add("t1", "Report"), add("t2", "Other", after=("t1",)))
    await world.drive(goal_id)
    world.sql("DELETE FROM plans")
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert (len(card.steps), card.can_run) == (2, True)
    assert (await world.plans.run(Click(TEAM, DANA), goal_id, 1)).ok
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert world.provider.effects == ["Report", "Other"]


async def test_click_on_a_plan_version_that_vanished_says_that_it_is_not_the_newest(
    world: World,
) -> None:
    """A button may carry a version that no row has; nothing runs by it."""
    goal_id = await world.plan(add("t1", "Report"))
    await world.drive(goal_id)
    answer = await world.plans.run(Click(TEAM, DANA), goal_id, 7)
    assert not answer.ok
    await world.drive(goal_id)
    assert world.provider.effects == []


async def test_step_that_only_a_newer_version_knows_is_left_to_it(world: World) -> None:
    """Beside a newer version the old one neither fails its new steps nor takes them over."""
    upgrade(world, without("add_unsafe"))  # Which is the old version here.
    old = world.engine
    upgrade(world, CONNECTOR)
    goal_id = await world.plan(
        add("t1", "New", kind="unsafe", is_own=True), add("t2", "Known", is_own=True)
    )
    await old.drive(TEAM, goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.READY, "t2": TaskStatus.SUCCEEDED}
    world.forget_jobs()
    await world.sweeper.sweep()
    assert world.jobs() == [goal_id]
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert world.provider.effects == ["Known", "New"]


async def test_lost_call_that_only_a_newer_version_knows_is_left_to_it(world: World) -> None:
    """The old version cannot look it up, so it must not call it unknown."""
    upgrade(world, without("add_verifiable"))
    old = world.engine
    upgrade(world, CONNECTOR)
    goal_id = await world.plan(add("t1", "New", kind="verifiable", is_own=True))
    await die_while_sending(world, goal_id)
    world.die(goal_id)
    await old.drive(TEAM, goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.RUNNING}
    await world.drive(goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.SUCCEEDED}
    assert world.provider.effects == ["New"]


async def test_rows_that_were_expanded_after_an_upgrade_end_with_a_sentence(world: World) -> None:
    """A row is as old as its list: what the upgrade removed is not mistaken for something new."""
    for name in ("A", "B"):
        world.provider.put(name)
    adds = add("t2", each("name"), kind="unsafe", is_own=True, for_each=ITEMS)
    goal_id = await world.plan(FIND_ALL, adds)
    upgrade(world, without("add_unsafe"))
    await world.drive(goal_id)
    await world.start_proposed(goal_id)
    tasks = await world.tasks(goal_id)
    assert [(task.failure or {}).get("message") for task in tasks.values() if task.parent_key] == [
        MESSAGE,
        MESSAGE,
    ]
    assert (await world.goal(goal_id)).settled_at is not None


async def test_step_that_no_newer_version_took_ends_with_a_sentence(world: World) -> None:
    """After a rollback nobody is left who knows the step: it does not stay ready for ever."""
    upgrade(world, without("add_unsafe"))
    old = world.engine
    goal_id = await world.plan(add("t1", "New", kind="unsafe", is_own=True))
    await old.drive(TEAM, goal_id)
    assert await world.statuses(goal_id) == {"t1": TaskStatus.READY}
    world.ahead = AT_MOST
    await old.drive(TEAM, goal_id)
    assert (await world.tasks(goal_id))["t1"].failure == {"code": "removed", "message": MESSAGE}
    assert (await world.goal(goal_id)).status is GoalStatus.FAILED
