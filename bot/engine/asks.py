"""What people are asked besides decisions: to connect a provider, to look for themselves."""

from bot.engine.prepare import NeedsConnection
from bot.goals.lifecycle import move_task
from connectors.registry import Registry
from storage import outbox
from storage.database import Transaction
from storage.tables.goals import Goal, Task, TaskStatus


async def ask_human(tx: Transaction, goal: Goal, task: Task, message: str) -> None:
    """Mark a task unknown and put it to its requester, and to whoever approved it."""
    await move_task(
        tx, task, to=TaskStatus.UNKNOWN, failure={"code": "unknown", "message": message}
    )
    for person_id in await _concerned(tx, goal, task):
        await outbox.show(
            tx,
            team_id=goal.team_id,
            noun="unknown",
            subject=task.id,
            channel_id=person_id,
            priority=2,
        )


async def _concerned(tx: Transaction, goal: Goal, task: Task) -> list[str]:
    people = [goal.requester_id]
    item = await tx.approvals.latest_item(goal.team_id, task.id)
    decision = await tx.approvals.find_decision(goal.team_id, item.id) if item else None
    if decision is not None and decision.person_id not in people:
        people.append(decision.person_id)
    return people


async def ask_to_connect(
    tx: Transaction, goal: Goal, item: NeedsConnection, registry: Registry
) -> None:
    """Let a task wait for a connection, and give its requester the card that makes one."""
    provider = registry.connector(item.provider)
    message = f"It waits for your {provider.title}: connect it in the message I sent you."
    await move_task(
        tx,
        item.task,
        to=TaskStatus.NEEDS_CONNECTION,
        failure={
            "code": "needs_connection",
            "message": message,
            "provider": item.provider,
            "scopes": sorted(item.scopes),
        },
    )
    await outbox.show(
        tx,
        team_id=goal.team_id,
        noun="connect",
        subject=f"{goal.id}:{item.provider}",
        channel_id=private_channel(goal),
        thread_ts=private_thread(goal),
        priority=3,
    )


def private_channel(goal: Goal) -> str:
    """Return where only the requester reads: this DM, or the one that the outbox opens."""
    return goal.channel_id if _is_direct(goal) else goal.requester_id


def private_thread(goal: Goal) -> str | None:
    """Return the goal's thread where only the requester reads it."""
    return goal.thread_ts if _is_direct(goal) else None


def _is_direct(goal: Goal) -> bool:
    return goal.channel_id.startswith("D")
