"""Questions about values beside their answers: where they are listed, and what ends them."""

import pytest

from bot.engine.cards import PlanForm
from bot.engine.home_queries import HomeQueries
from bot.engine.questions import Question
from bot.goals.clicks import Answer, Click
from storage import outbox
from storage.tables.goals import GoalStatus, Task
from tests.bot.engine.test_proposed_answers import asking
from tests.bot.engine.threads import said
from tests.bot.engine.world import DANA, TEAM, World, step

ME = Click(TEAM, DANA)


async def _asked(world: World, goal_id: int) -> tuple[Task, Question]:
    task = (await world.tasks(goal_id))["t1"]
    question = Question.of(task)
    assert question is not None
    return task, question


async def _ending(world: World, task_id: int) -> str | None:
    async with world.database.transaction() as tx:
        return (await world.cards.questions.load(tx, TEAM, task_id)).answered


@pytest.mark.parametrize("way", ["words", "choice", "form"])
async def test_answered_question_thanks_for_the_answer(world: World, way: str) -> None:
    """However the answer was given, its card knows it."""
    goal_id = await asking(world)
    task, question = await _asked(world, goal_id)
    if way == "words":
        await world.goals.receive(said("big"))
    elif way == "choice":
        await world.answers.choose(ME, task.id, question.version, 1)
    else:
        await world.plans.edit(ME, goal_id, 1, frozenset(), {"t1": {"size": "big"}})
    assert await _ending(world, task.id) == "Thanks, I have your answer."


async def test_question_that_another_change_ended_thanks_for_nothing(world: World) -> None:
    """A change that is no answer to it leaves nothing to ask; the card says so."""
    goal_id = await asking(world)
    task, _ = await _asked(world, goal_id)
    edited = await world.plans.edit(ME, goal_id, 1, frozenset(), {"t1": {"name": "Beta"}})
    assert edited == Answer("The card shows the new version.")
    assert await _ending(world, task.id) == (
        "The plan has changed, so I do not need your answer any more."
    )


async def test_question_of_a_version_before_is_answered_all_the_same(world: World) -> None:
    """During a rolling deploy a question may be stored without its step: it is the asker's."""
    goal_id = await asking(world)
    task, _ = await _asked(world, goal_id)
    world.sql("UPDATE tasks SET failure = failure - 'step' WHERE id = %s", task.id)
    assert (await _asked(world, goal_id))[1].step == "t1"
    await world.goals.receive(said("big"))
    assert (await world.tasks(goal_id))["t1"].spec["arguments"]["size"] == "big"


async def test_answer_while_the_planner_asks_names_the_other_question(world: World) -> None:
    """Nobody is told to wait for a planner that itself waits for them."""
    goal_id = await asking(world)
    task, question = await _asked(world, goal_id)
    world.sql("UPDATE goals SET status = 'asking' WHERE id = %s", goal_id)
    answer = await world.answers.choose(ME, task.id, question.version, 0)
    expected = "First answer my other question about this goal; then answer this one."
    assert answer == Answer(expected, ok=False)


async def test_refused_look_up_of_a_goal_that_only_reads_is_answered_in_its_form(
    world: World,
) -> None:
    """Nothing is dropped by an answer, so it leaves as much to do as before."""
    goal_id = await world.start(
        step("t1", "find_items", query="?"),
        step("t2", "builtin.answer", question="Hello?", rows=[]),
    )
    task, question = await _asked(world, goal_id)
    form = await world.answers.form(ME, task.id, question.version)
    assert isinstance(form, PlanForm)
    values = {"t1": {"query": "Acme"}}
    edited = await world.plans.edit(ME, goal_id, form.version, frozenset(), values)
    assert edited == Answer("The card shows the new version.")
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_step_whose_end_nobody_knows_waits_on_home(world: World) -> None:
    """What only the requester can tell stands among what waits for them."""
    goal_id = await asking(world)
    task, _ = await _asked(world, goal_id)
    world.sql("UPDATE tasks SET status = 'unknown', failure = NULL WHERE id = %s", task.id)
    async with world.database.transaction() as tx:
        await outbox.show(
            tx,
            team_id=TEAM,
            noun="unknown",
            subject=task.id,
            channel_id="D1",
            thread_ts="1.0",
            priority=1,
        )
    world.sql("UPDATE people SET dm_channel_id = 'D1' WHERE person_id = %s", DANA)
    link = '{"permalink": "https://x.example/1"}'
    world.sql("UPDATE outbox SET data = %s::jsonb WHERE noun = 'unknown'", link)
    homes = HomeQueries(database=world.database, registry=world.registry, examples=())
    (line,) = (await homes.load(TEAM, DANA)).waiting_for_you
    assert (line.text, line.url) == (
        "Tell me what became of a step of: Do it",
        "https://x.example/1",
    )
