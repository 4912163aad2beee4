"""Halt: no write starts after it, nothing is lost by it, and it ends only by a resume (S39)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from bot.goals.clicks import Click
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.halts import COMMAND_LINE, EVERY_TEAM
from tests.bot.engine.world import ADA, ASK_MO, DANA, MO, TEAM, World, add, step

ADMIN = Click(TEAM, ADA)
USED = "SELECT count(*) FROM permits WHERE status = 'used'"


async def proposed(world: World, *names: str) -> list[int]:
    """Plan one goal a name, each with one write, and run it; nothing drives it yet."""
    goals = []
    for name in names:
        goal_id = await world.plan(add("t1", name, kind="unsafe"))
        await world.drive(goal_id)
        assert (await world.plans.run(Click(TEAM, DANA), goal_id, 1)).ok
        goals.append(goal_id)
    world.forget_jobs()
    return goals


async def resume(world: World) -> None:
    """Resume, and do what the job does that follows."""
    assert await world.halts.resume(TEAM, by=ADA)
    await world.halts.nudge_held(TEAM)


@contextmanager
def halted_by_next_permit(world: World) -> Iterator[None]:
    """Let a halt be committed together with the next permit that is issued."""
    world.sql(
        "CREATE FUNCTION halt_now() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO halts (team_id, halted_by, reason) VALUES ('T1', 'U-ADA', '') "
        "ON CONFLICT DO NOTHING; RETURN NULL; END $$"
    )
    world.sql(
        "CREATE TRIGGER halt_now AFTER INSERT ON permits FOR EACH ROW EXECUTE FUNCTION halt_now()"
    )
    try:
        yield
    finally:
        world.sql("DROP TRIGGER halt_now ON permits")
        world.sql("DROP FUNCTION halt_now")


async def test_halted_team_starts_no_write_and_goes_on_when_resumed(world: World) -> None:
    """A write waits without being claimed; a resume wakes it, and it runs once."""  # S39
    (goal_id,) = await proposed(world, "Deal")
    assert (await world.halts.halt_team(ADMIN, "wrong list")).ok
    await world.drive(goal_id)
    assert world.provider.effects == []
    task = (await world.tasks(goal_id))["t1"]
    assert (task.status, task.lease_owner, task.tries) == (TaskStatus.READY, None, 0)

    await resume(world)
    assert world.jobs() == [goal_id]
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_halted_team_still_reads(world: World) -> None:
    """What only reads goes on, so that a person may still ask and look."""
    world.provider.put("Acme")
    await world.halts.halt(TEAM, by=ADA, reason="")
    goal_id = await world.start(step("t1", "find_items", query="Acme"))
    assert await world.statuses(goal_id) == {"t1": TaskStatus.SUCCEEDED}


async def test_halt_between_permit_and_sending_refuses_the_call_without_a_try(
    world: World,
) -> None:
    """The permit itself is refused: nothing is sent, and no try is used up."""  # S39
    (goal_id,) = await proposed(world, "Deal")
    with halted_by_next_permit(world):
        await world.drive(goal_id)
    assert world.provider.keys == []
    task = (await world.tasks(goal_id))["t1"]
    assert (task.status, task.tries, task.failure) == (TaskStatus.READY, 0, None)
    assert [item.status.value for item in await world.attempts(goal_id)] == ["failed"]

    await resume(world)
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal"]
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_halt_keeps_the_approval_of_a_call_that_it_refused(world: World) -> None:
    """Nobody is asked twice for a call that was approved and then held."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Deal", guests=["j@acme.example"]))
    mo = Click(TEAM, MO)
    assert (await world.desk.decide(mo, await world.item(goal_id), Verdict.APPROVE, None)).ok
    with halted_by_next_permit(world):
        await world.drive(goal_id)
    assert world.provider.effects == []

    await resume(world)
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal"]
    assert len(await world.asked(goal_id)) == 1


