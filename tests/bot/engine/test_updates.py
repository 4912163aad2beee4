"""Updates in place: what changes no index stays on its page and leaves nothing to vacuum."""

import asyncio

import psycopg

from bot.goals.clicks import Click
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus
from tests.bot.engine.world import ASK_MO, MO, TEAM, World, add, step

GOALS = 5
MOST = 0.85
"""The rest found its page full: a new version then goes elsewhere, whatever the indices."""

_FIGURES = (
    "SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables "
    "WHERE relname IN ('goals', 'tasks', 'attempts', 'permits', 'outbox')"
)


async def figures(world: World) -> dict[str, tuple[int, int]]:
    """Return how many rows of each table were updated, and how many of them in place.

    A server process tells its figures when it ends, a moment after its connection was closed.
    """
    await world.database.close()
    before: dict[str, tuple[int, int]] = {}
    for _ in range(50):
        with psycopg.connect(world.database.url) as connection:
            rows = connection.execute(_FIGURES).fetchall()
        found = {name: (updated, hot) for name, updated, hot in rows}
        if found == before and found["permits"][0] >= GOALS:
            return found
        before = found
        await asyncio.sleep(0.05)
    raise AssertionError(before)


async def test_updates_that_change_no_index_stay_on_their_page(world: World) -> None:
    """Tasks and permits are updated in place however often, goals where the status stays (HOT).

    An attempt and a card have one update of which an index must know: it ran, it was shown.
    """
    world.policy = ASK_MO
    world.wire()
    for number in range(GOALS):
        goal_id = await world.start(
            *[step(f"r{at}", "find_items", query=f"x{number}-{at}") for at in range(3)],
            add("w0", f"Report {number}", guests=["a@b.example"], after=("r0", "r1", "r2")),
        )
        item = await world.item(goal_id)
        await world.desk.decide(Click(TEAM, MO), item, Verdict.APPROVE, None)
        await world.drive(goal_id)
        assert (await world.goal(goal_id)).status is GoalStatus.DONE
    found = await figures(world)
    per_goal = {name: (updated / GOALS, hot / GOALS) for name, (updated, hot) in found.items()}
    for name in ("tasks", "permits"):
        updated, hot = per_goal[name]
        assert updated >= 4, name
        assert hot >= MOST * updated, name
    moves = world.one("SELECT count(*) FROM audit WHERE tag LIKE '%:goal:%'") / GOALS
    updated, hot = per_goal["goals"]
    assert updated - hot <= moves < updated
    assert per_goal["attempts"] == (4, 0)
    assert per_goal["outbox"][0] <= 3
