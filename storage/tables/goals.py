"""Goals, plans and tasks: what was asked, how it is done, step by step."""

from enum import StrEnum

from sqlalchemy import ARRAY, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Big, CreatedAt, Id, Instant, Json, JsonList


class GoalStatus(StrEnum):
    """Where a goal stands (ARCHITECTURE.md, section 3)."""

    RECEIVED = "received"
    PLANNING = "planning"
    ASKING = "asking"
    PROPOSED = "proposed"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    DONE = "done"
    PARTLY_DONE = "partly_done"
    FAILED = "failed"
    CANCELLED = "cancelled"


DRIVEN_STATUSES = (GoalStatus.PLANNING, GoalStatus.RUNNING, GoalStatus.WAITING)
"""In which a drive may claim tasks."""


class GoalKind(StrEnum):
    """Where a goal came from: a person's message, or an Undo of what another goal did."""

    REQUEST = "request"
    UNDO = "undo"


class TaskStatus(StrEnum):
    """Where a task stands (ARCHITECTURE.md, section 3)."""

    PENDING = "pending"
    READY = "ready"
    SKIPPED = "skipped"
    NEEDS_CONNECTION = "needs_connection"
    ASKING = "asking"
    """Its requester is asked for another value; nothing of it was done."""
    NEEDS_APPROVAL = "needs_approval"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    UNDONE = "undone"


class Goal(Base):
    """`source_key` names the message or click a goal came from; it makes a redelivery harmless."""

    __tablename__ = "goals"
    __table_args__ = (
        UniqueConstraint("team_id", "source_key"),
        Index("ix_goals_team_id_requester_id", "team_id", "requester_id"),
        Index("ix_goals_thread", "team_id", "channel_id", "thread_ts"),
        Index("ix_goals_unsettled", "status", postgresql_where="settled_at IS NULL"),
        Index("ix_goals_age", "created_at", postgresql_where="settled_at IS NULL"),
        # Not by `updated_at`, which every change sets: what keeps the status then stays in place.
        Index(
            "ix_goals_open",
            "id",
            postgresql_where="status IN ('received','planning','running')",
        ),
    )

    id: Mapped[Id]
    team_id: Mapped[str]
    requester_id: Mapped[str]
    channel_id: Mapped[str]
    thread_ts: Mapped[str]
    source_key: Mapped[str]
    kind: Mapped[GoalKind]
    text: Mapped[str]
    status: Mapped[GoalStatus]
    plan_version: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None]
    """Why it ended as it did, in a sentence for the requester; None while open."""
    question: Mapped[Json | None]
    """What we asked last: {"text", "choices"}."""
    rounds: Mapped[int] = mapped_column(default=0)
    """How often a planner saw results and planned the rest; 1 once there is a first plan."""
    replans: Mapped[int] = mapped_column(default=0)
    """How often a deviation went to the planner."""
    deviation: Mapped[Json | None]
    """{"kind", "task", "message"}: why the planner is asked again, until it has answered."""
    started_version: Mapped[int] = mapped_column(default=0)
    """The newest plan version that a person ran or that policy let run; what is newer was
    not shown yet."""
    stopped_because: Mapped[str | None]
    """Which budget ended it, in a sentence for the requester: nothing more of it starts."""
    budget_told: Mapped[bool] = mapped_column(default=False)
    """Whether a planner was told that a budget is nearly used up."""
    is_resting: Mapped[bool] = mapped_column(default=False)
    """Whether nothing of a goal being planned can move before somebody answers or connects; a
    nudge ends that, and without one the sweeper leaves it alone."""
    clarifications: Mapped[JsonList] = mapped_column(default=list)
    """[{"question", "answer"}], oldest first."""
    deadline_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]
    settled_at: Mapped[Instant | None]


class Plan(Base):
    """One immutable version of a goal's task graph; a change is a new row."""

    __tablename__ = "plans"
    __table_args__ = (UniqueConstraint("goal_id", "version"),)

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    version: Mapped[int]
    body: Mapped[Json]
    author: Mapped[str]
    """`offline`, `model:<name>` or `person:<id>`."""
    created_at: Mapped[CreatedAt]


class PlanRun(Base):
    """A person's Run of a plan version, with every value that stood on its card."""

    __tablename__ = "plan_runs"
    __table_args__ = (UniqueConstraint("goal_id", "version"),)

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    version: Mapped[int]
    person_id: Mapped[str]
    shown: Mapped[Json]
    """Task key → the resolved arguments as the card showed them."""
    created_at: Mapped[CreatedAt]


class Task(Base):
    """One action in a plan. `spec` is the validated task of the plan, references included."""

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("goal_id", "key"),
        # None has the status, the lease or a time: a task changes those five times in its life,
        # and an update that changes no index leaves nothing behind (HOT). What is due is found
        # through the goals that move, what died through the attempts that run.
        Index(
            "ix_tasks_undoes_task_id",
            "undoes_task_id",
            postgresql_where="undoes_task_id IS NOT NULL",
        ),
        Index(
            "ix_tasks_connection",
            "team_id",
            postgresql_where="(failure ->> 'code'::text) = 'needs_connection'::text",
        ),
    )

    id: Mapped[Id]
    team_id: Mapped[str]
    goal_id: Mapped[Big]
    key: Mapped[str]
    parent_key: Mapped[str | None]
    """The task that this one is a row of: one element of its list."""
    row: Mapped[int | None]
    """The place of the element in the list, from 0."""
    position: Mapped[int]
    """The step's place in the plan, from 0; rows have that of their task."""
    plan_version: Mapped[int]
    dropped_in: Mapped[int | None]
    """The plan version that goes on without it, whatever became of it before."""
    undoes_task_id: Mapped[Big | None]
    """The task of another goal that it takes back."""
    action: Mapped[str]
    spec: Mapped[Json]
    depends_on: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[TaskStatus]
    call_id: Mapped[Big | None]
    lease_owner: Mapped[str | None]
    """The drive that prepares or runs it; a claim without a live lease may be taken over."""
    lease_until: Mapped[Instant | None]
    not_before: Mapped[Instant | None]
    held_since: Mapped[Instant | None]
    """Since when it waits for its provider to answer at all; such waiting uses up no tries."""
    tries: Mapped[int] = mapped_column(default=0)
    result: Mapped[Json | None]
    failure: Mapped[Json | None]
    """{"code": …, "message": a sentence for the person}; also says why a task was declined."""
    finished_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]