async def test_decision_during_a_halt_counts_and_runs_when_resumed(world: World) -> None:
    """People may decide while calls are held; their decision is used afterwards."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Deal", guests=["j@acme.example"]))
    await world.halts.halt(EVERY_TEAM, by=COMMAND_LINE, reason="")
    mo = Click(TEAM, MO)
    assert (await world.desk.decide(mo, await world.item(goal_id), Verdict.APPROVE, None)).ok
    await world.drive(goal_id)
    assert world.provider.effects == []

    assert await world.halts.resume(EVERY_TEAM, by=COMMAND_LINE)
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal"]


async def test_engines_that_write_concurrently_start_nothing_after_the_halt(world: World) -> None:
    """Once `halt` has returned, no permit is spent any more, by any engine."""  # S39
    goals = await proposed(world, *[f"Deal {number}" for number in range(24)])
    engines = [world.engine]
    for _ in range(3):
        world.wire()
        engines.append(world.engine)
    # Each engine drives every goal, in an order of its own.
    orders = [goals[at:] + goals[:at] for at in range(0, 24, 6)]

    async def work(number: int) -> None:
        for goal_id in orders[number]:
            await engines[number].drive(TEAM, goal_id)

    working = [asyncio.create_task(work(number)) for number in range(4)]
    while len(world.provider.effects) < 3:  # noqa: ASYNC110 -- counted in another thread
        await asyncio.sleep(0.002)
    await world.halts.halt(TEAM, by=ADA, reason="")
    spent = world.one(USED)
    await asyncio.gather(*working)

    assert world.one(USED) == spent
    assert len(world.provider.effects) == spent < 24
    assert await world.halts.standing(TEAM) == (await world.halts.standing(EVERY_TEAM))
    assert (await world.halts.standing(TEAM)).held == 24 - spent

    await resume(world)
    for goal_id in goals:
        await world.drive(goal_id)
    assert sorted(world.provider.effects) == sorted(f"Deal {number}" for number in range(24))


async def test_halt_waits_for_what_is_in_flight(world: World) -> None:
    """A write that was sent before is counted until its outcome is stored."""
    (goal_id,) = await proposed(world, "Deal")
    world.provider.held.clear()
    driving = asyncio.create_task(world.drive(goal_id))
    while not world.provider.arrived.is_set():  # noqa: ASYNC110 -- set in another thread
        await asyncio.sleep(0.002)
    await world.halts.halt(TEAM, by=ADA, reason="")
    assert (await world.halts.standing(TEAM)).in_flight == 1
    world.provider.held.set()
    await driving
    assert (await world.halts.standing(TEAM)).in_flight == 0
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_held_goals_are_not_nudged_in_vain(world: World) -> None:
    """The sweeper leaves alone what a halt holds, however long, and finds it afterwards."""
    (goal_id,) = await proposed(world, "Deal")
    await world.halts.halt(TEAM, by=ADA, reason="")
    await world.drive(goal_id)
    world.forget_jobs()
    world.sql("UPDATE goals SET updated_at = now() - interval '1 hour'")
    assert await world.sweeper.sweep() == 0

    assert await world.halts.resume(TEAM, by=ADA)
    world.forget_jobs()
    assert await world.sweeper.sweep() > 0
    assert world.jobs() == [goal_id]


async def test_halt_is_said_on_the_card_of_a_held_goal_and_in_admins_home(world: World) -> None:
    """Who halted, since when and why; gone when it is over."""
    (goal_id,) = await proposed(world, "Deal")
    await world.halts.halt_team(ADMIN, "wrong list")
    await world.drive(goal_id)
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    assert card.halted is not None
    assert card.halted.startswith("Halted by Ada Park on ")
    assert card.halted.endswith(": wrong list.")

    await resume(world)
    async with world.database.transaction() as tx:
        assert (await world.cards.goal(tx, TEAM, goal_id)).halted is None


async def test_only_admins_halt_and_resume(world: World) -> None:
    """Everybody else is refused, and nothing changes (S13)."""
    assert not (await world.halts.halt_team(Click(TEAM, DANA), None)).ok
    assert not (await world.halts.halt_team(Click(TEAM, "U-NOBODY"), None)).ok
    assert world.one("SELECT count(*) FROM halts") == 0
    await world.halts.halt_team(ADMIN, None)
    assert not (await world.halts.resume_team(Click(TEAM, MO))).ok
    assert world.one("SELECT count(*) FROM halts") == 1


async def test_halt_clicked_often_halts_once(world: World) -> None:
    """Twenty clicks are one halt with one audit row; so are twenty resumes."""
    answers = await asyncio.gather(*[world.halts.halt_team(ADMIN, None) for _ in range(20)])
    assert [answer.ok for answer in answers].count(True) == 1
    answers = await asyncio.gather(*[world.halts.resume_team(ADMIN) for _ in range(20)])
    assert [answer.ok for answer in answers].count(True) == 1
    assert await world.audit() == ["slack:writes:halt", "slack:writes:resume"]


async def test_halt_of_the_command_line_ends_only_there(world: World) -> None:
    """An admin cannot end what the operator halted for everybody."""
    await world.halts.halt(EVERY_TEAM, by=COMMAND_LINE, reason="")
    answer = await world.halts.resume_team(ADMIN)
    assert not answer.ok
    assert "countersign resume" in answer.text


@pytest.mark.parametrize("team_id", [TEAM, EVERY_TEAM])
async def test_request_does_not_expire_in_a_halt_and_gets_its_time_back(
    world: World, team_id: str
) -> None:
    """What an approver could not see carried out is not held against the clock."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Invitation", guests=["a@b.example"]))
    ends = "SELECT extract(epoch FROM deadline_at - now())::float FROM approvals"
    left_s = 3600.0
    world.sql("UPDATE approvals SET deadline_at = now() + interval '1 hour'")
    world.sql("UPDATE approvals SET created_at = now() - interval '1 day'")
    assert await world.halts.halt(team_id, by=ADA, reason="")
    world.sql("UPDATE halts SET halted_at = now() - interval '5 hours'")
    world.sql("UPDATE approvals SET deadline_at = deadline_at - interval '5 hours'")

    assert await world.desk.expire_due() == 0
    assert await world.halts.resume(team_id, by=ADA)

    assert world.one(ends) == pytest.approx(left_s, abs=30)
    assert await world.desk.expire_due() == 0
    answer = await world.desk.decide(
        Click(TEAM, MO), await world.item(goal_id), Verdict.APPROVE, None
    )
    assert answer.ok
    await world.drive(goal_id)
    assert world.provider.effects == ["Invitation"]


