"""Values that are refused: their requester is asked for another one, and the step runs with it."""

import pytest

from bot.engine.cards import PlanForm
from bot.engine.home_queries import HomeQueries
from bot.engine.overdue import Overdue
from bot.engine.questions import Question
from bot.goals.clicks import Answer, Click
from connectors.labels import Label
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus, Task, TaskStatus
from tests.bot.engine.threads import said
from tests.bot.engine.world import ASK_MO, DANA, MO, TEAM, World, add, ref, step

DANAS = Click(TEAM, DANA)


@pytest.fixture(autouse=True)
def _choosy(world: World) -> None:
    world.provider.sizes = ("small", "big")


async def _asking(world: World, goal_id: int, key: str = "t1") -> tuple[Task, Question]:
    task = (await world.tasks(goal_id))[key]
    question = Question.of(task)
    assert question is not None, (task.status, task.failure)
    return task, question


async def _choose(world: World, goal_id: int, number: int, key: str = "t1") -> Answer:
    task, question = await _asking(world, goal_id, key)
    return await world.answers.choose(DANAS, task.id, question.version, number)


async def _go_on(world: World, goal_id: int) -> None:
    """Drive, and press Run on the version that the answer made."""
    await world.drive(goal_id)
    goal = await world.goal(goal_id)
    if goal.status is GoalStatus.PROPOSED:
        assert (await world.plans.run(DANAS, goal_id, goal.plan_version)).ok
        await world.drive(goal_id)


async def _notes(world: World) -> list[str]:
    with_text = "SELECT array_agg(data->>'text' ORDER BY id) FROM outbox WHERE noun = 'note'"
    return world.one(with_text) or []


async def test_refused_value_of_the_requester_asks_and_lets_other_branches_go_on(
    world: World,
) -> None:
    """What the provider refuses is asked about with what it takes; the rest does not wait."""
    goal_id = await world.start(
        add("t1", "Acme", size="huge"), add("t2", ref("t1", "name")), add("t3", "Beta")
    )

    task, question = await _asking(world, goal_id)
    assert question.fields == ("size",)
    assert question.choices == ("small", "big")
    assert await world.statuses(goal_id) == {
        "t1": TaskStatus.ASKING,
        "t2": TaskStatus.PENDING,
        "t3": TaskStatus.SUCCEEDED,
    }
    assert (await world.goal(goal_id)).status is GoalStatus.WAITING
    async with world.database.transaction() as tx:
        card = await world.cards.questions.load(tx, TEAM, task.id)
    assert (card.message, card.fields, card.answered) == (
        "Counting does not know this size.",
        ("Size",),
        None,
    )


async def test_chosen_value_is_shown_and_runs_once_as_a_new_version(world: World) -> None:
    """A click on a choice is the next plan version; the refused try had no effect."""
    goal_id = await world.start(add("t1", "Acme", size="huge"), add("t2", "Beta", after=("t1",)))

    answer = await _choose(world, goal_id, 1)

    assert answer == Answer("Thanks, I go on with: big")
    assert world.jobs() == [goal_id]
    await _go_on(world, goal_id)
    goal = await world.goal(goal_id)
    assert (goal.status, goal.plan_version) == (GoalStatus.DONE, 2)
    assert world.provider.effects == ["Acme", "Beta"]
    assert [item["size"] for item in world.provider.items.values()] == ["big", None]
    labels = (await world.tasks(goal_id))["t1"].spec["labels"]
    assert labels["/size"]["label"] == Label.MESSAGE
    assert labels["/size"]["source"] == "typed by Dana Reyes in answer to my question"


@pytest.mark.parametrize("kind", ["keyed", "verifiable", "unsafe"])
async def test_every_kind_of_write_asks_and_happens_once(world: World, kind: str) -> None:
    """However a lost reply would be settled, a refusal is no lost reply."""
    goal_id = await world.start(add("t1", "Acme", kind=kind, size="huge"))

    await _choose(world, goal_id, 0)
    await _go_on(world, goal_id)

    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert world.provider.effects == ["Acme"]


