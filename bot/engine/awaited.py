"""The message that a long wait is over."""

from zoneinfo import ZoneInfo

from bot.engine.card_queries import CardQueries
from bot.engine.cards import AwaitedCard
from bot.engine.wait_words import awaited_words
from bot.planning.valid import read_wait
from connectors.registry import Registry
from storage.database import Transaction
from storage.errors import NotFoundError


async def awaited_card(
    tx: Transaction, team_id: str, wait_id: int, *, cards: CardQueries, registry: Registry
) -> AwaitedCard:
    """Return the message that a wait is over.

    Raises:
        NotFoundError: the wait, its goal or its task is gone.
    """
    row = await tx.waits.find(team_id, wait_id)
    if row is None:
        raise NotFoundError("wait", wait_id)
    task = await tx.tasks.get(team_id, row.task_id)
    requester = await tx.people.get(team_id, row.person_id)
    card = await cards.goal(tx, team_id, row.goal_id)
    steps = [one for step in card.steps for one in (step, *step.rows)]
    sentence = next((step.sentence for step in steps if step.task_id == task.id), task.action)
    text = awaited_words(
        row, read_wait(task.spec), zone=ZoneInfo(requester.zone), step=sentence, registry=registry
    )
    return AwaitedCard(row.person_id, text)
