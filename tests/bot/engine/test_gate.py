"""The gate: nothing runs but what policy allows, a Run showed, or somebody countersigned."""

import asyncio

import pytest

from approvals.decisions import Outcome
from bot.engine.gate import Cleared
from bot.goals.clicks import Click
from connectors.calls import FrozenCall
from connectors.errors import PermitRefusedError
from connectors.execute import Permit
from storage.errors import NotFoundError
from storage.tables.approvals import ApprovalStatus, Verdict
from storage.tables.goals import GoalStatus, TaskStatus
from storage.tables.people import Role
from tests.bot.engine.world import ADA, ASK_MO, DANA, GUS, MO, TEAM, World, add, ref, step

GUESTS = ["jane@acme.example"]
ASK_ADA = ASK_MO.replace("U-MO", "U-ADA")
ASK_REQUESTER = """
version: 1
rules:
  - {name: mine, when: {action: add_keyed}, ask: {requester: true}}
"""


@pytest.fixture
async def asked(world: World) -> tuple[World, int]:
    """Mo is asked about an invitation of Dana's."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "Invitation", guests=GUESTS))
    assert await world.statuses(goal_id) == {"t1": TaskStatus.NEEDS_APPROVAL}
    return world, goal_id


async def approve(world: World, goal_id: int, *, by: str = MO) -> bool:
    item = await world.item(goal_id)
    return (await world.desk.decide(Click(TEAM, by), item, Verdict.APPROVE, None)).ok


async def test_approved_call_runs_exactly_once(asked: tuple[World, int]) -> None:
    """What Mo saw is what runs, with a permit that names the decision (S10)."""
    world, goal_id = asked
    _, item = (await world.asked(goal_id))[0]
    assert await approve(world, goal_id)
    await world.drive(goal_id)
    assert world.provider.effects == ["Invitation"]
    tasks = await world.tasks(goal_id)
    async with world.database.transaction() as tx:
        call = await tx.calls.get(TEAM, tasks["t1"].call_id or 0)
    assert call.hash == item.call_hash
    assert (await world.asked(goal_id))[0][1].status is ApprovalStatus.USED
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def test_fifty_clicks_at_once_execute_once(asked: tuple[World, int]) -> None:
    """One conditional update per transition: one click wins, one effect follows (S11)."""
    world, goal_id = asked
    item = await world.item(goal_id)
    answers = await asyncio.gather(
        *[
            world.desk.decide(
                Click(TEAM, MO), item, Verdict.APPROVE if n % 2 else Verdict.REJECT, None
            )
            for n in range(50)
        ]
    )
    assert [answer.ok for answer in answers].count(True) == 1
    assert all(answer.text for answer in answers)
    await asyncio.gather(*[world.drive(goal_id) for _ in range(5)])
    approved = (await world.asked(goal_id))[0][1].status is ApprovalStatus.USED
    assert world.provider.effects == (["Invitation"] if approved else [])


async def test_late_click_is_answered_and_changes_nothing(asked: tuple[World, int]) -> None:
    """After the deadline the request has expired, which is not "rejected" (S12)."""
    world, goal_id = asked
    world.let_deadlines_pass()
    item = await world.item(goal_id)
    first = await world.desk.decide(Click(TEAM, MO), item, Verdict.APPROVE, None)
    second = await world.desk.decide(Click(TEAM, MO), item, Verdict.APPROVE, None)
    assert not first.ok
    assert "expired" in first.text
    assert first.text == second.text
    await world.drive(goal_id)
    tasks = await world.tasks(goal_id)
    assert tasks["t1"].status is TaskStatus.DECLINED
    assert (tasks["t1"].failure or {})["code"] == "expired"
    assert world.provider.effects == []


async def test_deadline_that_passes_unseen_is_expired(asked: tuple[World, int]) -> None:
    """The clock expires what nobody decided, once."""
    world, goal_id = asked
    assert await world.desk.expire_due() == 0
    world.let_deadlines_pass()
    assert await world.desk.expire_due() == 1
    assert await world.desk.expire_due() == 0
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.FAILED
    assert "engine:approval:expired" in await world.audit()


@pytest.mark.parametrize("person_id", [DANA, ADA, GUS, "U-NOBODY"])
async def test_click_of_somebody_who_was_not_asked_is_refused(
    asked: tuple[World, int], person_id: str
) -> None:
    """Only who was asked may decide; the requester does not count oneself (S13, S14)."""
    world, goal_id = asked
    assert not await approve(world, goal_id, by=person_id)
    assert (await world.asked(goal_id))[0][1].status is ApprovalStatus.PENDING


@pytest.mark.parametrize("how", [{"is_active": False}, {"is_guest": True}], ids=["left", "guest"])
async def test_approver_who_may_no_longer_decide_is_refused_at_the_click(
    asked: tuple[World, int], how: dict[str, bool]
) -> None:
    """An approver's right is what it is now, not what it was when asked (S13)."""
    world, goal_id = asked
    await world.person(MO, "Mo Okafor", role=Role.APPROVER, **how)
    assert not await approve(world, goal_id)


