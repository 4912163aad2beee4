"""Plans: run as shown, edited into the next version, by their requester alone."""

import asyncio

from bot.engine.cards import PlanForm
from bot.goals.clicks import Answer, Click
from connectors.labels import Label
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import DANA, MO, TEAM, World, add, ref, step

ME = Click(TEAM, DANA)


async def proposed(world: World) -> int:
    world.provider.put("Acme")
    goal_id = await world.plan(
        step("t1", "find_items", query="acme"),
        add("t2", "Deal", size="5", parent_id=ref("t1", "items", 0, "id")),
        add("t3", "Note"),
        add("t4", "Follow-up", parent_id=ref("t3", "id")),
    )
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
    return goal_id


async def test_runs_at_once_start_one_run(world: World) -> None:
    """A double click is answered, and runs nothing twice (S11)."""
    goal_id = await proposed(world)
    answers = await asyncio.gather(*[world.plans.run(ME, goal_id, 1) for _ in range(5)])
    assert [answer.ok for answer in answers].count(True) == 1
    await asyncio.gather(*[world.drive(goal_id) for _ in range(3)])
    assert sorted(world.provider.effects) == ["Deal", "Follow-up", "Note"]


async def test_click_of_somebody_else_changes_nothing(world: World) -> None:
    """Only the requester runs, edits or sees the form of a plan (S13)."""
    goal_id = await proposed(world)
    other = Click(TEAM, MO)
    assert not (await world.plans.run(other, goal_id, 1)).ok
    assert isinstance(await world.plans.form(other, goal_id, 1), Answer)
    answer = await world.plans.edit(other, goal_id, 1, frozenset({"t3"}), {})
    assert isinstance(answer, Answer)
    assert not answer.ok
    assert (await world.goal(goal_id)).plan_version == 1


async def test_form_offers_what_was_shown_and_no_ids(world: World) -> None:
    """Ids are chosen by references, never typed; a step of reads has nothing to edit."""
    goal_id = await proposed(world)
    form = await world.plans.form(ME, goal_id, 1)
    assert isinstance(form, PlanForm)
    assert [item.key for item in form.steps] == ["t2", "t3", "t4"]
    names = [item.name for item in form.steps[0].fields]
    assert "parent_id" not in names
    assert next(item.value for item in form.steps[0].fields if item.name == "size") == "5"


async def test_edit_makes_the_next_version_and_the_old_card_is_stale(world: World) -> None:
    """A plan version is immutable: Run of an older card is refused and told so."""
    goal_id = await proposed(world)
    done = await world.plans.edit(
        ME, goal_id, 1, frozenset(), {"t2": {"size": "7", "name": "Deal"}}
    )
    assert isinstance(done, Answer)
    assert done.ok
    assert not (await world.plans.run(ME, goal_id, 1)).ok
    assert (await world.goal(goal_id)).plan_version == 2
    tasks = await world.tasks(goal_id)
    labels = tasks["t2"].spec["labels"]
    assert labels["/size"] == {"label": "message", "source": "typed by Dana Reyes in an edit"}
    assert labels["/name"]["source"] == "typed"
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    (change,) = card.changes
    assert change.endswith("5 → 7.")
    assert [item.changed for item in card.steps] == [False, True, False, False]
    assert (await world.plans.run(ME, goal_id, 2)).ok
    await world.drive(goal_id)
    assert "7" in {item["size"] for item in world.provider.items.values()}


async def test_dropped_step_does_not_run(world: World) -> None:
    """A step that goes takes what needs it along, or the person is told."""
    goal_id = await proposed(world)
    errors = await world.plans.edit(ME, goal_id, 1, frozenset({"t3"}), {})
    assert isinstance(errors, tuple)
    assert errors[0][0] == "t3"
    assert "Step 4 needs this step" in errors[0][2]
    done = await world.plans.edit(ME, goal_id, 1, frozenset({"t3", "t4"}), {})
    assert isinstance(done, Answer)
    await world.plans.run(ME, goal_id, 2)
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal"]
    assert "slack:plan:edit" in await world.audit()


async def test_dropping_every_write_is_refused(world: World) -> None:
    """Nothing left to do is what Cancel is for."""
    goal_id = await proposed(world)
    answer = await world.plans.edit(ME, goal_id, 1, frozenset({"t2", "t3", "t4"}), {})
    assert isinstance(answer, Answer)
    assert not answer.ok
    assert (await world.goal(goal_id)).plan_version == 1


async def test_edit_that_changes_nothing_makes_no_version(world: World) -> None:
    """Submitting the form as it was shown keeps every value's provenance."""
    goal_id = await proposed(world)
    await world.plans.edit(ME, goal_id, 1, frozenset(), {"t2": {"size": "5", "name": "Deal"}})
    assert (await world.goal(goal_id)).plan_version == 1


async def test_edit_of_an_id_or_an_unknown_field_is_refused(world: World) -> None:
    """A forged form cannot set what its inputs do not offer (S15)."""
    goal_id = await proposed(world)
    for name in ("parent_id", "nothing"):
        errors = await world.plans.edit(ME, goal_id, 1, frozenset(), {"t2": {name: "1"}})
        assert isinstance(errors, tuple)
        assert errors[0][:2] == ("t2", name)
    assert (await world.goal(goal_id)).plan_version == 1


async def test_cancelled_plan_runs_nothing(world: World) -> None:
    """Cancel ends every step; a Run after it is answered."""
    goal_id = await proposed(world)
    assert (await world.goals.cancel(ME, goal_id)).text == "Cancelled. Nothing was done."
    assert not (await world.plans.run(ME, goal_id, 1)).ok
    await world.drive(goal_id)
    assert world.provider.effects == []
    assert set((await world.statuses(goal_id)).values()) == {
        TaskStatus.SUCCEEDED,
        TaskStatus.CANCELLED,
    }


async def test_outside_value_makes_even_an_own_write_ask(world: World) -> None:
    """A stranger's words may fill an argument only where somebody saw them."""
    goal_id = await world.plan(add("t1", "Report", is_own=True), labels=Label.OUTSIDE)
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
    assert world.provider.effects == []
