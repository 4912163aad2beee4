"""Results of any size: kept with the task, stored beside it, cut, or refused; never lost."""

import pytest
from pydantic import JsonValue

from bot.engine.results import INLINE_BYTES, MOST_BYTES, clipped, size_of
from storage.repositories.results import is_stored
from storage.tables.goals import GoalStatus, TaskStatus
from tests.bot.engine.world import TEAM, World, add, ref, step


def fill(world: World, *, total_bytes: int, rows: int = 100) -> None:
    """Let the provider hold rows of so many bytes in all."""
    for number in range(rows):
        world.provider.put(f"Acme {number}", domain="x" * (total_bytes // rows))


async def test_large_result_is_stored_beside_its_task_and_used_by_reference(world: World) -> None:
    """A dependant gets the whole value; the task's own row stays small."""
    fill(world, total_bytes=2 * INLINE_BYTES)
    goal_id = await world.plan(
        step("t1", "find_items", query="acme"),
        add("t2", "Child", parent_id=ref("t1", "items", 99, "id"), is_own=True),
        step("t3", "find_items", query="nothing", when=(ref("t1", "total"), "eq", 100)),
    )
    await world.drive(goal_id)
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert "Acme 99" in str(card.steps[1].details)
    await world.start_proposed(goal_id)
    assert is_stored((await world.tasks(goal_id))["t1"].result)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert world.provider.effects == ["Child"]


async def test_read_that_finds_too_much_fails_and_says_how_to_ask_for_less(world: World) -> None:
    """Nothing is kept of it, and the person reads what to do."""
    fill(world, total_bytes=2 * MOST_BYTES)
    goal_id = await world.plan(step("t1", "find_items", query="acme"))
    await world.drive(goal_id)
    task = (await world.tasks(goal_id))["t1"]
    assert task.status is TaskStatus.FAILED
    assert "Ask for less" in (task.failure or {})["message"]
    assert task.result is None


@pytest.mark.parametrize("size", [2 * INLINE_BYTES, 2 * MOST_BYTES], ids=["stored", "cut"])
async def test_write_with_a_large_answer_succeeded(world: World, size: int) -> None:
    """What happened is never called failed; its card keeps its link and its Undo."""
    goal_id = await world.start(add("t1", "x" * size))
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.SUCCEEDED
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert card.steps[0].can_undo
    assert [link.url for link in card.steps[0].links] == ["https://counting.example/1"]
    assert world.provider.effects == ["x" * size]


def test_cut_result_fits_and_keeps_its_ids() -> None:
    """Cutting goes on until it fits, and never touches what is short."""
    rows: list[JsonValue] = [{"id": str(at), "note": "é" * 5000} for at in range(1000)]
    cut = clipped({"rows": rows, "total": 1000})
    assert size_of(cut) <= INLINE_BYTES
    assert cut["total"] == 1000
    kept = cut["rows"]
    assert isinstance(kept, list)
    assert kept[0] == {"id": "0", "note": "é" * 499 + "…"}