async def test_words_in_the_thread_are_the_answer_and_bad_ones_are_told_why(
    world: World,
) -> None:
    """The thread takes the value itself; what is refused again asks again."""
    goal_id = await world.start(add("t1", "Acme", size="huge"))

    await world.goals.receive(said("giant", ts="9.1"))
    await _go_on(world, goal_id)
    _, question = await _asking(world, goal_id)
    assert question.version == 2
    await world.goals.receive(said("giant", ts="9.2"))
    assert (await _notes(world))[-1].startswith("I cannot use that: it is what was refused.")
    await world.goals.receive(said("small", ts="9.3"))
    await _go_on(world, goal_id)

    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    assert [item["size"] for item in world.provider.items.values()] == ["small"]


async def test_answer_of_an_older_card_or_of_somebody_else_changes_nothing(world: World) -> None:
    """Each question is answered once, by its requester alone."""
    goal_id = await world.start(add("t1", "Acme", size="huge"))
    task, question = await _asking(world, goal_id)

    other = await world.answers.choose(Click(TEAM, MO), task.id, question.version, 0)
    assert not other.ok
    await world.goals.receive(said("giant"))
    await _go_on(world, goal_id)
    late = await world.answers.choose(DANAS, task.id, question.version, 0)

    assert late == Answer("I have that answer already; nothing changed.", ok=False)
    assert (await _asking(world, goal_id))[1].version == 2
    assert (await world.goal(goal_id)).plan_version == 2


async def test_another_value_is_written_in_the_form_of_the_step(world: World) -> None:
    """The form holds what was refused and nothing else; saving it is an edit of the plan."""
    goal_id = await world.start(add("t1", "Acme", size="huge"))
    task, question = await _asking(world, goal_id)

    form = await world.answers.form(DANAS, task.id, question.version)

    assert isinstance(form, PlanForm)
    assert [field.name for field in form.steps[0].fields] == ["size"]
    edited = await world.plans.edit(
        DANAS, goal_id, form.version, frozenset(), {"t1": {"size": "big"}}
    )
    assert isinstance(edited, Answer)
    assert edited.ok
    await _go_on(world, goal_id)
    assert [item["size"] for item in world.provider.items.values()] == ["big"]


@pytest.mark.parametrize("way", ["words", "click"])
async def test_left_out_step_takes_what_needs_it_along_and_the_rest_is_done(
    world: World, way: str
) -> None:
    """Leaving the step out drops its followers; what else was planned stays."""
    goal_id = await world.start(
        add("t1", "Acme", size="huge"), add("t2", ref("t1", "name")), add("t3", "Beta")
    )
    task, question = await _asking(world, goal_id)

    if way == "words":
        await world.goals.receive(said("leave it out"))
    else:
        assert (await world.answers.leave_out(DANAS, task.id, question.version)).ok
    await _go_on(world, goal_id)

    assert await world.statuses(goal_id) == {
        "t1": TaskStatus.CANCELLED,
        "t2": TaskStatus.CANCELLED,
        "t3": TaskStatus.SUCCEEDED,
    }
    assert (await world.goal(goal_id)).status is GoalStatus.DONE
    async with world.database.transaction() as tx:
        card = await world.cards.questions.load(tx, TEAM, task.id)
    assert card.answered == "This step is left out."


async def test_left_out_step_that_was_all_ends_the_goal(world: World) -> None:
    """Where nothing else was to do, leaving the step out is a cancel that says so."""
    goal_id = await world.start(add("t1", "Acme", size="huge"))
    task, question = await _asking(world, goal_id)

    answer = await world.answers.leave_out(DANAS, task.id, question.version)

    assert answer.ok
    assert (await world.goal(goal_id)).status is GoalStatus.CANCELLED
    assert world.provider.effects == []


async def test_stopped_goal_asks_no_more(world: World) -> None:
    """A stop drops the question; a late answer changes nothing."""
    goal_id = await world.start(add("t1", "Acme", size="huge"))
    task, question = await _asking(world, goal_id)

    await world.goals.receive(said("stop"))

    assert (await world.goal(goal_id)).status is GoalStatus.CANCELLED
    late = await world.answers.choose(DANAS, task.id, question.version, 0)
    assert not late.ok
    assert await world.statuses(goal_id) == {"t1": TaskStatus.CANCELLED}


async def test_answer_during_a_pause_waits_for_the_resume(world: World) -> None:
    """A paused goal takes the answer and runs it after the resume."""
    goal_id = await world.start(add("t1", "Acme", size="huge"))
    assert (await world.pauses.pause(DANAS, goal_id)).ok

    assert (await _choose(world, goal_id, 0)).ok
    await world.drive(goal_id)
    assert world.provider.effects == []
    assert (await world.goal(goal_id)).status is GoalStatus.PAUSED
    assert (await world.pauses.resume(DANAS, goal_id)).ok
    await _go_on(world, goal_id)

    assert world.provider.effects == ["Acme"]