async def test_approver_who_leaves_before_execution_is_asked_again(
    asked: tuple[World, int],
) -> None:
    """An approver's right is checked at execution, too: others are asked instead (S13)."""
    world, goal_id = asked
    assert await approve(world, goal_id)
    await world.person(MO, "Mo Okafor", is_active=False)
    await world.drive(goal_id)
    assert world.provider.effects == []
    (_, first), (second, _) = await world.asked(goal_id)
    assert first.status is ApprovalStatus.WITHDRAWN
    assert second.ask["people"] == [ADA]


async def test_requester_who_left_runs_nothing(asked: tuple[World, int]) -> None:
    """A deactivated requester's approved call is withdrawn and does not run (S13)."""
    world, goal_id = asked
    assert await approve(world, goal_id)
    await world.person(DANA, "Dana Reyes", is_active=False)
    await world.drive(goal_id)
    assert world.provider.effects == []
    assert await world.statuses(goal_id) == {"t1": TaskStatus.FAILED}
    assert (await world.asked(goal_id))[0][1].status is ApprovalStatus.WITHDRAWN


async def test_foreign_team_and_forged_id_find_nothing(asked: tuple[World, int]) -> None:
    """A button's id says nothing without its team (S15)."""
    world, goal_id = asked
    item = await world.item(goal_id)
    for click, number in ((Click("T2", MO), item), (Click(TEAM, MO), 999_999)):
        answer = await world.desk.decide(click, number, Verdict.APPROVE, None)
        assert not answer.ok
        assert not (await world.desk.edit(click, number, {})).ok  # type: ignore[union-attr]
        assert not (await world.desk.form(click, number)).ok  # type: ignore[union-attr]
    for clicker, goal in ((Click("T2", DANA), goal_id), (Click(TEAM, DANA), 999_999)):
        assert not (await world.undos.undo(clicker, goal)).ok
        for refused in (
            world.plans.run(clicker, goal, 1),
            world.goals.cancel(clicker, goal),
            world.goals.choose(clicker, goal, "yes"),
        ):
            with pytest.raises(NotFoundError):
                await refused
    assert (await world.asked(goal_id))[0][1].status is ApprovalStatus.PENDING


async def test_tampered_call_cannot_be_approved(asked: tuple[World, int]) -> None:
    """The hash is computed anew from the stored call at the click (S10)."""
    world, goal_id = asked
    world.sql("""UPDATE calls SET body = jsonb_set(body, '{arguments,name}', '"Evil"')""")
    answer = await world.desk.decide(
        Click(TEAM, MO), await world.item(goal_id), Verdict.APPROVE, None
    )
    assert not answer.ok
    await world.drive(goal_id)
    assert world.provider.effects == []


async def test_call_tampered_with_after_approval_does_not_run(asked: tuple[World, int]) -> None:
    """What runs is frozen anew from the plan; the tampered one has another hash (S10)."""
    world, goal_id = asked
    assert await approve(world, goal_id)
    world.sql("""UPDATE tasks SET spec = jsonb_set(spec, '{arguments,name}', '"Evil"')""")
    await world.drive(goal_id)
    assert world.provider.effects == []
    assert await world.statuses(goal_id) == {"t1": TaskStatus.NEEDS_APPROVAL}


