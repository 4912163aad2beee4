"""Dana, her manager Mo and the engine, wired as `bot.parts` wires it, without Slack."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from pydantic import JsonValue
from sqlalchemy import select

from approvals.decisions import DecisionService
from approvals.policy import Policy
from bot.builtins import BUILTINS
from bot.engine.answers import AnswerService
from bot.engine.budgets import Budgets, Limits
from bot.engine.card_queries import CardQueries
from bot.engine.changes import ChangeService
from bot.engine.channels import Channels
from bot.engine.connections import ConnectionDesk
from bot.engine.desk import ApprovalDesk
from bot.engine.drive import Engine
from bot.engine.forecast import Forecaster
from bot.engine.gate import Gate
from bot.engine.goals import GoalService
from bot.engine.halts import HaltService
from bot.engine.handoff import HandoffService
from bot.engine.happenings import Happenings
from bot.engine.newer import Newer
from bot.engine.pauses import PauseService
from bot.engine.plans import PlanService, adopt
from bot.engine.prepare import Preparer
from bot.engine.progress import Timing
from bot.engine.proposal import Proposals
from bot.engine.remarks import RemarkService
from bot.engine.rounds import Rounds
from bot.engine.sweep import Sweeper
from bot.engine.threads import ThreadService
from bot.engine.undo import UndoService
from bot.engine.unknown import UnknownService
from bot.engine.wakes import Wakes
from bot.engine.wishes import Wishes
from bot.goals.clicks import Click
from bot.goals.lifecycle import move_goal
from bot.planning.plan import EACH, Guard, Ref, Wait, WaitEvent, WaitUntil
from bot.planning.valid import ValidPlan, ValidTask, references, stored_ref
from connectors.clients import ConnectionClients
from connectors.execute import Executor
from connectors.labels import Label, Provenance, leaves
from connectors.registry import Registry
from storage.database import Database, Transaction
from storage.repositories.people import PersonFacts
from storage.tables.approvals import Approval, ApprovalItem
from storage.tables.calls import Attempt
from storage.tables.goals import Goal, GoalStatus, Task, TaskStatus
from storage.tables.people import Role
from storage.tables.records import AuditRow
from tests.bot.engine.counting import CONNECTOR, MANIFEST, Provider
from tests.connectors.plumbing import Plumbing, settings_at

TEAM, DANA, MO, ADA, GUS = "T1", "U-DANA", "U-MO", "U-ADA", "U-GUS"
ALL = ("read", "write", "mail")
TIERS = "version: 1"
ASK_MO = """
version: 1
rules:
  - name: guests
    when: {effect: irreversible_or_seen_by_others}
    ask: {people: [U-MO]}
"""
LONG = Timing(lease_s=30.0, call_timeout_s=20.0, retry_base_s=0.0, max_tries=3)


def ref(task: str, *path: str | int) -> dict[str, JsonValue]:
    return stored_ref(Ref(task=task, path=list(path)))


def step(
    key: str,
    action: str,
    *,
    after: tuple[str, ...] = (),
    when: tuple[dict[str, JsonValue], str, Any] | None = None,
    for_each: dict[str, JsonValue] | None = None,
    wait: Wait | None = None,
    **arguments: Any,
) -> ValidTask:
    """Return a validated task; its arguments are completed by the action's model."""
    declared = Registry((CONNECTOR, BUILTINS)).action(action)
    defaults = {
        name: info.get_default(call_default_factory=True)
        for name, info in declared.arguments.model_fields.items()
        if not info.is_required()
    }
    given: dict[str, JsonValue] = {**defaults, **arguments}
    guard = None
    if when is not None:
        left = Ref.model_validate(when[0]["$ref"])
        guard = Guard.model_validate({"left": left, "op": when[1], "right": when[2]})
    needed = {item.task for value in given.values() for _, item in references(value)}
    needed |= {*after} | ({guard.left.task} if guard else set())
    every = Ref.model_validate(for_each["$ref"]) if for_each is not None else None
    needed |= {every.task} if every else set()
    match wait:
        case WaitUntil(until=Ref() as found) | WaitEvent(subject=found):
            needed.add(found.task)
    return ValidTask(
        key=key,
        action=declared.qualified_name,
        arguments=given,
        after=after,
        when=guard,
        why="",
        depends_on=tuple(sorted(needed - {EACH})),
        for_each=every,
        wait=wait,
    )


