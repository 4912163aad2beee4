"""The people of a run: who asks, who runs a plan, who approves, and who looks at the end."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Sequence
from functools import partial
from typing import Any

import psycopg

from bot.engine.drive import defer_drive
from bot.engine.plans import adopt
from bot.engine.unknown import UnknownVerdict
from bot.goals.clicks import Click
from bot.parts import Parts
from bot.planning.valid import ValidPlan
from connectors.labels import Label, Provenance, leaves
from storage.database import Database
from storage.repositories.people import PersonFacts
from storage.tables.approvals import Verdict
from storage.tables.goals import GoalStatus
from storage.tables.people import Role
from tests.bot.engine.counting import MANIFEST
from tests.bot.engine.world import ALL, MO, TEAM
from tests.chaos.goals import Asked, requester_id
from tests.chaos.scale import REQUESTERS
from tests.chaos.wiring import DOWN, Place
from tests.connectors.plumbing import Plumbing, settings_at

_POLL_S = 0.25
_AGAIN_S = 0.3


async def settle_in(place: Place) -> None:
    """Add the team, the requesters with their connections, and the approver."""
    database = Database(place.database_url)
    plumbing = Plumbing(database, settings_at(place.provider_url, MANIFEST), key=place.key)
    try:
        async with database.transaction() as tx:
            await tx.people.upsert_team(team_id=TEAM, name="Northwind", bot_user_id="U-BOT")
            for number in range(REQUESTERS):
                await tx.people.upsert(TEAM, requester_id(number), _facts(f"P{number}"))
            await tx.people.upsert(TEAM, MO, _facts("Mo", role=Role.APPROVER))
        for number in range(REQUESTERS):
            await plumbing.store(person_id=requester_id(number), provider="counting", scopes=ALL)
    finally:
        await plumbing.close()
        await database.close()


def _facts(name: str, *, role: Role = Role.MEMBER) -> PersonFacts:
    return PersonFacts(
        name=name,
        email=f"{name.lower()}@northwind.example",
        zone="Europe/Berlin",
        role=role,
        is_guest=False,
        is_bot=False,
        is_active=True,
    )


class People:
    """Use the services as listeners do, again where the database was down."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._services = parts.services
        self.submitted = 0
        self.vouched: set[int] = set()

    async def submit(self, goals: Iterable[Asked], *, backlog: int) -> None:
        """Adopt plans, never more than `backlog` that are open."""
        for goal in goals:
            while self.submitted % 10 == 0 and await self.count_moving() >= backlog:  # noqa: ASYNC110 -- in the database
                await asyncio.sleep(_POLL_S)
            await _insist(partial(self._submit, goal))
            self.submitted += 1

    async def click(self) -> None:
        """Run what is proposed and approve what is asked, until cancelled."""
        while True:
            await _insist(self._click_all)
            await asyncio.sleep(_POLL_S)

    async def count_moving(self) -> int:
        """Return how many goals are not at rest: neither over nor waiting for a look alone."""
        rows = await self.read(
            "SELECT count(*) FROM goals g WHERE settled_at IS NULL AND (status <> 'waiting' "
            "OR NOT EXISTS (SELECT FROM tasks t WHERE t.goal_id = g.id AND t.status = 'unknown') "
            "OR EXISTS (SELECT FROM tasks t WHERE t.goal_id = g.id AND t.status IN "
            "('ready', 'running', 'needs_approval', 'needs_connection')))"
        )
        return int(rows[0][0])

    async def look_up(self, effects: Container[str]) -> int:
        """Settle every unknown by what the provider shows; return how many there were."""
        rows = await self.read(
            "SELECT t.id, g.id, g.requester_id, c.body->'arguments'->>'name' FROM tasks t "
            "JOIN goals g ON g.id = t.goal_id JOIN calls c ON c.id = t.call_id "
            "WHERE t.status = 'unknown'"
        )
        for task_id, goal_id, person_id, name in rows:
            verdict: UnknownVerdict = "happened" if name in effects else "run_again"
            if verdict == "happened":
                self.vouched.add(goal_id)
            await self._services.unknowns.settle(Click(TEAM, person_id), task_id, verdict)
        return len(rows)

    async def read(self, query: str) -> Sequence[tuple[Any, ...]]:
        """Return rows, as soon as the database answers."""
        found: list[Sequence[tuple[Any, ...]]] = []

        async def ask() -> None:
            url = self._parts.database.url
            async with await psycopg.AsyncConnection.connect(url) as connection:
                found.append(await (await connection.execute(query.encode())).fetchall())

        await _insist(ask)
        return found[-1]

    async def _submit(self, goal: Asked) -> None:
        async with self._parts.database.transaction() as tx:
            goal_id = await tx.goals.add(
                team_id=TEAM,
                requester_id=goal.requester_id,
                channel_id=f"D-{goal.number}",
                thread_ts="1.0",
                source_key=goal.source_key,
                text="Do it",
                status=GoalStatus.PLANNING,
            )
            if goal_id is None:
                return  # The commit whose answer was lost took effect.
            row = await tx.goals.lock(TEAM, goal_id)
            typed = Provenance(Label.MESSAGE, "typed")
            labels = {
                task.key: {pointer: typed for pointer, _ in leaves(task.arguments)}
                for task in goal.tasks
            }
            await adopt(tx, row, ValidPlan("", goal.tasks), author="offline", labels=labels)
            await defer_drive(tx, TEAM, goal_id)

    async def _click_all(self) -> None:
        proposed = await self.read(
            "SELECT id, requester_id, plan_version FROM goals WHERE status = 'proposed'"
        )
        for goal_id, person_id, version in proposed:
            await self._services.plans.run(Click(TEAM, person_id), goal_id, version)
        asked = await self.read("SELECT id FROM approval_items WHERE status = 'pending'")
        for (item_id,) in asked:
            await self._services.approvals.decide(Click(TEAM, MO), item_id, Verdict.APPROVE, None)


async def _insist(do: Callable[[], Awaitable[None]]) -> None:
    """Do it until the database answers; what was done already is not done again."""
    while True:
        try:
            await do()
        except DOWN:
            await asyncio.sleep(_AGAIN_S)
        else:
            return
