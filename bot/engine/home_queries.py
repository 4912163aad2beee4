"""Home queries: everything that waits on a person, in one place."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.engine.halts import is_admin, say_halt
from bot.engine.home import HomeConnection, HomeDigest, HomeGoal, HomeHalt, HomeLine, HomeView
from bot.engine.plans import words
from bot.goals.lifecycle import SETTLED
from bot.goals.pending import gather
from bot.goals.permalinks import permalink
from connectors.registry import Registry
from storage.database import Database, Transaction
from storage.tables.connections import Connection, ConnectionStatus
from storage.tables.goals import Goal, GoalKind, GoalStatus, TaskStatus
from storage.tables.halts import EVERY_TEAM
from storage.tables.people import Person

_CONNECTION_WORDS = {
    ConnectionStatus.CONNECTED: "connected",
    ConnectionStatus.RECONNECT: "must be connected again",
    ConnectionStatus.DISCONNECTED: "not connected",
}
_YOURS = {
    GoalStatus.PROPOSED: "Run, edit or cancel",
    GoalStatus.ASKING: "Answer a question about",
}
_TASKS = {
    TaskStatus.ASKING: ("Answer a question about", "question"),
    TaskStatus.UNKNOWN: ("Tell me what became of a step of", "unknown"),
}
"""What a person does about a step, and the card that asks for it."""

GOALS_SHOWN = 10


class HomeQueries:
    """Loads what App Home shows."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        examples: tuple[str, ...],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._registry = registry
        self._examples = examples
        self._now = now

    async def load(self, team_id: str, person_id: str) -> HomeView:
        """Return a person's Home: what waits on them first."""
        async with self._database.transaction() as tx:
            return await self.read(tx, team_id, person_id)

    async def read(self, tx: Transaction, team_id: str, person_id: str) -> HomeView:
        """Return the same within a transaction.

        Raises:
            NotFoundError: when this team has no such person.
        """
        person = await tx.people.get(team_id, person_id)
        goals = [
            goal
            for goal in await tx.goals.list_for(team_id, person_id)
            if goal.kind is GoalKind.REQUEST
        ]
        subscription = await tx.digests.find(team_id, person_id)
        return HomeView(
            waiting_for_you=await self._waiting(tx, person, goals),
            goals=tuple(
                [
                    HomeGoal(
                        goal.id, goal.text, words(goal.status), await self._link(tx, person, goal)
                    )
                    for goal in goals[:GOALS_SHOWN]
                ]
            ),
            connections=await self._connections(tx, person),
            digest=HomeDigest(
                at=subscription.at,
                weekdays=tuple(subscription.weekdays),
                zone=ZoneInfo(person.zone),
                is_on=subscription.enabled,
            )
            if subscription
            else None,
            examples=self._examples,
            halt=await self._halt(tx, person) if is_admin(person) else None,
        )

    async def _halt(self, tx: Transaction, person: Person) -> HomeHalt:
        standing = await tx.halts.find(person.team_id)
        if standing is None:
            return HomeHalt(None, 0, can_resume=False)
        return HomeHalt(
            await say_halt(tx, person.team_id, ZoneInfo(person.zone)),
            await tx.halts.count_held(person.team_id),
            can_resume=standing.team_id != EVERY_TEAM,
        )

    async def _connections(self, tx: Transaction, person: Person) -> tuple[HomeConnection, ...]:
        found = {
            item.provider: item
            for item in await tx.connections.list_(person.team_id, person.person_id)
        }
        down = {item.provider: item for item in await tx.breakers.list_()}
        shown = []
        for provider in self._registry.providers():
            line = _connection(provider.name, provider.title, found.get(provider.name))
            if provider.name in down:
                since = down[provider.name].opened_at.astimezone(ZoneInfo(person.zone))
                held = await tx.breakers.count_held(person.team_id, person.person_id, provider.name)
                line = replace(line, trouble=_trouble(provider.title, since, held))
            shown.append(line)
        return tuple(shown)

    async def _waiting(
        self, tx: Transaction, person: Person, goals: list[Goal]
    ) -> tuple[HomeLine, ...]:
        lines = []
        pending = await tx.approvals.list_pending_for(person.team_id, person.person_id)
        for asked in gather(pending):
            if asked.approval.deadline_at <= self._now():
                continue
            call = await tx.calls.get(person.team_id, asked.item.call_id)
            url = await permalink(tx, person, "approval", asked.approval.id)
            lines.append(HomeLine(f"Countersign: {asked.say(call.preview['sentence'])}", url))
        lines += [
            HomeLine(f"{_YOURS[goal.status]}: {goal.text}", await self._link(tx, person, goal))
            for goal in goals
            if goal.status in _YOURS
        ]
        lines += await self._steps(tx, person, goals)
        for goal_id, task in await tx.tasks.list_needing_connection(
            person.team_id, person.person_id
        ):
            provider = self._registry.stored_connector(task.action.split(".")[0])
            url = await permalink(tx, person, "connect", f"{goal_id}:{provider.name}")
            line = HomeLine(f"Connect {provider.title} so that a goal can go on", url)
            if line not in lines:
                lines.append(line)
        return tuple(lines)

    async def _steps(
        self, tx: Transaction, person: Person, goals: Sequence[Goal]
    ) -> list[HomeLine]:
        """Return a line for each step that asks for a value, or of which nobody knows the end."""
        going = {goal.id: goal for goal in goals if goal.status not in SETTLED}
        hindered = await tx.digests.list_tasks(person.team_id, list(going)) if going else []
        return [
            HomeLine(
                f"{_TASKS[task.status][0]}: {going[task.goal_id].text}",
                await permalink(tx, person, _TASKS[task.status][1], task.id),
            )
            for task in hindered
            if task.status in _TASKS
        ]

    async def _link(self, tx: Transaction, person: Person, goal: Goal) -> str | None:
        return await permalink(tx, person, "goal", goal.id)


def _trouble(title: str, since: datetime, held: int) -> str:
    said = f"{title} has not answered since {since:%H:%M %Z}"
    if held == 0:
        return f"{said}. I try again by myself."
    if held == 1:
        return f"{said}; 1 of your steps waits for it and goes on by itself."
    return f"{said}; {held} of your steps wait for it and go on by themselves."


def _connection(name: str, title: str, found: Connection | None) -> HomeConnection:
    if found is None:
        return HomeConnection(name, title, "not connected", None, is_connected=False)
    connected = found.status is ConnectionStatus.CONNECTED
    return HomeConnection(
        provider=name,
        title=title,
        status=_CONNECTION_WORDS[found.status],
        account=None if found.status is ConnectionStatus.DISCONNECTED else found.account,
        is_connected=connected,
    )