def add(
    key: str, name: str | dict[str, JsonValue], *, kind: str = "keyed", **more: Any
) -> ValidTask:
    return step(key, f"add_{kind}", name=name, **more)


@dataclass
class World:
    """Services on one database and one provider, and what tests ask of them."""

    database: Database
    provider: Provider
    plumbing: Plumbing
    policy: str = TIERS
    timing: Timing = LONG
    can_replan: bool = False
    can_read: bool = False
    max_replans: int = 1
    max_rounds: int = 2
    limits: Limits = field(default_factory=Limits)
    ahead: timedelta = timedelta()
    """By how much a process takes it to be later than it is, when it meets a newer version."""
    connection_ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.registry = Registry((CONNECTOR, BUILTINS))
        self.executor = Executor(
            registry=self.registry,
            clients=ConnectionClients(
                database=self.database,
                clients=self.plumbing.clients,
                providers=self.plumbing.providers,
            ),
            database=self.database,
            timeout_s=self.timing.call_timeout_s,
        )
        self.wire()

    def wire(self) -> None:
        """Build the services anew, as a process that starts would."""
        policy = Policy.parse(self.policy)
        self.decisions = DecisionService(policy_version=policy.version)
        self.forecaster = Forecaster(registry=self.registry, policy=policy)
        self.rounds = Rounds(
            registry=self.registry,
            can_replan=self.can_replan,
            max_replans=self.max_replans,
            max_rounds=self.max_rounds,
        )
        self.budgets = Budgets(
            limits=self.limits,
            registry=self.registry,
            decisions=self.decisions,
            rounds=self.rounds,
        )
        self.preparer = Preparer(
            registry=self.registry, executor=self.executor, database=self.database
        )
        self.newer = Newer(registry=self.registry, now=lambda: datetime.now(UTC) + self.ahead)
        self.engine = Engine(
            database=self.database,
            registry=self.registry,
            executor=self.executor,
            preparer=self.preparer,
            gate=Gate(policy=policy, decisions=self.decisions, lease_s=self.timing.lease_s),
            proposals=Proposals(
                forecaster=self.forecaster, registry=self.registry, rounds=self.rounds
            ),
            rounds=self.rounds,
            budgets=self.budgets,
            timing=self.timing,
            newer=self.newer,
        )
        self.desk = ApprovalDesk(
            database=self.database,
            decisions=self.decisions,
            registry=self.registry,
            rounds=self.rounds,
        )
        self.plans = PlanService(
            database=self.database,
            registry=self.registry,
            forecaster=self.forecaster,
            decisions=self.decisions,
        )
        self.undos = UndoService(database=self.database, registry=self.registry)
        self.pauses = PauseService(database=self.database)
        self.wishes = Wishes(
            registry=self.registry, forecaster=self.forecaster, decisions=self.decisions
        )
        self.remarks = RemarkService(
            database=self.database, wishes=self.wishes, rounds=self.rounds, budgets=self.budgets
        )
        self.changes = ChangeService(
            registry=self.registry, wishes=self.wishes, now=lambda: datetime.now(UTC)
        )
        self.answers = AnswerService(
            database=self.database,
            registry=self.registry,
            decisions=self.decisions,
            now=lambda: datetime.now(UTC),
        )
        self.goals = GoalService(
            database=self.database,
            decisions=self.decisions,
            threads=ThreadService(
                pauses=self.pauses,
                undos=self.undos,
                changes=self.changes,
                answers=self.answers,
                can_read=self.can_read,
            ),
        )
        self.unknowns = UnknownService(database=self.database)
        self.handoffs = HandoffService(
            database=self.database,
            registry=self.registry,
            decisions=self.decisions,
            grace_s=self.timing.call_timeout_s,
        )
        self.happenings = Happenings(
            database=self.database,
            registry=self.registry,
            executor=self.executor,
            channels=Channels(
                database=self.database,
                executor=self.executor,
                providers=self.plumbing.providers,
                public_url="http://countersign.test",
            ),
            newer=self.newer,
        )
        self.halts = HaltService(database=self.database, grace_s=self.timing.call_timeout_s)
        self.wakes = Wakes(database=self.database)
        self.sweeper = Sweeper(database=self.database, timing=self.timing, registry=self.registry)
        self.cards = CardQueries(registry=self.registry, forecaster=self.forecaster)
        self.connections = ConnectionDesk(
            database=self.database,
            flow=self.plumbing.flow,
            decisions=self.decisions,
            providers=self.plumbing.providers,
            public_url="http://127.0.0.1:9",
        )

    async def person(
        self,
        person_id: str,
        name: str,
        *,
        role: Role = Role.MEMBER,
        is_active: bool = True,
        is_guest: bool = False,
    ) -> None:
        async with self.database.transaction() as tx:
            facts = PersonFacts(
                name=name,
                email=f"{name.split(maxsplit=1)[0].lower()}@northwind.example",
                zone="Europe/Berlin",
                role=role,
                is_guest=is_guest,
                is_bot=False,
                is_active=is_active,
            )
            await tx.people.upsert(TEAM, person_id, facts)

    async def connect(self, person_id: str = DANA, *, scopes: tuple[str, ...] = ALL) -> None:
        made = await self.plumbing.store(person_id=person_id, provider="counting", scopes=scopes)
        self.connection_ids[person_id] = made.id

    async def receive(
        self,
        tx: Transaction,
        *,
        text: str = "Do it",
        person_id: str = DANA,
        status: GoalStatus = GoalStatus.RECEIVED,
    ) -> int:
        """Store a goal of the thread that `tests.bot.engine.threads` writes in; return its id."""
        goal_id = await tx.goals.add(
            team_id=TEAM,
            requester_id=person_id,
            channel_id="D1",
            thread_ts="1.0",
            source_key=f"test:{secrets.token_hex(8)}",
            text=text,
            status=status,
        )
        assert goal_id is not None
        return goal_id

    async def plan(
        self, *tasks: ValidTask, person_id: str = DANA, labels: Label = Label.MESSAGE
    ) -> int:
        """Adopt a plan whose literals the requester typed; return the goal's id."""
        async with self.database.transaction() as tx:
            goal_id = await self.receive(tx, person_id=person_id, status=GoalStatus.PLANNING)
            goal = await tx.goals.lock(TEAM, goal_id)
            source = Provenance(labels, "typed")
            given = {
                task.key: {pointer: source for pointer, _ in leaves(task.arguments)}
                for task in tasks
            }
            await adopt(tx, goal, ValidPlan("", tasks), author="offline", labels=given)
        return goal_id

    async def start(self, *tasks: ValidTask, person_id: str = DANA) -> int:
        """Plan, drive, and click Run where the plan is proposed; drive again."""
        goal_id = await self.plan(*tasks, person_id=person_id)
        await self.engine.drive(TEAM, goal_id)
        await self.start_proposed(goal_id, person_id=person_id)
        return goal_id

    async def start_proposed(self, goal_id: int, *, person_id: str = DANA) -> None:
        """Click Run where the plan is proposed, and drive again."""
        if (await self.goal(goal_id)).status is GoalStatus.PROPOSED:
            answer = await self.plans.run(Click(TEAM, person_id), goal_id, 1)
            assert answer.ok, answer
            await self.engine.drive(TEAM, goal_id)

    async def drive(self, goal_id: int) -> None:
        await self.engine.drive(TEAM, goal_id)

    async def goal(self, goal_id: int) -> Goal:
        async with self.database.transaction() as tx:
            return await tx.goals.get(TEAM, goal_id)

    async def tasks(self, goal_id: int) -> dict[str, Task]:
        async with self.database.transaction() as tx:
            return {task.key: task for task in await tx.tasks.list_(TEAM, goal_id)}

    async def statuses(self, goal_id: int) -> dict[str, TaskStatus]:
        return {key: task.status for key, task in (await self.tasks(goal_id)).items()}

    async def attempts(self, goal_id: int) -> list[Attempt]:
        async with self.database.transaction() as tx:
            return list(await tx.calls.list_attempts(TEAM, goal_id))

    async def asked(self, goal_id: int) -> list[tuple[Approval, ApprovalItem]]:
        async with self.database.transaction() as tx:
            return list(await tx.approvals.list_for_goal(TEAM, goal_id))

    async def item(self, goal_id: int) -> int:
        """Return the newest item of the goal's approvals."""
        return (await self.asked(goal_id))[-1][1].id

    async def move_goal(self, goal_id: int, to: GoalStatus) -> None:
        async with self.database.transaction() as tx:
            await move_goal(tx, await tx.goals.lock(TEAM, goal_id), to=to)

    async def audit(self) -> list[str]:
        async with self.database.transaction() as tx:
            rows = await tx.session.scalars(select(AuditRow).order_by(AuditRow.id))
            return [row.tag for row in rows]

    def jobs(self, name: str = "drive") -> list[int]:
        """Return the goals for which such a job waits."""
        query = "SELECT args FROM procrastinate_jobs WHERE status = 'todo' AND task_name = %s"
        with psycopg.connect(self.database.url) as connection:
            return [row[0]["goal_id"] for row in connection.execute(query, [name]).fetchall()]

    def forget_jobs(self) -> None:
        self.sql("DELETE FROM procrastinate_jobs")

    def sql(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.database.url) as connection:
            connection.execute(statement.encode(), values or None)

    def one(self, query: str, *values: object) -> Any:
        """Return the first value of a query's first row."""
        with psycopg.connect(self.database.url) as connection:
            row = connection.execute(query.encode(), values or None).fetchone()
        return row[0] if row else None

    def let_deadlines_pass(self) -> None:
        """Let every approval's deadline be over."""
        self.sql("UPDATE approvals SET deadline_at = now() - interval '1 second'")

    def die(self, goal_id: int) -> None:
        """Let every lease of a goal be over for long, as after kill -9 and a while."""
        self.sql(
            "UPDATE tasks SET lease_until = now() - interval '1 hour' "
            "WHERE lease_until IS NOT NULL AND goal_id = %s",
            goal_id,
        )
        self.sql(
            "UPDATE attempts SET lease_until = now() - interval '1 hour' "
            "WHERE status = 'running' AND goal_id = %s",
            goal_id,
        )


@asynccontextmanager
async def open_world(database: Database, provider: Provider, url: str) -> AsyncIterator[World]:
    provider.reset()
    plumbing = Plumbing(database, settings_at(url, MANIFEST))
    world = World(database, provider, plumbing)
    async with database.transaction() as tx:
        await tx.people.upsert_team(team_id=TEAM, name="Northwind", bot_user_id="U-BOT")
    await world.person(DANA, "Dana Reyes")
    await world.person(MO, "Mo Okafor", role=Role.APPROVER)
    await world.person(ADA, "Ada Park", role=Role.ADMIN)
    await world.person(GUS, "Gus Guest", is_guest=True)
    await world.connect(DANA)
    try:
        yield world
    finally:
        provider.held.set()
        await plumbing.close()
