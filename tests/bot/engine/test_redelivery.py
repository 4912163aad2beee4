"""A message that is handled again, because its worker died once it had acted, changes nothing."""

from storage.tables.goals import GoalStatus
from tests.bot.engine.replanning import question, replanning
from tests.bot.engine.test_undo_goal import undos
from tests.bot.engine.threads import said
from tests.bot.engine.world import ASK_MO, TEAM, World, add


async def test_undo_that_comes_twice_takes_back_one_goal(world: World) -> None:
    """The older goal of the thread was not meant."""
    await world.start(add("t1", "Old", is_own=True))
    await world.start(add("t1", "New", is_own=True))
    word = said("undo")
    for _ in range(2):
        await world.goals.receive(word)
        await world.drive(undos(world)[-1])
    assert world.provider.effects == ["Old", "New", "remove New"]


async def test_stop_that_comes_twice_stops_one_goal(world: World) -> None:
    """What else is open in the thread goes on; a second word of the person stops that, too."""
    world.policy = ASK_MO
    world.wire()
    older = await world.start(add("t1", "Old", guests=["j@acme.example"]))
    newer = await world.start(add("t1", "New", guests=["j@acme.example"]))
    word = said("stop")
    for _ in range(2):
        await world.goals.receive(word)
    assert (await world.goal(newer)).status is GoalStatus.CANCELLED
    assert (await world.goal(older)).status is GoalStatus.WAITING
    await world.goals.receive(said("stop"))
    assert (await world.goal(older)).status is GoalStatus.CANCELLED


async def test_answer_that_comes_twice_answers_one_question(world: World) -> None:
    """The next step's question is still open."""
    world.provider.sizes = ("small", "big")
    goal_id = await world.start(add("t1", "A", size="huge"), add("t2", "B", size="giant"))
    answer = said("small")
    for _ in range(2):
        await world.goals.receive(answer)
    sizes = {k: task.spec["arguments"]["size"] for k, task in (await world.tasks(goal_id)).items()}
    assert sizes == {"t1": "small", "t2": "giant"}


async def test_answer_to_the_planner_that_comes_twice_answers_once(world: World) -> None:
    """The planner's second question is not answered by the words of the first."""
    asked = question("Which company?", "Acme", "Beta"), question("Which day?", "Mon")
    async with replanning(world, *asked) as scene:
        await scene.say_first()
        answer = said("Acme")
        await world.goals.receive(answer)
        await scene.job.plan_goal(TEAM, scene.goal_id)
        await world.goals.receive(answer)
        goal = await world.goal(scene.goal_id)
    assert goal.status is GoalStatus.ASKING
    assert [item["answer"] for item in goal.clarifications] == ["Acme"]
