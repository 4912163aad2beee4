"""A world whose goals are planned by a scripted model, over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.engine.planning_job import PlanningJob
from bot.engine.reading_job import ReadingJob
from bot.goals.clicks import Click
from bot.llm.client import ModelClient
from bot.llm.messages import Size, UsageRecord
from bot.planning.model import ModelPlanner
from bot.planning.model_reader import ModelReader
from bot.planning.outcome import Planner
from storage.tables.goals import Goal, GoalStatus
from tests.bot.engine.threads import said
from tests.bot.engine.world import DANA, TEAM, World
from tests.support.openai_server import ScriptedModel, serve_model

TEXT = "Add Apple, Berry and Cherry for x@acme.example"


def ref(task: str, *path: str | int) -> dict[str, Any]:
    return {"task": task, "path": list(path)}


def task(key: str, action: str, **arguments: Any) -> dict[str, Any]:
    """Return a task as a model writes it."""
    defaults: dict[str, Any] = {}
    if action.startswith("add_"):
        defaults = {"parent_id": None, "guests": [], "is_own": False, "size": None}
    return {
        "id": key,
        "call": {action: {**defaults, **arguments}},
        "after": [],
        "for_each": None,
        "when": None,
        "wait": None,
        "why": "",
    }


def plan(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a plan as a model writes it."""
    return {
        "say": "I will do it",
        "tasks": list(tasks),
        "writes": [],
        "question": None,
        "final": True,
        **more,
    }


def question(text: str, *choices: str) -> dict[str, Any]:
    return plan(question={"text": text, "choices": list(choices)})


@dataclass
class Scene:
    """What a test says, and what the model was asked."""

    world: World
    model: ScriptedModel
    job: PlanningJob
    planner: Planner
    reading: ReadingJob
    goal_id: int = field(default=0)

    async def say(self) -> int:
        """Receive a message and run its jobs until nothing is left to do."""
        await self.say_first()
        await self.settle()
        return self.goal_id

    async def say_first(self) -> None:
        """Receive a message, plan it, and drive the plan once."""
        async with self.world.database.transaction() as tx:
            goal_id = await self.world.receive(tx, text=TEXT)
        self.goal_id = goal_id
        await self.job.plan_goal(TEAM, goal_id)
        await self.world.drive(goal_id)

    async def settle(self) -> Goal:
        """Drive and plan as the goal's jobs would, until neither changes anything."""
        while True:
            await self.world.drive(self.goal_id)
            goal = await self.world.goal(self.goal_id)
            if goal.status is not GoalStatus.PLANNING or goal.deviation is None:
                return goal
            await self.job.plan_goal(TEAM, self.goal_id)

    async def hear(self, text: str, *, ts: str = "9.0") -> None:
        """Receive a message in the goal's thread, and run the job that reads it."""
        await self.world.goals.receive(said(text, ts=ts))
        remark_id = self.world.one("SELECT max(id) FROM remarks WHERE status = 'reading'")
        if remark_id is not None:
            await self.reading.read_remark(TEAM, remark_id)

    async def run(self) -> Goal:
        """Click Run on the newest version."""
        goal = await self.world.goal(self.goal_id)
        answer = await self.world.plans.run(Click(TEAM, DANA), self.goal_id, goal.plan_version)
        assert answer.ok, answer
        return await self.settle()

    async def asked(self, number: int) -> str:
        """Return the last message of a request to the model, counted from 0."""
        content: str = self.model.requests[number]["messages"][-1]["content"]
        return content


@asynccontextmanager
async def replanning(
    world: World,
    *answers: Any,
    max_replans: int = 1,
    policy: str | None = None,
    can_read: bool = False,
) -> AsyncIterator[Scene]:
    """Yield a scene whose model gives these answers in turn."""

    async def keep(usage: UsageRecord) -> None:
        async with world.database.transaction() as tx:
            await tx.usage.add(**asdict(usage))

    world.can_replan, world.max_replans = True, max_replans
    world.can_read = can_read
    world.policy = policy or world.policy
    world.wire()
    async with serve_model(ScriptedModel(answers=list(answers))) as model:
        client = ModelClient(
            base_url=model.url,
            api_key="none",
            models={Size.LARGE: ("large",), Size.SMALL: ("small",)},
            usage=keep,
        )
        planner = ModelPlanner(client=client, registry=world.registry)
        job = PlanningJob(
            database=world.database,
            planner=planner,
            registry=world.registry,
            decisions=world.decisions,
            rounds=world.rounds,
            budgets=world.budgets,
            now=lambda: datetime.now(UTC),
            stale_s=world.timing.stale_s,
        )
        reading = ReadingJob(
            database=world.database,
            reader=ModelReader(client),
            registry=world.registry,
            wishes=world.wishes,
            changes=world.changes,
            rounds=world.rounds,
            budgets=world.budgets,
            now=lambda: datetime.now(UTC),
        )
        try:
            yield Scene(world, model, job, planner, reading)
        finally:
            await client.close()
