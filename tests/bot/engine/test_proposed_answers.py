"""Words that are no plain value, while a value is asked for: nothing takes them as one unasked."""

import json

import pytest

from bot.engine.proposed_answers import is_plain_value
from bot.goals.clicks import Click
from connectors.labels import Label
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.remarks import RemarkStatus
from tests.bot.engine.replanning import replanning
from tests.bot.engine.test_readings import new, reading
from tests.bot.engine.test_remarks import card
from tests.bot.engine.threads import said
from tests.bot.engine.world import DANA, TEAM, World, add, ref, step

ME = Click(TEAM, DANA)
LONG = "the one that the warehouse in Hamburg calls jumbo"
QUESTION = "what is the status of this?"


async def asking(world: World) -> int:
    world.provider.sizes = ("small", "big")
    return await world.start(add("t1", "Acme", size="huge"))


async def _size(world: World, goal_id: int) -> tuple[str, int]:
    arguments = (await world.tasks(goal_id))["t1"].spec["arguments"]
    return arguments["size"], (await world.goal(goal_id)).plan_version


@pytest.mark.parametrize(
    "text", ["small", "Acme Corp", "60k", "Will Smith", "next Thursday at 3pm"]
)
def test_short_words_are_a_value(text: str) -> None:
    """Who is asked for a value mostly writes nothing but it."""
    assert is_plain_value(text)


@pytest.mark.parametrize(
    "text", [QUESTION, "how is it going", "wann kommt das", "can you hurry", "small?", LONG]
)
def test_questions_and_sentences_are_no_value(text: str) -> None:
    """A person may write about something else all the same."""
    assert not is_plain_value(text)


@pytest.mark.parametrize("text", ["how big it comes", LONG])
async def test_words_that_may_be_something_else_are_stored_at_a_click_alone(
    world: World, text: str
) -> None:
    """Without a model the person says what they meant; until then the step goes on asking."""
    goal_id = await asking(world)

    await world.goals.receive(said(text))

    assert await _size(world, goal_id) == ("huge", 1)
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.ASKING
    shown = await card(world)
    assert shown.said == "Is that the answer to my question, or a new goal? Nothing is changed yet."
    assert [label for label, _ in shown.options] == ["Use it as the answer", "A new goal"]
    assert (await world.remarks.pick(ME, shown.remark_id, 0)).ok
    assert await _size(world, goal_id) == (text, 2)
    labels = (await world.tasks(goal_id))["t1"].spec["labels"]
    assert labels["/size"]["label"] == Label.MESSAGE


async def test_question_that_cannot_be_the_value_changes_nothing(world: World) -> None:
    """What the argument does not take is not offered as the answer."""
    goal_id = await asking(world)
    await world.goals.receive(said(QUESTION))
    shown = await card(world)
    assert shown.said.startswith("I did not take that as the answer to my question")
    assert [label for label, _ in shown.options] == ["A new goal"]
    assert await _size(world, goal_id) == ("huge", 1)


async def test_choice_of_many_words_is_the_answer(world: World) -> None:
    """What the card offers is taken however it is worded."""
    world.provider.sizes = (LONG,)
    goal_id = await world.start(add("t1", "Acme", size="huge"))
    await world.goals.receive(said(LONG))
    assert await _size(world, goal_id) == (LONG, 2)


async def test_question_about_the_goal_is_told_while_a_value_is_asked(world: World) -> None:
    """A model reads it first; the step goes on asking."""
    async with replanning(world, reading("question"), can_read=True) as scene:
        goal_id = await asking(world)
        await scene.hear(QUESTION)
        assert (await card(world)).status is RemarkStatus.TOLD
        assert await _size(world, goal_id) == ("huge", 1)
        asked = json.loads(await scene.asked(0))["asked"]
        assert asked == {"step": "t1", "field": "size"}


async def test_sentence_that_a_model_reads_as_the_answer_is_shown_first(world: World) -> None:
    """What was made of a sentence is brought in by a click, as any change that a model read."""
    answer = reading("change", set=[new("t1", "size", "small")])
    async with replanning(world, answer, can_read=True) as scene:
        goal_id = await asking(world)
        await scene.hear("oh well, in that case just take the small one")
        assert await _size(world, goal_id) == ("huge", 1)
        await world.remarks.pick(ME, (await card(world)).remark_id, 0)
        assert await _size(world, goal_id) == ("small", 2)


async def test_words_that_nobody_can_read_may_still_be_the_answer(world: World) -> None:
    """A model that makes no sense takes the answer from nobody."""
    async with replanning(world, "?", can_read=True) as scene:
        goal_id = await asking(world)
        await scene.hear(LONG)
        shown = await card(world)
        assert [label for label, _ in shown.options] == ["Use it as the answer", "A new goal"]
        await world.remarks.pick(ME, shown.remark_id, 0)
        assert await _size(world, goal_id) == (LONG, 2)


@pytest.mark.parametrize("who", ["a model", "nobody"])
async def test_question_while_a_first_read_asks_is_no_answer(world: World, who: str) -> None:
    """Before there is a plan to change, the person is told how to answer, whoever could read."""
    world.can_read = who == "a model"
    world.wire()
    goal_id = await world.start(
        step("t1", "find_items", query="?"),
        add("t2", "Below", parent_id=ref("t1", "items", 0, "id")),
    )
    assert (await world.goal(goal_id)).status is GoalStatus.PLANNING
    await world.goals.receive(said(QUESTION))
    assert (await card(world)).said.startswith("I did not take that as the answer")
    assert (await world.tasks(goal_id))["t1"].spec["arguments"]["query"] == "?"
