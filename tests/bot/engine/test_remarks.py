"""Questions about what a message in a goal thread means: a button a meaning, checked anew."""

from dataclasses import replace

import pytest

from bot.engine.cards import RemarkCard
from bot.engine.remarks import remark_card
from bot.goals.clicks import Click
from storage.errors import NotFoundError
from storage.tables.approvals import ApprovalStatus
from storage.tables.goals import GoalStatus
from storage.tables.remarks import RemarkStatus
from tests.bot.engine.test_changes import GUESTS, answers, asked, waiting
from tests.bot.engine.threads import said
from tests.bot.engine.world import ASK_MO, DANA, MO, TEAM, World, add

ME = Click(TEAM, DANA)


async def card(world: World, remark_id: int | None = None) -> RemarkCard:
    """Return a remark's card, the newest one's where none is named."""
    remark_id = remark_id or world.one("SELECT max(id) FROM remarks")
    assert remark_id is not None
    async with world.database.transaction() as tx:
        return await remark_card(tx, TEAM, remark_id, cards=world.cards)


async def several(world: World) -> tuple[int, RemarkCard]:
    """Return a goal, and the question about a message that fits two of its steps."""
    goal_id = await waiting(world)
    await world.goals.receive(said("change the size to 9", ts="9.0"))
    return goal_id, await card(world)


async def test_words_that_fit_several_steps_change_nothing_and_ask(world: World) -> None:
    """The question has a button for each thing that the words could mean."""
    goal_id, shown = await several(world)
    assert shown.status is RemarkStatus.ASKING
    assert shown.said == "Which one do you mean? Nothing is changed yet."
    assert shown.options == (
        ("Add “Kickoff” (size)", "Add “Kickoff”: size becomes 9"),
        ("Add “Report” (size)", "Add “Report”: size becomes 9"),
    )
    assert (await world.goal(goal_id)).plan_version == 1
    assert await answers(world) == []
    assert world.one("SELECT count(*) FROM outbox WHERE noun = 'remark'") == 1


async def test_click_on_a_meaning_makes_that_change_alone(world: World) -> None:
    """The other step and its approval stay, and the question becomes its answer."""
    goal_id, shown = await several(world)
    answer = await world.remarks.pick(ME, shown.remark_id, 1)
    assert answer.ok
    tasks = await world.tasks(goal_id)
    assert (tasks["t2"].spec["arguments"]["size"], tasks["t3"].spec["arguments"]["size"]) == (
        "5",
        "9",
    )
    assert tasks["t3"].spec["labels"]["/size"]["label"] == "message"
    assert (await asked(world, goal_id))["t2"] is ApprovalStatus.PENDING
    settled = await card(world)
    assert (settled.status, settled.options) == (RemarkStatus.SETTLED, ())
    assert settled.said.startswith("Changed: Add “Report”. Size is now 9.")


async def test_second_click_changes_nothing_more(world: World) -> None:
    """A question is answered once, however often its buttons are pressed (S12)."""
    goal_id, shown = await several(world)
    await world.remarks.pick(ME, shown.remark_id, 0)
    late = await world.remarks.pick(ME, shown.remark_id, 1)
    assert (late.ok, late.text) == (False, "I have that answer already; nothing changed.")
    assert (await world.goal(goal_id)).plan_version == 2


async def test_click_of_somebody_else_changes_nothing(world: World) -> None:
    """Only the requester says what was meant (S13)."""
    goal_id, shown = await several(world)
    for answer in (
        await world.remarks.pick(Click(TEAM, MO), shown.remark_id, 0),
        await world.remarks.dismiss(Click(TEAM, MO), shown.remark_id),
    ):
        assert (answer.ok, answer.text) == (
            False,
            "Only the person who asked for this can answer.",
        )
    assert (await world.goal(goal_id)).plan_version == 1
    assert (await card(world)).status is RemarkStatus.ASKING


async def test_click_after_another_change_of_the_plan_is_void(world: World) -> None:
    """An option was made for one version of the plan; it does not apply to the next (S12)."""
    goal_id, shown = await several(world)
    await world.goals.receive(said("drop the kickoff", ts="9.5"))
    answer = await world.remarks.pick(ME, shown.remark_id, 1)
    assert answer.text.startswith("The plan has changed since I asked, so I changed nothing.")
    assert (await world.goal(goal_id)).plan_version == 2
    assert (await card(world)).status is RemarkStatus.SETTLED


async def test_click_after_the_step_began_changes_nothing(world: World) -> None:
    """Whether a step is still open is looked up when the button is pressed."""
    goal_id, shown = await several(world)
    task = (await world.tasks(goal_id))["t2"]
    world.sql("UPDATE tasks SET status = 'running' WHERE id = %s", task.id)
    answer = await world.remarks.pick(ME, shown.remark_id, 0)
    assert answer.text == "That step has begun or is over, so I changed nothing."
    assert (await world.goal(goal_id)).plan_version == 1


async def test_click_after_the_goal_ended_changes_nothing(world: World) -> None:
    """The answer says how the goal stands."""
    goal_id, shown = await several(world)
    await world.goals.receive(said("stop", ts="9.5"))
    answer = await world.remarks.pick(ME, shown.remark_id, 0)
    assert answer.text == "This goal is cancelled already, so I changed nothing."
    assert (await world.goal(goal_id)).status is GoalStatus.CANCELLED


