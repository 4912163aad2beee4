"""Executing: one function, one permit, one person's own connection (S1, S37)."""

import asyncio
from contextlib import nullcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals import permits
from approvals.errors import PermitError
from bot.goals.clicks import Click
from connectors.actions import Idempotency
from connectors.calls import FrozenCall
from connectors.errors import (
    ConnectorError,
    OutcomeUnknownError,
    PermitRefusedError,
    RejectedError,
    RetryLaterError,
)
from connectors.execute import Executor, NoHttp, Permit, ReadPermit, arguments_of
from storage.database import Transaction
from storage.errors import StorageError
from storage.instants import Deadline, elapsed_s
from tests.bot.engine.counting import CHANGE, FIND
from tests.bot.engine.world import ADA, ALL, DANA, GUS, MO, TEAM, World, add

ARGUMENTS: dict[str, object] = {
    "name": "Report",
    "parent_id": None,
    "guests": [],
    "is_own": True,
    "size": None,
}


def frozen(world: World, **changed: object) -> FrozenCall:
    given_ = {
        "team_id": TEAM,
        "goal_id": 1,
        "task_id": 1,
        "action": "counting.add_unsafe",
        "action_version": 1,
        "arguments": {
            "name": "Report",
            "parent_id": None,
            "guests": [],
            "is_own": True,
            "size": None,
        },
        "connection_id": world.connection_ids[DANA],
        "requester_id": DANA,
        "precondition": {},
        **changed,
    }
    return FrozenCall.freeze(**given_)


async def permit_for(world: World, call: FrozenCall) -> Permit:
    """Store a call with a running attempt and return its permit, as the gate does."""
    async with world.database.transaction() as tx:
        call_id = await store(tx, call, hash_=call.hash)
        [issued] = await permits.issue(tx, [wanted(call, call_id)], lease_s=30)
    return issued.permit


async def store(tx: Transaction, call: FrozenCall, *, hash_: str) -> int:
    row = {
        "task_id": call.task_id,
        "hash": hash_,
        "body": call.model_dump(),
        "labels": {},
        "preview": {},
    }
    return (await tx.calls.add_many(call.team_id, call.goal_id, [row]))[call.task_id]


def wanted(call: FrozenCall, call_id: int) -> permits.Wanted:
    return permits.Wanted(
        call=call,
        call_id=call_id,
        idempotency=Idempotency.UNSAFE,
        grounds="policy:test",
        owner="test",
    )


async def run(world: World, permit: Permit, call: FrozenCall, *, left_s: float = 30) -> None:
    await world.executor.execute(
        permit,
        call,
        idempotency=Idempotency.UNSAFE,
        send_before=Deadline(elapsed_s() + left_s),
    )


async def test_call_with_its_permit_runs(world: World) -> None:
    """The frozen arguments are what the provider gets."""
    call = frozen(world)
    await run(world, await permit_for(world, call), call)
    assert world.provider.effects == ["Report"]


async def test_executions_at_once_of_one_permit_run_once(world: World) -> None:
    """A permit is spent by one statement, before anything is sent (S1)."""
    call = frozen(world)
    permit = await permit_for(world, call)
    outcomes = await asyncio.gather(
        *[run(world, permit, call) for _ in range(10)], return_exceptions=True
    )
    assert outcomes.count(None) == 1
    assert sum(isinstance(item, PermitRefusedError) for item in outcomes) == 9
    assert world.provider.effects == ["Report"]


