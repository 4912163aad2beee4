"""What the listeners call: one method for each thing that a person can do.

The protocols state the signatures that listeners rely on; `bot.parts` hands in the real services.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.engine.cards import PlanForm
from bot.engine.home import HomeView
from bot.goals.clicks import Answer, Click, FieldErrors
from bot.goals.messages import IncomingMessage
from bot.people.service import PeopleService
from storage.database import Database
from storage.tables.approvals import Verdict

UnknownVerdict = Literal["happened", "run_again", "leave"]


class Goals(Protocol):
    async def receive(self, message: IncomingMessage) -> None: ...
    async def start_example(self, click: Click, text: str) -> Answer: ...
    async def choose(self, click: Click, goal_id: int, choice: str) -> Answer: ...
    async def cancel(self, click: Click, goal_id: int) -> Answer: ...

    async def message_deleted(self, team_id: str, channel_id: str, ts: str) -> None: ...

    async def person_left(self, team_id: str, person_id: str) -> None: ...


class Plans(Protocol):
    async def run(self, click: Click, goal_id: int, version: int) -> Answer: ...
    async def form(self, click: Click, goal_id: int, version: int) -> PlanForm | Answer: ...
    async def edit(
        self,
        click: Click,
        goal_id: int,
        version: int,
        dropped: frozenset[str],
        values: Mapping[str, Mapping[str, str]],
    ) -> Answer | FieldErrors: ...


class Approvals(Protocol):
    async def decide(
        self, click: Click, item_id: int, verdict: Verdict, reason: str | None
    ) -> Answer: ...
    async def decide_all(
        self, click: Click, approval_id: int, verdict: Verdict, reason: str | None
    ) -> Answer: ...
    async def tell_open(self, click: Click, approval_id: int) -> str | Answer:
        """Return what is open of an approval, in words, or why this click cannot decide it."""
        ...

    async def form(self, click: Click, item_id: int) -> PlanForm | Answer: ...
    async def edit(
        self, click: Click, item_id: int, values: Mapping[str, str]
    ) -> Answer | FieldErrors: ...


class Pauses(Protocol):
    async def pause(self, click: Click, goal_id: int) -> Answer: ...
    async def resume(self, click: Click, goal_id: int) -> Answer: ...


class Undos(Protocol):
    async def undo(self, click: Click, task_id: int) -> Answer: ...
    async def undo_goal(self, click: Click, goal_id: int) -> Answer: ...


class Answers(Protocol):
    async def choose(self, click: Click, task_id: int, version: int, number: int) -> Answer: ...
    async def leave_out(self, click: Click, task_id: int, version: int) -> Answer: ...
    async def form(self, click: Click, task_id: int, version: int) -> PlanForm | Answer: ...


class Unknowns(Protocol):
    async def settle(self, click: Click, task_id: int, verdict: UnknownVerdict) -> Answer: ...


class Handoffs(Protocol):
    async def close(self, click: Click, handoff_id: int) -> Answer: ...


class Remarks(Protocol):
    async def pick(self, click: Click, remark_id: int, number: int) -> Answer: ...
    async def dismiss(self, click: Click, remark_id: int) -> Answer: ...


class Halts(Protocol):
    async def halt_team(self, click: Click, reason: str | None) -> Answer: ...
    async def resume_team(self, click: Click) -> Answer: ...


class Connections(Protocol):
    async def connect(self, click: Click, provider: str) -> Answer: ...
    async def disconnect(self, click: Click, provider: str) -> Answer: ...


class Digests(Protocol):
    async def subscribe(self, *, team_id: str, person_id: str) -> None:
        """Subscribe somebody who was just seen, unless they are."""
        ...

    async def send_now(self, click: Click) -> Answer: ...
    async def set_time(
        self, click: Click, *, hour_minute: str, weekdays: tuple[int, ...] | None
    ) -> Answer:
        """Set the time of day ("08:30") and, unless None, the ISO weekdays."""
        ...

    async def turn(self, click: Click, *, on: bool) -> Answer: ...


class Links(Protocol):
    async def goal_page(self, click: Click, goal_id: int) -> Answer: ...


class Homes(Protocol):
    async def load(self, team_id: str, person_id: str) -> HomeView: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that listeners use."""

    database: Database
    people: PeopleService
    goals: Goals
    plans: Plans
    approvals: Approvals
    pauses: Pauses
    undos: Undos
    answers: Answers
    unknowns: Unknowns
    handoffs: Handoffs
    remarks: Remarks
    halts: Halts
    connections: Connections
    digests: Digests
    links: Links
    homes: Homes
