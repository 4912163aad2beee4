"""Dana in Berlin, Mo her manager, and goals in any state."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update

from bot.digests.delivery import DigestDelivery
from bot.digests.queries import DigestQueries
from bot.digests.service import DigestService
from connectors.registry import Connector, Registry
from storage.database import Database
from storage.repositories.people import PersonFacts
from storage.tables.approvals import Approval
from storage.tables.goals import Goal, GoalKind, GoalStatus, TaskStatus
from storage.tables.people import Role
from storage.tables.slack import OutboxCard

TEAM = "T0NORTH"
DANA, MO = "U0DANA", "U0MO"
FRIDAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MONDAY_9 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""Monday, 09:00 in Berlin."""


@dataclass
class World:
    """A database with people in it, a clock to turn, and the services of digests."""

    database: Database
    now: datetime = FRIDAY

    def __post_init__(self) -> None:
        registry = Registry([Connector(name="hubspot", title="HubSpot", manifest=None, actions=())])
        self.queries = DigestQueries(registry=registry)
        self.delivery = DigestDelivery(
            database=self.database, queries=self.queries, now=lambda: self.now
        )
        self.service = DigestService(
            database=self.database, queries=self.queries, now=lambda: self.now
        )

    async def add_person(
        self,
        person_id: str,
        name: str,
        *,
        zone: str = "Europe/Berlin",
        is_active: bool = True,
        is_guest: bool = False,
    ) -> None:
        async with self.database.transaction() as tx:
            facts = PersonFacts(
                name=name,
                email=None,
                zone=zone,
                role=Role.MEMBER,
                is_guest=is_guest,
                is_bot=False,
                is_active=is_active,
            )
            await tx.people.upsert(TEAM, person_id, facts)
            await tx.people.set_dm_channel(TEAM, person_id, f"D{person_id[1:]}")

    async def add_goal(
        self,
        words: str,
        status: GoalStatus,
        *,
        requester_id: str = DANA,
        reason: str | None = None,
        settled_at: datetime | None = None,
    ) -> int:
        async with self.database.transaction() as tx:
            goal_id = await tx.goals.add(
                team_id=TEAM,
                requester_id=requester_id,
                channel_id=f"D{requester_id[1:]}",
                thread_ts="1.0",
                source_key=words,
                text=words,
                kind=GoalKind.REQUEST,
                status=status,
            )
            assert goal_id is not None
            await tx.session.execute(
                text("UPDATE goals SET reason = :reason, settled_at = :at WHERE id = :id"),
                {"reason": reason, "at": settled_at, "id": goal_id},
            )
            return goal_id

    async def add_task(
        self, goal_id: int, status: TaskStatus, *, failure: str | None = None
    ) -> int:
        async with self.database.transaction() as tx:
            await tx.tasks.add_many(
                [
                    {
                        "team_id": TEAM,
                        "goal_id": goal_id,
                        "key": f"t-{status.value}",
                        "position": 1,
                        "plan_version": 1,
                        "action": "hubspot.create_deal",
                        "spec": {},
                        "depends_on": [],
                        "status": status,
                        "tries": 0,
                        "failure": {"message": failure} if failure else None,
                    }
                ]
            )
            return (await tx.tasks.list_(TEAM, goal_id))[-1].id

    async def ask(self, goal_id: int, task_id: int, sentence: str, *, people: list[str]) -> int:
        """Put a frozen call to people, to be decided within a week."""
        async with self.database.transaction() as tx:
            call = {
                "task_id": task_id,
                "hash": "0" * 64,
                "body": {},
                "labels": {},
                "preview": {"sentence": sentence, "details": []},
            }
            call_id = (await tx.calls.add_many(TEAM, goal_id, [call]))[task_id]
            approval_id = await tx.approvals.add(
                team_id=TEAM,
                goal_id=goal_id,
                plan_version=1,
                policy_version="1",
                rule="tier",
                ask={"people": people},
                deadline_s=0.0,
                calls=[(task_id, call_id, "0" * 64)],
            )
            # This world's clock stands still, and the database's does not.
            await tx.session.execute(
                update(Approval)
                .where(Approval.id == approval_id)
                .values(deadline_at=self.now + timedelta(days=7))
            )
            return approval_id

    async def post(self, noun: str, subject: int | str, *, channel_id: str, link: str) -> None:
        """Note a card as posted, with its permalink."""
        async with self.database.transaction() as tx:
            card = await tx.outbox.show(
                team_id=TEAM, noun=noun, subject=str(subject), channel_id=channel_id
            )
            await tx.outbox.set_permalink(card, link)

    async def cards(self) -> list[OutboxCard]:
        """Return every digest that is to be posted."""
        async with self.database.transaction() as tx:
            runs = await tx.session.execute(text("SELECT id FROM digest_runs ORDER BY id"))
            return [
                card
                for (run_id,) in runs
                for card in await tx.outbox.list_for(TEAM, "digest", str(run_id))
            ]

    async def goal(self, goal_id: int) -> Goal:
        async with self.database.transaction() as tx:
            return await tx.goals.get(TEAM, goal_id)


@pytest.fixture
async def world(database: Database) -> World:
    made = World(database)
    await made.add_person(DANA, "Dana Reyes")
    await made.add_person(MO, "Mo Haddad")
    await made.delivery.keep_up()
    return made