async def test_none_of_these_closes_the_question(world: World) -> None:
    """Nothing changes, and no button is left."""
    goal_id, shown = await several(world)
    answer = await world.remarks.dismiss(ME, shown.remark_id)
    assert answer.text.startswith("Nothing was changed.")
    assert (await card(world)).options == ()
    assert (await world.goal(goal_id)).plan_version == 1


async def test_message_that_arrives_twice_is_asked_about_once(world: World) -> None:
    """Slack may send an event again."""
    await several(world)
    await world.goals.receive(said("change the size to 9", ts="9.0"))
    assert world.one("SELECT count(*) FROM remarks") == 1


@pytest.mark.parametrize("count", [4, 6])
async def test_at_most_four_meanings_have_buttons(world: World, count: int) -> None:
    """Of more the person is told how to name another one."""
    steps = [add(f"t{n}", f"Deal {n}", size="5") for n in range(count)]
    goal_id = await world.plan(*steps)
    await world.drive(goal_id)
    await world.goals.receive(said("change the size to 9", ts="9.0"))
    shown = await card(world)
    assert len(shown.options) == 4
    assert ("It fits 6 things" in shown.said) is (count > 4)


async def test_finished_step_stays_and_a_new_goal_is_offered(world: World) -> None:
    """What is done is not changed by words; its undo is named, and a goal begins at a click."""
    await waiting(world)
    await world.goals.receive(said("drop the company"))
    shown = await card(world)
    assert shown.said.startswith("“Add “Company”” has been done or is under way, so it stays.")
    assert [label for label, _ in shown.options] == ["A new goal"]
    assert world.one("SELECT count(*) FROM goals") == 1
    await world.remarks.pick(ME, shown.remark_id, 0)
    assert world.one("SELECT text FROM goals ORDER BY id DESC LIMIT 1") == "drop the company"


async def test_words_that_name_no_step_may_be_either(world: World) -> None:
    """Each button says what it would do; nothing begins silently."""
    goal_id = await waiting(world)
    await world.goals.receive(said("change the size of the party to 9"))
    shown = await card(world)
    assert shown.said == "Is that a change of this goal, or a new one? Nothing is changed yet."
    assert [line for _, line in shown.options] == [
        "Add “Kickoff”: size becomes 9",
        "Add “Report”: size becomes 9",
        "A new goal: I plan it by itself.",
    ]
    assert world.one("SELECT count(*) FROM goals") == 1
    await world.remarks.pick(ME, shown.remark_id, 0)
    assert (await world.tasks(goal_id))["t2"].spec["arguments"]["size"] == "9"
    assert world.one("SELECT count(*) FROM goals") == 1


async def test_only_step_that_can_be_meant_is_this_goal(world: World) -> None:
    """Two buttons: change this goal, or a new one."""
    world.policy = ASK_MO
    world.wire()
    await world.start(add("t1", "Note", is_own=True), add("t2", "Kickoff", guests=GUESTS))
    await world.goals.receive(said("drop the party"))
    shown = await card(world)
    assert shown.options == (
        ("Change this goal", "Leave out: Add “Kickoff”"),
        ("A new goal", "A new goal: I plan it by itself."),
    )


async def test_amount_that_nothing_can_take_is_asked_about(world: World) -> None:
    """A form that fits nothing at all is offered as a goal, and as nothing else."""
    await waiting(world)
    await world.goals.receive(said("make it 50,000"))
    shown = await card(world)
    assert shown.said.startswith("I found nothing in this goal that this changes.")
    assert [label for label, _ in shown.options] == ["A new goal"]


@pytest.mark.parametrize("deleted", ["9.0", "8.0"])
async def test_question_about_a_deleted_message_is_closed(world: World, deleted: str) -> None:
    """Whoever takes a message back did not want it; other messages leave the question open."""
    goal_id, _ = await several(world)
    await world.goals.message_deleted(TEAM, "D1", deleted)
    shown = await card(world)
    assert (shown.status is RemarkStatus.SETTLED) is (deleted == "9.0")
    assert (await world.goal(goal_id)).plan_version == 1


async def test_number_that_no_button_has_changes_nothing(world: World) -> None:
    """A forged payload names nothing that was not offered (S15)."""
    goal_id, shown = await several(world)
    answer = await world.remarks.pick(ME, shown.remark_id, 7)
    assert not answer.ok
    assert (await world.goal(goal_id)).plan_version == 1
    with pytest.raises(NotFoundError):
        await world.remarks.pick(Click("T-OTHER", DANA), shown.remark_id, 0)


async def test_corrected_message_is_told_that_the_first_words_count(world: World) -> None:
    """Its question stays; another message is another question."""
    await several(world)
    await world.goals.receive(replace(said("change the size to 8", ts="9.0"), is_edited=True))
    assert await answers(world) == [
        "I still go by what you wrote first. To change that, write it in a new message here."
    ]
    assert (await card(world)).options[0][1] == "Add “Kickoff”: size becomes 9"
