"""Messages that a model reads while the goal they are about changes."""

import dataclasses
from collections.abc import Awaitable, Callable

from bot.planning.reading import Read, Reader, ReadRequest
from bot.views.remarks import build_remark_blocks
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.remarks import RemarkStatus
from tests.bot.engine.replanning import Scene, plan, question, replanning, task
from tests.bot.engine.test_readings import new, reading
from tests.bot.engine.test_remarks import card
from tests.bot.engine.threads import said
from tests.bot.engine.world import ASK_MO, TEAM, World

APPLE = task("t1", "add_keyed", name="Apple", guests=["x@acme.example"])
BERRY = task("t2", "add_keyed", name="Berry", guests=["x@acme.example"])
THIRD = task("t3", "add_keyed", name="Nut", guests=["x@acme.example"])
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


async def two_messages(scene: Scene) -> tuple[int, int]:
    """Return two remarks about a goal that the first one sent back to its planner."""
    await scene.say()
    await scene.run()
    await scene.world.goals.receive(said("noch Nuss", ts="9.0"))
    await scene.world.goals.receive(said("die Nuss mit Größe 9", ts="9.1"))
    first, second = remark_ids(scene.world)
    await scene.reading.read_remark(TEAM, first)
    assert (await scene.world.goal(scene.goal_id)).status is GoalStatus.PLANNING
    return first, second


def is_open_job(world: World) -> bool:
    query = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'read_remark'"
    return bool(world.one(query))


async def test_second_message_is_read_when_the_first_is_planned(world: World) -> None:
    """Two messages in a row both count: the second is read against the plan of the first."""
    script = plan(APPLE, BERRY), reading("change", add=True)
    rest = plan(APPLE, BERRY, THIRD), reading("change", set=[new("t3", "size", "9")])
    async with replanning(world, *script, *rest, can_read=True, policy=ASK_MO) as scene:
        _, second = await two_messages(scene)
        await scene.reading.read_remark(TEAM, second)
        assert "as soon as the plan is made" in str(build_remark_blocks(await card(world, second)))
        world.forget_jobs()
        await scene.reading.sweep()
        assert not is_open_job(world)
        await scene.job.plan_goal(TEAM, scene.goal_id)
        await scene.settle()
        world.forget_jobs()
        await scene.reading.sweep()
        assert is_open_job(world)
        await scene.reading.read_remark(TEAM, second)
        assert (await card(world, second)).status is RemarkStatus.SETTLED
        assert (await world.tasks(scene.goal_id))["t3"].spec["arguments"]["size"] == "9"


async def test_change_that_was_read_while_a_plan_is_made_is_read_again(world: World) -> None:
    """The goal did not end, so nobody is told that it did."""
    script = plan(APPLE, BERRY), reading("change", drop=["t2"]), reading("change", add=True)
    async with replanning(world, *script, can_read=True, policy=ASK_MO) as scene:
        await scene.say()
        await world.goals.receive(said("ohne Berry", ts="9.0"))
        await world.goals.receive(said("noch Nuss", ts="9.1"))
        first, second = remark_ids(world)
        await read_slowly(scene, first, lambda: scene.reading.read_remark(TEAM, second))
        assert (await card(world, first)).status is RemarkStatus.READING
        assert (await world.goal(scene.goal_id)).status is GoalStatus.PLANNING


async def test_message_is_not_held_for_ever(world: World) -> None:
    """A plan whose first look waits for its requester may take days: then it says so."""
    script = plan(APPLE, BERRY), reading("change", add=True)
    async with replanning(world, *script, can_read=True, policy=ASK_MO) as scene:
        _, second = await two_messages(scene)
        world.sql("UPDATE remarks SET created_at = now() - interval '11 minutes'")
        await scene.reading.read_remark(TEAM, second)
        assert (await card(world, second)).said.startswith("I am still working out this goal")


async def test_message_while_the_planner_asks_is_put_after_the_answer(world: World) -> None:
    """What the planner lacks comes first; the goal did not end."""
    script = plan(APPLE, BERRY), reading("change", add=True), question("Which nut?", "Hazel")
    async with replanning(world, *script, can_read=True, policy=ASK_MO) as scene:
        _, second = await two_messages(scene)
        await scene.job.plan_goal(TEAM, scene.goal_id)
        assert (await world.goal(scene.goal_id)).status is GoalStatus.ASKING
        await scene.reading.read_remark(TEAM, second)
        shown = await card(world, second)
        assert shown.said.startswith("I asked you something about this goal")
        assert [label for label, _ in shown.options] == ["A new goal"]