async def test_stricter_policy_at_execution_asks_again(asked: tuple[World, int]) -> None:
    """Policy runs again: who must decide now was not asked before (S10)."""
    world, goal_id = asked
    assert await approve(world, goal_id)
    world.policy = ASK_ADA
    world.wire()
    await world.drive(goal_id)
    assert world.provider.effects == []
    (_, first), (second, item) = await world.asked(goal_id)
    assert first.status is ApprovalStatus.WITHDRAWN
    assert (second.ask["people"], item.status) == ([ADA], ApprovalStatus.PENDING)


async def test_policy_that_denies_at_execution_withdraws_the_approval(
    asked: tuple[World, int],
) -> None:
    """A deny rule is the last word, also over an approval."""
    world, goal_id = asked
    assert await approve(world, goal_id)
    world.policy = "version: 1\nrules: [{name: no-mail, deny: No mail to guests.}]"
    world.wire()
    await world.drive(goal_id)
    tasks = await world.tasks(goal_id)
    assert (tasks["t1"].failure or {})["message"] == "No mail to guests."
    assert (await world.asked(goal_id))[0][1].status is ApprovalStatus.WITHDRAWN


async def test_changed_precondition_is_asked_again_with_the_difference(world: World) -> None:
    """The record is re-read before an approved update (S18)."""
    world.policy = ASK_MO
    world.wire()
    item = world.provider.put("Acme", size="1")
    goal_id = await world.start(step("t1", "change", item_id=item, size="5", guests=GUESTS))
    assert await approve(world, goal_id)
    world.provider.items[item]["size"] = "3"
    await world.drive(goal_id)
    assert world.provider.effects == []
    (_, first), (second, again) = await world.asked(goal_id)
    assert first.status is ApprovalStatus.WITHDRAWN
    assert again.status is ApprovalStatus.PENDING
    async with world.database.transaction() as tx:
        card = await world.cards.approval(tx, TEAM, second.id)
    (difference,) = card.lines[0].difference
    assert (difference.value, difference.before) == ("now 3", "was 1 when it was shown")
    assert await approve(world, goal_id)
    await world.drive(goal_id)
    assert world.provider.effects == ["change Acme"]


async def test_edit_by_an_approver_makes_a_new_call_that_is_asked_again(
    asked: tuple[World, int],
) -> None:
    """An edit makes a new call, a new hash and a new policy decision (S16)."""
    world, goal_id = asked
    answer = await world.desk.edit(
        Click(TEAM, MO), await world.item(goal_id), {"name": "Better", "guests": GUESTS[0]}
    )
    assert getattr(answer, "ok", False), answer
    await world.drive(goal_id)
    (_, old), (_, new) = await world.asked(goal_id)
    assert (old.status, new.status) == (ApprovalStatus.SUPERSEDED, ApprovalStatus.PENDING)
    assert old.call_hash != new.call_hash
    assert MO not in (old.status_reason or "")
    assert "Mo Okafor" in (old.status_reason or "")
    late = await world.desk.decide(Click(TEAM, MO), old.id, Verdict.APPROVE, None)
    assert not late.ok
    assert await approve(world, goal_id)
    await world.drive(goal_id)
    assert world.provider.effects == ["Better"]


async def test_edit_leaves_what_run_covers_of_the_other_steps(world: World) -> None:
    """A new plan version leaves unchanged calls as they were: Dana is not asked twice."""
    world.policy = ASK_MO
    world.wire()
    await world.connect(scopes=("read", "mail"))
    goal_id = await world.plan(add("t1", "Deal"), add("t2", "Invitation", guests=GUESTS))
    await world.drive(goal_id)
    await world.plans.run(Click(TEAM, DANA), goal_id, 1)
    await world.connect(scopes=("read", "write", "mail"))
    world.sql("UPDATE connections SET status='reconnect'")
    await world.drive(goal_id)
    await world.connect()
    world.sql("UPDATE tasks SET status='ready' WHERE key='t2'")
    await world.drive(goal_id)
    await world.desk.edit(Click(TEAM, MO), await world.item(goal_id), {"name": "Better"})
    world.sql("UPDATE tasks SET status='ready' WHERE key='t1'")
    await world.drive(goal_id)
    assert world.provider.effects == ["Deal"]
    assert {tuple(approval.ask["people"]) for approval, _ in await world.asked(goal_id)} == {(MO,)}