async def test_late_click_in_a_halt_still_decides(world: World) -> None:
    """The deadline rests, so a decision after it counts; the call itself waits for the resume."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Invitation", guests=["a@b.example"]))
    await world.halts.halt(TEAM, by=ADA, reason="")
    world.let_deadlines_pass()
    item = await world.item(goal_id)
    assert (await world.desk.decide(Click(TEAM, MO), item, Verdict.APPROVE, None)).ok
    await world.drive(goal_id)
    assert world.provider.effects == []
    await resume(world)
    await world.drive(goal_id)
    assert world.provider.effects == ["Invitation"]


async def test_command_halts_waits_and_resumes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`countersign halt` says how many goals are held; `countersign resume` lets them go on."""
    (goal_id,) = await proposed(world, "Deal")
    monkeypatch.setenv("DATABASE_URL", world.database.url)

    async def run(*arguments: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, main, list(arguments))
        assert result.exit_code == 0, result.output
        return result.output

    said = await run("halt", "--team", TEAM, "--reason", "wrong list")
    assert "Halted: no further write starts." in said
    assert "No write is in flight" in said
    await world.drive(goal_id)
    assert world.provider.effects == []
    assert "1 goal is held" in await run("halt", "--team", TEAM)
    assert f"countersign resume --team {TEAM}" in await run("resume")

    assert "Resumed: 1 goal may go on." in await run("resume", "--team", TEAM)
    assert await world.audit() != []
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal"]
    assert "There was no such halt." in await run("resume", "--team", TEAM)


async def test_command_refuses_an_unknown_team(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped team would halt nothing, which somebody in a hurry must not believe."""
    monkeypatch.setenv("DATABASE_URL", world.database.url)
    result = await asyncio.to_thread(CliRunner().invoke, main, ["halt", "--team", "T-TYPO"])
    assert result.exit_code != 0
    assert world.one("SELECT count(*) FROM halts") == 0
