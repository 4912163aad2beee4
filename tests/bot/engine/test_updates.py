"""Updates in place: what changes no index stays on its page and leaves nothing to vacuum."""

import asyncio

from tests.bot.engine.world import World, add

_FIGURES = (
    "SELECT ARRAY[n_tup_upd, n_tup_hot_upd] FROM pg_stat_user_tables WHERE relname = 'permits'"
)


async def test_updates_that_change_no_index_stay_on_their_page(world: World) -> None:
    """A permit is spent in place (HOT): no index has a changed column, and the page has room."""
    for number in range(5):
        await world.start(*[add(f"t{at}", f"Report {number}-{at}") for at in range(1, 6)])
    # A server process tells its figures when it ends, a moment after its connection was closed.
    await world.database.close()
    async with asyncio.timeout(5):
        while (figures := world.one(_FIGURES))[0] < 25:  # noqa: ASYNC110 -- a process's
            await asyncio.sleep(0.02)
    assert figures == [25, 25]