@pytest.mark.parametrize(
    "changed",
    [
        {"team_id": "T2"},
        {"goal_id": 2},
        {"task_id": 2},
        {"action": "counting.add_keyed"},
        {"action_version": 2},
        {"arguments": {"name": "Evil"}},
        {"connection_id": 99},
        {"requester_id": MO},
        {"precondition": {"parent": "x"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_call_that_differs_in_anything_is_refused(
    world: World, changed: dict[str, object]
) -> None:
    """Whatever differs from what was permitted, nothing is sent (S10)."""
    permit = await permit_for(world, frozen(world))
    with pytest.raises(PermitRefusedError):
        await run(world, permit, frozen(world, **changed))
    assert world.provider.keys == []


async def test_permit_is_not_issued_for_another_call_than_the_stored(world: World) -> None:
    """The stored row's hash must be the call's own (S10)."""
    call = frozen(world)
    async with world.database.transaction() as tx:
        stored = await store(tx, call, hash_="0" * 64)
        with pytest.raises(PermitError):
            await permits.issue(tx, [wanted(call, stored)], lease_s=30)


async def test_nothing_is_sent_after_the_lease(world: World) -> None:
    """A process that wakes up late sends nothing: somebody else may have taken over."""
    call = frozen(world)
    with pytest.raises(RetryLaterError):
        await run(world, await permit_for(world, call), call, left_s=-1)
    assert world.provider.keys == []


async def test_slow_write_is_unknown_and_slow_read_is_tried_later(world: World) -> None:
    """When time runs out, a write may have happened and a read has not mattered."""
    executor = Executor(
        registry=world.registry,
        clients=world.executor._clients,
        database=world.database,
        timeout_s=0.15,
    )
    world.provider.held.clear()
    call = frozen(world)
    permit = await permit_for(world, call)
    later = Deadline(elapsed_s() + 30)
    with pytest.raises(OutcomeUnknownError):
        await executor.execute(permit, call, idempotency=Idempotency.UNSAFE, send_before=later)
    world.provider.held.set()


async def test_call_of_another_version_means_nothing_any_more(world: World) -> None:
    """An upgrade that changed an action ends its frozen calls with a sentence."""
    with pytest.raises(RejectedError):
        arguments_of(FIND, frozen(world, action="counting.find_items", action_version=9))
    with pytest.raises(RejectedError):
        arguments_of(CHANGE, frozen(world))


async def test_read_permit_without_a_connection_opens_none(world: World) -> None:
    """A provider is reached through a connection or not at all (S1)."""
    permit = ReadPermit(TEAM, DANA, None, "precondition")
    with pytest.raises(PermitRefusedError):
        await world.executor.read_precondition(
            permit,
            CHANGE,
            CHANGE.arguments(item_id="1", size="2"),  # type: ignore[call-arg]
        )


async def test_action_that_cannot_be_looked_up_says_so(world: World) -> None:
    """Without `verify` the outcome stays unknown."""
    permit = ReadPermit(TEAM, DANA, world.connection_ids[DANA], "verify")
    with pytest.raises(OutcomeUnknownError):
        await world.executor.verify(permit, frozen(world), idempotency=Idempotency.UNSAFE)


async def test_builtins_reach_nothing() -> None:
    """A built-in has no client: it works on what it was given."""
    with pytest.raises(PermitRefusedError):
        await NoHttp().request("GET", "/")


PEOPLE = (DANA, MO, ADA, GUS)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    requester=st.sampled_from(PEOPLE),
    owner=st.sampled_from(PEOPLE),
    team=st.sampled_from([TEAM, "T2"]),
    status=st.sampled_from(["connected", "reconnect", "disconnected"]),
    guests=st.booleans(),
    scopes=st.sets(st.sampled_from(ALL)),
)
async def test_call_runs_only_through_the_requesters_own_live_connection(
    world: World,
    requester: str,
    owner: str,
    team: str,
    status: str,
    guests: bool,  # noqa: FBT001 -- drawn by Hypothesis
    scopes: set[str],
) -> None:
    """Person A's plan can never use B's connection, nor one that ended or lacks scopes (S37)."""
    await world.connect(owner, scopes=tuple(sorted(scopes)))
    world.sql("UPDATE connections SET status = %s WHERE person_id = %s", status, owner)
    sent = len(world.provider.keys)
    arguments = {**ARGUMENTS, "guests": ["j@a.example"] if guests else []}
    call = frozen(
        world,
        team_id=team,
        task_id=1 if team == TEAM else 2,
        requester_id=requester,
        connection_id=world.connection_ids[owner],
        arguments=arguments,
    )
    needed = {"write", "mail"} if guests else {"write"}
    may = (requester, team, status) == (owner, TEAM, "connected") and needed <= scopes
    refused = nullcontext() if may else pytest.raises((ConnectorError, StorageError))
    with refused:
        await run(world, await permit_for(world, call), call)
    assert (len(world.provider.keys) > sent) is may


async def test_forged_connection_in_a_plan_is_never_used(world: World) -> None:
    """A plan cannot name a connection: preparing takes the requester's own (S37)."""
    await world.connect(MO)
    goal_id = await world.start(add("t1", "Deal"))
    tasks = await world.tasks(goal_id)
    async with world.database.transaction() as tx:
        call = await tx.calls.get(TEAM, tasks["t1"].call_id or 0)
    assert call.body["connection_id"] == world.connection_ids[DANA]
    assert not (await world.goals.cancel(Click(TEAM, MO), goal_id)).ok
