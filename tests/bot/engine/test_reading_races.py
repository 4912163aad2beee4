"""Messages that a model reads while the goal they are about changes."""

import dataclasses
from collections.abc import Awaitable, Callable

from bot.planning.reading import Read, Reader, ReadRequest
from storage.tables.goals import TaskStatus
from storage.tables.remarks import RemarkStatus
from tests.bot.engine.replanning import Scene, plan, replanning, task
from tests.bot.engine.test_readings import reading
from tests.bot.engine.test_remarks import card
from tests.bot.engine.threads import said
from tests.bot.engine.world import ASK_MO, TEAM, World

APPLE = task("t1", "add_keyed", name="Apple", guests=["x@acme.example"])
BERRY = task("t2", "add_keyed", name="Berry", guests=["x@acme.example"])
NUT = task("t2", "add_keyed", name="Nut", guests=["x@acme.example"])


@dataclasses.dataclass
class Slow:
    """A reader whose answer arrives after something else happened."""

    reader: Reader
    meanwhile: Callable[[], Awaitable[object]]

    async def read(self, request: ReadRequest) -> Read:
        found = await self.reader.read(request)
        await self.meanwhile()
        return found


def remark_ids(world: World) -> list[int]:
    found: list[int] = world.one("SELECT array_agg(id ORDER BY id) FROM remarks")
    return found


async def read_slowly(
    scene: Scene, remark_id: int, meanwhile: Callable[[], Awaitable[object]]
) -> None:
    """Run the job that reads a remark, with something that happens before its answer."""
    assert scene.reading.reader is not None
    slow = Slow(scene.reading.reader, meanwhile)
    await dataclasses.replace(scene.reading, reader=slow).read_remark(TEAM, remark_id)


async def test_reading_of_an_older_plan_changes_nothing(world: World) -> None:
    """A step's key may mean another step in a newer plan: what was read of the old one is void."""
    script = plan(APPLE, BERRY), reading("change", drop=["t2"]), reading("change", add=True)
    async with replanning(world, *script, plan(APPLE, NUT), can_read=True, policy=ASK_MO) as scene:
        await scene.say()
        await world.goals.receive(said("ohne Berry bitte", ts="9.0"))
        await world.goals.receive(said("nimm Nuss statt Berry", ts="9.1"))
        first, second = remark_ids(world)

        async def change() -> None:
            await scene.reading.read_remark(TEAM, second)
            await scene.settle()

        await read_slowly(scene, first, change)
        nut = (await world.tasks(scene.goal_id))["t2"]
        assert (nut.status, nut.spec["arguments"]["name"]) == (TaskStatus.PENDING, "Nut")
        shown = await card(world, first)
        assert shown.status is RemarkStatus.ASKING
        assert shown.said.startswith("The plan changed while I was reading that")
        assert [label for label, _ in shown.options] == ["A new goal"]
