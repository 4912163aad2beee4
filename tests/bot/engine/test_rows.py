"""`for_each`: a task for each element of a list, bounded; each row stands for itself."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from bot.engine.cards import PlanForm
from bot.engine.references import Finished, look_up, resolve
from bot.engine.rows import NO_ROWS
from bot.goals.clicks import Click
from bot.planning.plan import EACH, Ref
from bot.planning.rows import MAX_ROWS, row_task
from bot.planning.valid import ValidTask, references, stored_ref
from connectors.labels import LOST, Label, Provenance, complete, leaves
from storage.tables.approvals import ApprovalStatus, Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.counting import FIND
from tests.bot.engine.world import DANA, MO, TEAM, World, add, ref, step

DONE, FAILED, UNKNOWN = TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.UNKNOWN
FIND_ALL = step("t1", "find_items")
ITEMS = ref("t1", "items")


def each(*path: str | int) -> dict[str, Any]:
    return ref(EACH, *path)


def copies(key: str = "t2", **more: Any) -> ValidTask:
    """Return a task that adds an item below each one found."""
    return add(key, each("name"), parent_id=each("id"), for_each=ITEMS, **more)


def put(world: World, *names: str) -> None:
    for name in names:
        world.provider.put(name)


def many(count: int) -> list[str]:
    return [f"Item {number:02}" for number in range(count)]


@pytest.mark.parametrize("count", [1, 3, 10])
async def test_list_becomes_a_task_for_each_element(world: World, count: int) -> None:
    """Every row is a call of its own, and the task ends with all their results."""
    put(world, *many(count))
    goal_id = await world.start(FIND_ALL, copies())
    tasks = await world.tasks(goal_id)
    assert sorted(world.provider.effects) == many(count)
    assert [tasks[f"t2.{number + 1}"].status for number in range(count)] == [DONE] * count
    assert tasks["t2"].status is DONE
    assert tasks["t2"].result is not None
    assert [row["name"] for row in tasks["t2"].result["rows"]] == many(count)
    assert (tasks["t2"].result["total"], tasks["t2"].result["failed"]) == (count, 0)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_run_covers_the_rows_that_stood_on_the_card(world: World) -> None:
    """The list was known before Run, so its rows run without another question (S5)."""
    put(world, "Acme", "Beta")
    goal_id = await world.start(FIND_ALL, copies())
    assert await world.asked(goal_id) == []


async def test_list_that_is_known_only_later_is_asked_about(world: World) -> None:
    """What did not stand on the card when Run was pressed is asked when it is known (S10)."""
    put(world, "Acme", "Beta")
    goal_id = await world.start(
        add("t1", "First"),
        step("t2", "find_items", after=("t1",)),
        add("t3", each("name"), parent_id=each("id"), for_each=ref("t2", "items")),
    )
    statuses = await world.statuses(goal_id)
    asked = [key for key, status in statuses.items() if status is TaskStatus.NEEDS_APPROVAL]
    assert asked == ["t3.1", "t3.2", "t3.3"]
    assert len({approval.id for approval, _ in await world.asked(goal_id)}) == 1
    assert world.provider.effects == ["First"]


async def test_empty_list_is_done_with_nothing_to_do(world: World) -> None:
    """Nothing to do is no failure, and the card says that there was nothing."""
    goal_id = await world.start(FIND_ALL, copies())
    task = (await world.tasks(goal_id))["t2"]
    assert (task.status, task.result) == (DONE, {"rows": [], "total": 0, "failed": 0})
    assert task.failure is not None
    assert task.failure["message"] == NO_ROWS
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_fifty_rows_wait_for_one_answer(world: World) -> None:
    """The longest list that runs asks once for all of it."""
    put(world, *many(MAX_ROWS))
    goal_id = await world.start(FIND_ALL, copies())
    asked = await world.asked(goal_id)
    assert len(asked) == MAX_ROWS
    assert len({approval.id for approval, _ in asked}) == 1


async def test_too_many_rows_run_nothing_and_say_how_to_go_on(world: World) -> None:
    """One more than the bound does nothing; the reason has the number and a remedy (S38)."""
    put(world, *many(MAX_ROWS + 1))
    goal_id = await world.start(FIND_ALL, copies())
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.FAILED
    assert goal.reason is not None
    assert goal.reason.startswith(f"There are {MAX_ROWS + 1}, and I do this for at most 50")
    assert world.provider.effects == []
    assert set(await world.tasks(goal_id)) == {"t1", "t2"}


async def test_one_failing_row_does_not_stop_the_others(world: World) -> None:
    """The others are done; the task says how many, which one was not, and why."""
    put(world, "Acme", "Beta", "Corp")
    goal_id = await world.plan(
        FIND_ALL,
        copies(),
        add("t3", ref("t2", "rows", 1, "name"), parent_id=ref("t2", "rows", 0, "id")),
    )
    await world.drive(goal_id)
    world.provider.faults = ["refused"]
    await world.plans.run(Click(TEAM, DANA), goal_id, 1)
    await world.drive(goal_id)
    tasks = await world.tasks(goal_id)
    bad = [key for key in ("t2.1", "t2.2", "t2.3") if tasks[key].status is FAILED]
    assert len(bad) == 1
    name = {"t2.1": "Acme", "t2.2": "Beta", "t2.3": "Corp"}[bad[0]]
    assert tasks["t2"].failure == {
        "code": "rows",
        "message": f"2 of 3 done; {name}: The provider refuses this name; choose another.",
    }
    assert tasks["t2"].result is not None
    assert (tasks["t2"].result["total"], tasks["t2"].result["failed"]) == (3, 1)
    assert tasks["t3"].status is TaskStatus.NEEDS_APPROVAL
    await world.desk.decide(Click(TEAM, DANA), await world.item(goal_id), Verdict.APPROVE, None)
    await world.drive(goal_id)
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.PARTLY_DONE
    assert goal.reason == tasks["t2"].failure["message"]


async def test_all_rows_failing_fails_the_task(world: World) -> None:
    """Where no row was done the task is not, and what needs it is skipped."""
    put(world, "Acme", "Beta")
    goal_id = await world.plan(FIND_ALL, copies(), add("t3", "After", after=("t2",)))
    await world.drive(goal_id)
    world.provider.faults = ["refused", "refused"]
    await world.plans.run(Click(TEAM, DANA), goal_id, 1)
    await world.drive(goal_id)
    statuses = await world.statuses(goal_id)
    assert (statuses["t2"], statuses["t3"]) == (FAILED, TaskStatus.SKIPPED)
    assert (await world.goal(goal_id)).status is GoalStatus.FAILED


async def test_unknown_row_holds_up_only_what_needs_all_rows(world: World) -> None:
    """The other rows and the other branch go on; what follows the list waits for a human."""
    put(world, "Acme", "Beta")
    world.provider.lost_names = {"Beta"}
    goal_id = await world.start(
        FIND_ALL, copies(kind="unsafe"), add("t3", "After", after=("t2",)), add("t4", "Other")
    )
    statuses = await world.statuses(goal_id)
    assert (statuses["t2.1"], statuses["t2.2"]) == (DONE, UNKNOWN)
    assert (statuses["t2"], statuses["t3"], statuses["t4"]) == (
        TaskStatus.WAITING,
        TaskStatus.PENDING,
        DONE,
    )
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING
    row = (await world.tasks(goal_id))["t2.2"]
    await world.unknowns.settle(Click(TEAM, DANA), row.id, "happened")
    await world.drive(goal_id)
    assert set((await world.statuses(goal_id)).values()) == {DONE}
    assert world.provider.effects.count("Beta") == 1


async def test_rejected_row_leaves_the_others_approved(world: World) -> None:
    """A decision is for one row; the list says which one was rejected and why."""
    put(world, "Acme", "Beta")
    goal_id = await world.start(FIND_ALL, copies(guests=["jane@acme.example"]))
    items = [item for _, item in await world.asked(goal_id)]
    assert len(items) == 2
    await world.desk.decide(Click(TEAM, MO), items[0].id, Verdict.APPROVE, None)
    await world.desk.decide(Click(TEAM, MO), items[1].id, Verdict.REJECT, "not this one")
    await world.drive(goal_id)
    tasks = await world.tasks(goal_id)
    assert world.provider.effects == ["Acme"]
    assert tasks["t2.2"].status is TaskStatus.DECLINED
    assert tasks["t2"].failure is not None
    assert tasks["t2"].failure["message"] == (
        "1 of 2 done; Beta: Mo Okafor rejected it: “not this one”. Nothing was done."
    )


async def test_more_than_ten_rows_are_of_the_last_tier_on_one_card(world: World) -> None:
    """Twelve small changes at once are a big one: the approvers are asked, once (S38)."""
    put(world, *many(12))
    goal_id = await world.start(FIND_ALL, copies())
    asked = await world.asked(goal_id)
    assert len(asked) == 12
    assert {tuple(approval.ask["people"]) for approval, _ in asked} == {(MO,)}
    assert {approval.rule for approval, _ in asked} == {"tier-irreversible"}
    assert len({approval.id for approval, _ in asked}) == 1
    for _, item in asked:
        await world.desk.decide(Click(TEAM, MO), item.id, Verdict.APPROVE, None)
    await world.drive(goal_id)
    assert sorted(world.provider.effects) == many(12)


async def test_ten_rows_of_ones_own_ask_because_the_list_is_from_outside(world: World) -> None:
    """How often something happens was decided by what was found, so even the silent tier asks."""
    put(world, "Acme")
    goal_id = await world.plan(FIND_ALL, add("t2", "Report", is_own=True, for_each=ITEMS))
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
    assert world.provider.effects == []


async def test_reads_of_rows_run_before_the_card(world: World) -> None:
    """A plan that only reads never asks, however many rows it reads."""
    put(world, *many(12))
    goal_id = await world.plan(
        FIND_ALL,
        step("t2", "find_items", query=each("name"), for_each=ITEMS),
        step("t3", "answer", question="Which?", rows=ref("t2", "rows")),
    )
    await world.drive(goal_id)
    tasks = await world.tasks(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert tasks["t3"].result is not None
    assert tasks["t3"].result["total"] == 12


async def test_condition_on_each_element_leaves_rows_out(world: World) -> None:
    """A row whose condition does not hold is neither done nor failed."""
    put(world, "Acme", "Beta")
    goal_id = await world.start(FIND_ALL, copies(when=(each("name"), "eq", "Beta")))
    tasks = await world.tasks(goal_id)
    assert world.provider.effects == ["Beta"]
    assert tasks["t2.1"].status is TaskStatus.SKIPPED
    assert tasks["t2"].failure is not None
    assert tasks["t2"].failure["message"] == "1 of 2 done; for 1 its condition does not hold."
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_drive_that_dies_after_expansion_loses_no_row(world: World) -> None:
    """Rows are stored with the move that makes them, so another drive finds them all."""
    put(world, "Acme", "Beta", "Corp")
    goal_id = await world.plan(FIND_ALL, copies())
    await world.drive(goal_id)
    await world.plans.run(Click(TEAM, DANA), goal_id, 1)
    async with world.database.transaction() as tx:
        await tx.tasks.claim(TEAM, goal_id, keys=["t2.1", "t2.2"], owner="dead", lease_s=0.0)
    world.forget_jobs()
    await world.drive(goal_id)
    assert sorted(world.provider.effects) == ["Acme", "Beta", "Corp"]
    assert (await world.statuses(goal_id))["t2"] is DONE


async def test_cancelling_a_goal_cancels_its_rows(world: World) -> None:
    """Rows that wait for people end with their goal, and nothing runs."""
    put(world, "Acme", "Beta")
    goal_id = await world.start(FIND_ALL, copies(guests=["jane@acme.example"]))
    await world.goals.cancel(Click(TEAM, DANA), goal_id)
    statuses = await world.statuses(goal_id)
    assert {statuses[key] for key in ("t2", "t2.1", "t2.2")} == {TaskStatus.CANCELLED}
    assert {item.status for _, item in await world.asked(goal_id)} == {ApprovalStatus.WITHDRAWN}


async def test_card_has_the_rows_within_their_step(world: World) -> None:
    """The step says how many there are; each row has its own values and labels."""
    put(world, "Acme", "Beta")
    goal_id = await world.plan(FIND_ALL, copies())
    await world.drive(goal_id)
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    whole = card.steps[1]
    assert whole.sentence == "Add an item, for each of the 2 items found"
    assert [row.sentence for row in whole.rows] == ["Add “Acme”", "Add “Beta”"]
    (parent,) = [it for it in whole.rows[1].details if it.detail.pointer == "/parent_id"]
    assert (parent.detail.value, parent.label) == ("Beta", Label.OUTSIDE)
    assert whole.rows[0].asked == "you, by pressing Run"


async def test_dropped_row_does_not_run_and_is_said(world: World) -> None:
    """Edit leaves one row out; Run then answers for the others."""
    put(world, "Acme", "Beta", "Corp")
    goal_id = await world.plan(FIND_ALL, copies())
    await world.drive(goal_id)
    form = await world.plans.form(Click(TEAM, DANA), goal_id, 1)
    assert isinstance(form, PlanForm)
    assert [(item.key, item.is_row) for item in form.steps] == [
        ("t2", False), ("t2.1", True), ("t2.2", True), ("t2.3", True)
    ]  # fmt: skip
    changed = {"t2.1": {"size": "large"}}
    await world.plans.edit(Click(TEAM, DANA), goal_id, 1, frozenset({"t2.2"}), changed)
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert card.changes == (
        "You left out 1 of 3: add an item.",
        "You changed the size: nothing → large.",
    )
    await world.plans.run(Click(TEAM, DANA), goal_id, 2)
    await world.drive(goal_id)
    assert sorted(world.provider.effects) == ["Acme", "Corp"]
    assert {item["name"]: item["size"] for item in world.provider.items.values()}["Acme"] == "large"
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


@pytest.mark.parametrize(
    "dropped", [{"t2"}, {"t2.1", "t2.2"}], ids=["the list", "each of its rows"]
)
async def test_dropped_list_goes_with_its_rows(world: World, dropped: set[str]) -> None:
    """A list without rows is no step, and rows without their list are none either."""
    put(world, "Acme", "Beta")
    goal_id = await world.plan(FIND_ALL, copies(), add("t3", "Other"))
    await world.drive(goal_id)
    await world.plans.edit(Click(TEAM, DANA), goal_id, 1, frozenset(dropped), {})
    assert set(await world.tasks(goal_id)) == {"t1", "t3"}
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert card.changes == ("You left out a step: add an item.",)


async def test_undo_takes_one_row_back(world: World) -> None:
    """Each row is undone by itself; the others stay."""
    put(world, "Acme", "Beta")
    goal_id = await world.start(FIND_ALL, copies())
    row = (await world.tasks(goal_id))["t2.2"]
    answer = await world.undos.undo(Click(TEAM, DANA), row.id)
    assert answer.ok
    for undo_id in world.jobs():
        await world.drive(undo_id)
    statuses = await world.statuses(goal_id)
    assert (statuses["t2.1"], statuses["t2.2"]) == (DONE, TaskStatus.UNDONE)
    assert world.provider.effects[-1] == "remove Beta"


async def test_one_answer_decides_all_open_rows(world: World) -> None:
    """What was decided before stays; whoever was not asked decides nothing (S12)."""
    put(world, *many(12))
    goal_id = await world.start(FIND_ALL, copies())
    (approval, first), *_ = await world.asked(goal_id)
    refused = await world.desk.decide_all(Click(TEAM, DANA), approval.id, Verdict.APPROVE, None)
    assert not refused.ok
    assert await world.desk.tell_open(Click(TEAM, MO), approval.id) == "Add “Item 00”, and 11 more"
    await world.desk.decide(Click(TEAM, MO), first.id, Verdict.REJECT, "no")
    answer = await world.desk.decide_all(Click(TEAM, MO), approval.id, Verdict.APPROVE, None)
    assert answer.ok
    await world.drive(goal_id)
    assert sorted(world.provider.effects) == many(12)[1:]
    again = await world.desk.decide_all(Click(TEAM, MO), approval.id, Verdict.REJECT, None)
    assert not again.ok
    gone = await world.desk.decide_all(Click(TEAM, MO), 999_999, Verdict.REJECT, None)
    assert not gone.ok


paths = st.lists(st.sampled_from(["id", "name", "domain", "size"]), min_size=1, max_size=1)
templates = st.recursive(
    st.text(max_size=3) | paths.map(lambda path: stored_ref(Ref(task=EACH, path=list(path)))),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=6,
)
items = st.fixed_dictionaries(
    {name: st.text(max_size=4) for name in ("id", "name", "domain", "size")}
)


@settings(max_examples=80, deadline=None)
@given(
    arguments=st.dictionaries(st.sampled_from(["a", "b", "c"]), templates, min_size=1, max_size=3),
    found=st.lists(items, min_size=1, max_size=4),
)
def test_every_leaf_of_a_row_has_a_label_and_points_to_its_row(
    arguments: dict[str, Any], found: list[dict[str, JsonValue]]
) -> None:
    """Expansion leaves no `each`, and no row can take a value of another one (S3)."""
    typed = Provenance(Label.MESSAGE, "typed")
    literals = {pointer: typed for pointer, _ in leaves(arguments)}
    parent = ValidTask(
        "t2", "x.y", arguments, (), None, "", ("t1",), Ref(task="t1", path=["items"])
    )
    finished = {"t1": Finished(FIND, {"items": [*found], "total": len(found)})}
    for row, element in enumerate(found):
        own = row_task(parent, row)
        resolved = resolve(own.arguments, literals=literals, finished=finished)
        for _, reference in references(own.arguments):
            assert reference.path[:2] == ["items", row]
            assert look_up({"items": found}, reference.path) == (
                True,
                element[str(reference.path[2])],
            )
        assert LOST not in complete(resolved.arguments, resolved.labels).values()
        assert own.for_each is None