async def test_click_after_the_decision_names_who_decided(asked: tuple[World, int]) -> None:
    """A second click is answered with a name, never with an id."""
    world, goal_id = asked
    item = await world.item(goal_id)
    assert await approve(world, goal_id)
    answer = await world.desk.decide(Click(TEAM, MO), item, Verdict.REJECT, None)
    assert "Mo Okafor" in answer.text
    assert MO not in answer.text


async def test_edit_after_the_deadline_says_so(asked: tuple[World, int]) -> None:
    """A form that is submitted late is answered as what it is."""
    world, goal_id = asked
    world.let_deadlines_pass()
    answer = await world.desk.edit(Click(TEAM, MO), await world.item(goal_id), {"name": "X"})
    assert "pending" not in getattr(answer, "text", "pending")


async def test_rejection_with_a_reason_ends_without_effect(asked: tuple[World, int]) -> None:
    """A rejection is told with its reason, in the approver's name."""
    world, goal_id = asked
    await world.desk.decide(Click(TEAM, MO), await world.item(goal_id), Verdict.REJECT, "Too early")
    await world.drive(goal_id)
    goal = await world.goal(goal_id)
    assert goal.status is GoalStatus.FAILED
    assert goal.reason == "Mo Okafor rejected it: “Too early”. Nothing was done."
    assert world.provider.effects == []


async def test_permit_is_good_for_one_execution(world: World) -> None:
    """A permit is spent before anything is sent; a forged or foreign one sends nothing (S1)."""
    goal_id = await world.plan(add("t1", "Report", is_own=True, kind="unsafe"))
    cleared = await clear_without_running(world, goal_id)
    permit, call = cleared.permit, cleared.prepared.call

    async def run(permit: Permit, call: FrozenCall) -> None:
        await world.executor.execute(
            permit,
            call,
            idempotency=cleared.prepared.idempotency,
            send_before=cleared.send_before,
        )

    other = call.model_copy(update={"arguments": {**call.arguments, "name": "Evil"}})
    forged = Permit(permit.permit_id, other.hash, permit.attempt_id)
    for bad, what in (
        (permit, other),
        (forged, other),
        (Permit(permit.permit_id + 1, call.hash, permit.attempt_id), call),
        (Permit(permit.permit_id, call.hash, permit.attempt_id + 1), call),
        (permit, call.model_copy(update={"team_id": "T2"})),
    ):
        with pytest.raises(PermitRefusedError):
            await run(bad, what)
    assert world.provider.effects == []
    await run(permit, call)
    with pytest.raises(PermitRefusedError):
        await run(permit, call)
    assert world.provider.effects == ["Report"]


async def test_permit_of_an_attempt_that_was_taken_over_is_refused(world: World) -> None:
    """A process that wakes up late finds its attempt settled, and sends nothing (S1)."""
    goal_id = await world.plan(add("t1", "Report", is_own=True, kind="unsafe"))
    cleared = await clear_without_running(world, goal_id)
    world.sql("UPDATE attempts SET status = 'unknown'")
    with pytest.raises(PermitRefusedError):
        await world.executor.execute(
            cleared.permit,
            cleared.prepared.call,
            idempotency=cleared.prepared.idempotency,
            send_before=cleared.send_before,
        )
    assert world.provider.effects == []


