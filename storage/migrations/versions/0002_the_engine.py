"""What the whole engine keeps: lists, rounds, waits, breakers, changes of mind, tidying."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _rows()
    _rounds()
    _waits()
    _breakers()
    _changes()
    _remarks()
    _tidy()


def _rows() -> None:
    """Add what a task that runs once per element of a list needs."""
    op.add_column("tasks", sa.Column("parent_key", sa.Text(), nullable=True))
    op.add_column("tasks", sa.Column("row", sa.Integer(), nullable=True))
    op.create_table(
        "durations",
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("median_s", sa.Float(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column(
            "measured_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("action", name=op.f("pk_durations")),
    )


def _rounds() -> None:
    """Add what second rounds, re-plans and budgets need."""
    for name in ("rounds", "replans", "started_version"):
        column = sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        op.add_column("goals", column)
        op.alter_column("goals", name, server_default=None)
    op.add_column(
        "goals",
        sa.Column("deviation", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )
    # Goals of the version before were planned once, and their newest version was the shown one.
    op.execute("UPDATE goals SET rounds = 1 WHERE plan_version > 0")
    op.execute(
        "UPDATE goals SET started_version = plan_version "
        "WHERE status NOT IN ('received', 'planning', 'asking', 'proposed')"
    )
    op.add_column("tasks", sa.Column("dropped_in", sa.Integer(), nullable=True))
    op.add_column("goals", sa.Column("stopped_because", sa.Text(), nullable=True))
    for name in ("budget_told", "is_resting"):
        flag: sa.Column[bool] = sa.Column(
            name, sa.Boolean(), nullable=False, server_default=sa.false()
        )
        op.add_column("goals", flag)
        op.alter_column("goals", name, server_default=None)
    op.create_index(
        "ix_goals_age", "goals", ["created_at"], postgresql_where=sa.text("settled_at IS NULL")
    )


def _waits() -> None:
    """Add waits, webhooks and polls."""
    op.create_table(
        "waits",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("goal_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("connector", sa.Text(), nullable=True),
        sa.Column("event", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("cursor", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("hinted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ending",
            sa.Enum(
                "reached",
                "held",
                "past",
                "happened",
                "in_vain",
                "cancelled",
                name="waitending",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waits")),
    )
    op.create_index("ix_waits_goal_id", "waits", ["goal_id"])
    op.create_index(
        "ix_waits_due_at", "waits", ["due_at"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index(
        "ix_waits_open_task",
        "waits",
        ["task_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_waits_subject",
        "waits",
        ["team_id", "connector", "subject"],
        postgresql_where=sa.text("ended_at IS NULL AND event IS NOT NULL"),
    )
    op.create_index(
        "ix_waits_person",
        "waits",
        ["team_id", "connector", "person_id"],
        postgresql_where=sa.text("ended_at IS NULL AND event IS NOT NULL"),
    )
    op.create_table(
        "hooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hooks")),
        sa.UniqueConstraint("team_id", "connector", name=op.f("uq_hooks_team_id_connector")),
    )
    op.create_table(
        "hook_deliveries",
        sa.Column("hook_id", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("hook_id", "delivery", name=op.f("pk_hook_deliveries")),
    )
    op.create_index("ix_hook_deliveries_received_at", "hook_deliveries", ["received_at"])
    op.create_table(
        "polls",
        sa.Column("connection_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("cursor", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_hinted", sa.Boolean(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("channel_handle", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("watch_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("connection_id", "stream", name=op.f("pk_polls")),
    )
    op.create_index("ix_polls_next_at", "polls", ["next_at"])
    op.create_index("ix_polls_channel_id", "polls", ["channel_id"], unique=True)


def _breakers() -> None:
    """Add what is known of a host that fails, and what was handed to a human."""
    op.create_table(
        "breakers",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column(
            "opened_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_breakers")),
    )
    op.create_table(
        "handoffs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("goal_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
    )
    op.create_index("ix_handoffs_goal_id", "handoffs", ["goal_id"])
    op.create_index(
        "ix_handoffs_open",
        "handoffs",
        ["created_at"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index(
        "ix_goals_unsettled",
        "goals",
        ["status"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.add_column("tasks", sa.Column("held_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "connections", sa.Column("resting_until", sa.DateTime(timezone=True), nullable=True)
    )


def _changes() -> None:
    """Add pauses, undos of goals and halts."""
    op.create_table(
        "halts",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("halted_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "halted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_halts")),
    )
    op.add_column("tasks", sa.Column("undoes_task_id", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE tasks SET undoes_task_id = goals.undo_of_task_id FROM goals "
        "WHERE goals.id = tasks.goal_id AND goals.undo_of_task_id IS NOT NULL"
    )
    op.drop_column("goals", "undo_of_task_id")
    op.create_index(
        "ix_tasks_undoes_task_id",
        "tasks",
        ["undoes_task_id"],
        postgresql_where=sa.text("undoes_task_id IS NOT NULL"),
    )


def _remarks() -> None:
    """Add what requesters wrote about goals under way that could not be acted on at once."""
    op.create_table(
        "remarks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("goal_id", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("person_id", "channel_id", "thread_ts", "ts", "text")
        ),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        *(
            sa.Column(
                name,
                sa.DateTime(timezone=True),
                server_default=sa.text("now()"),
                nullable=False,
            )
            for name in ("created_at", "touched_at")
        ),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remarks")),
        sa.UniqueConstraint(
            "team_id", "channel_id", "ts", name=op.f("uq_remarks_team_id_channel_id_ts")
        ),
    )
    op.create_index("ix_remarks_goal_id", "remarks", ["goal_id"])
    op.create_index("ix_remarks_created_at", "remarks", ["created_at"], postgresql_using="brin")
    op.create_index(
        "ix_remarks_reading",
        "remarks",
        ["touched_at"],
        postgresql_where=sa.text("status = 'reading'"),
    )


def _tidy() -> None:
    """Add large results, the archive of events, and room for updates in place."""
    op.create_table(
        "results",
        sa.Column("task_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("goal_id", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_results")),
    )
    op.create_table(
        "archived_events",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_archived_events")),
    )
    op.create_index(
        "ix_outbox_held",
        "outbox",
        ["team_id", "channel_id"],
        postgresql_where="lease_until IS NOT NULL",
    )
    op.create_index("ix_outbox_channel", "outbox", ["team_id", "channel_id"])
    op.create_index("ix_attempts_goal_id", "attempts", ["goal_id"])
    op.create_index("ix_oauth_states_expires_at", "oauth_states", ["expires_at"])
    op.create_index("ix_links_expires_at", "links", ["expires_at"])
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], postgresql_using="brin")
    op.create_index("ix_outbox_created_at", "outbox", ["created_at"], postgresql_using="brin")
    op.drop_column("people", "welcomed_at")
    for name in ("ix_tasks_claimed", "ix_tasks_not_before", "ix_tasks_connection"):
        op.drop_index(name, table_name="tasks")
    op.create_index(
        "ix_tasks_connection",
        "tasks",
        ["team_id"],
        postgresql_where=sa.text("(failure ->> 'code'::text) = 'needs_connection'::text"),
    )
    op.drop_index("ix_goals_open", table_name="goals")
    op.create_index(
        "ix_goals_open",
        "goals",
        ["id"],
        postgresql_where=sa.text("status IN ('received','planning','running')"),
    )
    # Every row of these is updated several times soon after it was added: room on its own page
    # keeps the versions together, and lets an update that changes no index stay there (HOT).
    for table in ("goals", "tasks", "attempts", "permits", "approval_items", "outbox", "inbox"):
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 80)")
    # The default waits for a fifth of a table to be dead; of a queue of a few rows and of cards
    # that are redrawn a dozen times that is long after the pages have grown.
    for table in ("tasks", "outbox", "procrastinate_jobs", "procrastinate_workers"):
        op.execute(
            f"ALTER TABLE {table} SET "
            "(autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500)"
        )


def downgrade() -> None:
    """Refuse: what these tables hold cannot be kept without them; restore a backup instead."""
    raise NotImplementedError