async def test_answer_during_a_halt_runs_after_the_resume(world: World) -> None:
    """A halt refuses the write, not the answer."""
    goal_id = await world.start(add("t1", "Acme", size="huge"))
    await world.halts.halt(TEAM, by="admin", reason="drill")

    assert (await _choose(world, goal_id, 0)).ok
    await _go_on(world, goal_id)
    assert world.provider.effects == []
    await world.halts.resume(TEAM, by="admin")
    await world.drive(goal_id)

    assert world.provider.effects == ["Acme"]


async def test_unanswered_question_ends_with_the_goals_time(world: World) -> None:
    """Nobody answers for too long: what is done stays, and the goal says how to go on."""
    goal_id = await world.start(add("t1", "Acme", size="huge"), add("t3", "Beta"))
    world.sql("UPDATE goals SET created_at = now() - interval '40 days'")

    await Overdue(database=world.database, budgets=world.budgets, days=30).stop()

    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.PARTLY_DONE
    assert "not finished within 30 days" in (goal.reason or "")
    assert (await world.statuses(goal_id))["t1"] is TaskStatus.CANCELLED


async def test_approved_call_that_is_refused_is_approved_anew_with_its_new_value(
    world: World,
) -> None:
    """An approval covers the call that was shown: another value is another call."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Acme", size="huge", guests=["x@acme.example"]))
    await world.desk.decide(Click(TEAM, MO), await world.item(goal_id), Verdict.APPROVE, None)
    await world.drive(goal_id)
    await _asking(world, goal_id)

    assert (await _choose(world, goal_id, 0)).ok
    await _go_on(world, goal_id)

    assert world.provider.effects == []
    assert len(await world.asked(goal_id)) == 2
    await world.desk.decide(Click(TEAM, MO), await world.item(goal_id), Verdict.APPROVE, None)
    await world.drive(goal_id)
    assert world.provider.effects == ["Acme"]


async def test_value_of_the_planner_goes_to_the_planner_before_anybody_is_asked(
    world: World,
) -> None:
    """A person is not asked about what a model chose while the model may choose again."""
    world.can_replan = True
    world.wire()
    goal_id = await world.plan(add("t1", "Acme", size="huge", is_own=True), labels=Label.MODEL)
    await world.drive(goal_id)
    await world.start_proposed(goal_id)

    assert (await world.statuses(goal_id))["t1"] is TaskStatus.FAILED
    assert world.jobs("plan_goal") == [goal_id]


async def test_value_of_the_planner_is_asked_about_once_it_is_not_asked_any_more(
    world: World,
) -> None:
    """Where no planner goes on, the person may."""
    goal_id = await world.plan(add("t1", "Acme", size="huge"), labels=Label.MODEL)
    await world.drive(goal_id)
    await world.start_proposed(goal_id)

    await _asking(world, goal_id)


async def test_write_that_may_have_happened_is_never_asked_about_as_a_value(world: World) -> None:
    """A refusal after a lost reply proves nothing: a human looks."""
    world.provider.sizes = ()
    world.provider.faults = ["lost", "wrong_size"]
    goal_id = await world.start(add("t1", "Acme", size="huge"))
    await world.drive(goal_id)

    assert (await world.statuses(goal_id))["t1"] is TaskStatus.UNKNOWN


async def test_found_value_that_does_not_fit_is_asked_about_where_no_planner_goes_on(
    world: World,
) -> None:
    """What a record holds may not fit either: its requester says what to use instead."""
    world.provider.sizes = ()
    world.provider.put("Long", size="?")
    goal_id = await world.start(
        step("t1", "find_items", query="Long"),
        add("t2", "A", size=ref("t1", "items", 0, "size")),
    )

    _, question = await _asking(world, goal_id, "t2")
    assert question.message.startswith("This step's size does not fit")
    await world.goals.receive(said("small"))
    await _go_on(world, goal_id)

    assert world.provider.items["2"]["size"] == "small"
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


@pytest.mark.parametrize("way", ["words", "form"])
async def test_record_that_was_not_found_is_looked_for_again_with_other_words(
    world: World, way: str
) -> None:
    """The answer is a new read; what needed the first one needs it instead."""
    world.provider.put("Acme")
    goal_id = await world.start(
        step("t1", "find_items", query="Akme"),
        add("t2", "Below", parent_id=ref("t1", "items", 0, "id"), after=("t1",)),
        add("t3", "Apart"),
    )
    await _go_on(world, goal_id)
    task, question = await _asking(world, goal_id, "t2")
    assert (question.step, question.fields) == ("t1", ("query",))
    assert question.message == (
        "I did not find the parent: I looked for “Akme”. What shall I look for instead?"
    )
    assert world.provider.effects == ["Apart"]

    if way == "words":
        await world.goals.receive(said("Acme"))
    else:
        form = await world.answers.form(DANAS, task.id, question.version)
        assert isinstance(form, PlanForm)
        values = {"t1": {"query": "Acme"}}
        assert isinstance(
            await world.plans.edit(DANAS, goal_id, form.version, frozenset(), values), Answer
        )
    await _go_on(world, goal_id)

    assert world.provider.effects == ["Apart", "Below"]
    tasks = await world.tasks(goal_id)
    assert tasks["t4"].spec["arguments"]["query"] == "Acme"
    assert tasks["t2"].depends_on == ["t4"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_words_that_find_nothing_again_are_asked_about_again(world: World) -> None:
    """Each answer is tried; nobody is left without a way on."""
    world.provider.put("Acme")
    goal_id = await world.start(
        step("t1", "find_items", query="Akme"),
        add("t2", "Below", parent_id=ref("t1", "items", 0, "id")),
    )
    await world.goals.receive(said("Ackme", ts="9.1"))
    await _go_on(world, goal_id)
    _, question = await _asking(world, goal_id, "t2")
    assert (question.step, question.version) == ("t3", 2)
    await world.goals.receive(said("Acme", ts="9.2"))
    await _go_on(world, goal_id)

    assert world.provider.effects == ["Below"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_empty_field_of_a_found_record_is_asked_for_itself(world: World) -> None:
    """Where the record is there and a value of it is not, the value is asked for."""
    world.provider.put("Acme")
    goal_id = await world.start(
        step("t1", "find_items", query="Acme"),
        add("t2", ref("t1", "items", 0, "domain")),
    )
    _, question = await _asking(world, goal_id, "t2")
    assert (question.step, question.fields) == ("t2", ("name",))
    await world.goals.receive(said("acme.example"))
    await _go_on(world, goal_id)

    assert world.provider.effects == ["acme.example"]


async def test_refused_first_read_is_asked_about_before_there_is_a_card(world: World) -> None:
    """While a plan is being worked out, its form takes the answer, and nothing else."""
    world.provider.put("Acme")
    goal_id = await world.start(
        step("t1", "find_items", query="?"),
        add("t2", "Below", parent_id=ref("t1", "items", 0, "id")),
    )
    assert (await world.goal(goal_id)).status is GoalStatus.PLANNING
    task, question = await _asking(world, goal_id)
    form = await world.answers.form(DANAS, task.id, question.version)
    assert isinstance(form, PlanForm)

    other = await world.plans.edit(
        DANAS, goal_id, form.version, frozenset(), {"t2": {"name": "Else"}}
    )
    assert other == Answer("This goal is being worked out already.", ok=False)
    values = {"t1": {"query": "Acme"}}
    edited = await world.plans.edit(DANAS, goal_id, form.version, frozenset(), values)
    assert edited == Answer("The card shows the new version.")
    await _go_on(world, goal_id)

    assert world.provider.effects == ["Below"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_left_out_read_leaves_the_other_answer_to_give(world: World) -> None:
    """A goal that only looks things up goes on with what else it can tell."""
    goal_id = await world.start(
        step("t1", "find_items", query="?"),
        step("t2", "builtin.answer", question="Hello?", rows=[]),
    )
    task, question = await _asking(world, goal_id)
    assert (await world.answers.leave_out(DANAS, task.id, question.version)).ok
    await _go_on(world, goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_home_lists_the_question_as_waiting_for_its_requester(world: World) -> None:
    """Who is asked finds it in one place, and nobody else does."""
    await world.start(add("t1", "Acme", size="huge"))
    homes = HomeQueries(database=world.database, registry=world.registry, examples=())
    shown = [line.text for line in (await homes.load(TEAM, DANA)).waiting_for_you]
    assert shown == ["Answer a question about: Do it"]
    assert (await homes.load(TEAM, MO)).waiting_for_you == ()