async def clear_without_running(world: World, goal_id: int) -> Cleared:
    """Pass the gate with the goal's only task, without executing it."""
    await world.move_goal(goal_id, GoalStatus.RUNNING)
    engine = world.engine
    begun = await engine._claim(TEAM, goal_id, "tester")
    scene = await world.preparer.scene(TEAM, goal_id)
    prepared = [await world.preparer.prepare(task, scene) for task in begun.claimed]
    begun = await engine._pass(scene, prepared, "tester")
    return begun.cleared[0]


async def test_run_does_not_cover_a_record_found_after_it(world: World) -> None:
    """A value that was not on the card and that the plan did not make is asked when it is known."""
    world.provider.put("Acme")
    goal_id = await world.start(
        add("t1", "Parent"),
        step("t2", "find_items", query="acme", after=("t1",)),
        add("t3", "Child", parent_id=ref("t2", "items", 0, "id")),
    )
    assert world.provider.effects == ["Parent"]
    assert (await world.statuses(goal_id))["t3"] is TaskStatus.NEEDS_APPROVAL
    assert (await world.asked(goal_id))[0][0].ask["people"] == [DANA]


async def test_run_does_not_cover_an_id_of_another_kind(world: World) -> None:
    """Ids are typed: a value that equals some text of a created record is no such record (S5)."""
    world.provider.put("Acme")
    goal_id = await world.start(
        add("t1", "Parent", size="1"),
        step("t2", "find_items", query="acme", after=("t1",)),
        add("t3", "Child", parent_id=ref("t2", "items", 0, "id")),
    )
    assert (await world.tasks(goal_id))["t1"].result is not None
    assert (await world.statuses(goal_id))["t3"] is TaskStatus.NEEDS_APPROVAL


async def test_asks_for_the_same_people_are_one_card(world: World) -> None:
    """Calls that arise together for the same people are one approval of two items."""
    world.policy = ASK_MO
    world.wire()
    goal_id = await world.start(add("t1", "One", guests=GUESTS), add("t2", "Two", guests=GUESTS))
    assert len({approval.id for approval, _ in await world.asked(goal_id)}) == 1
    for _, item in await world.asked(goal_id):
        await world.desk.decide(Click(TEAM, MO), item.id, Verdict.APPROVE, None)
    await world.drive(goal_id)
    assert sorted(world.provider.effects) == ["One", "Two"]


async def test_nobody_to_ask_ends_with_a_sentence(world: World) -> None:
    """Where nobody may countersign the call fails, and says who can mend that."""
    await world.person(ADA, "Ada Park")
    await world.person(MO, "Mo Okafor")
    goal_id = await world.start(add("t1", "Invitation", guests=GUESTS))
    tasks = await world.tasks(goal_id)
    assert tasks["t1"].status is TaskStatus.FAILED
    assert "COUNTERSIGN_ADMINS" in (tasks["t1"].failure or {})["message"]


async def test_admin_alone_decides_and_it_is_audited(world: World) -> None:
    """A team of one decides alone, and the audit log says so."""
    for person_id in (MO, GUS, ADA):
        await world.person(person_id, "Gone Away", is_active=False)
    await world.person(DANA, "Dana Reyes", role=Role.ADMIN)
    goal_id = await world.start(add("t1", "Invitation", guests=GUESTS))
    approval, _ = (await world.asked(goal_id))[0]
    assert (approval.ask["people"], approval.ask["alone"]) == ([DANA], True)
    assert await approve(world, goal_id, by=DANA)
    await world.drive(goal_id)
    assert world.provider.effects == ["Invitation"]


async def test_two_services_deciding_at_once_store_one_decision(asked: tuple[World, int]) -> None:
    """Without any lock on the goal one decision wins as well (S11)."""
    world, goal_id = asked
    item = await world.item(goal_id)

    async def decide() -> Outcome:
        async with world.database.transaction() as tx:
            done = await world.decisions.decide(
                tx,
                team_id=TEAM,
                person_id=MO,
                item_id=item,
                verdict=Verdict.APPROVE,
                reason=None,
            )
        return done.outcome

    outcomes = await asyncio.gather(*[decide() for _ in range(10)])
    assert sorted(outcomes) == [Outcome.ALREADY] * 9 + [Outcome.DECIDED]
