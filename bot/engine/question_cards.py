"""The card of a question about a value."""

from collections.abc import Sequence

from bot.engine.cards import QuestionCard
from bot.engine.forms import value_title
from bot.engine.questions import ANSWERED, Question
from bot.engine.step_queries import StepQueries
from connectors.labels import labels_from_json
from connectors.registry import Registry
from storage.database import Transaction
from storage.tables.goals import Task, TaskStatus


class QuestionCards:
    """Loads questions about values, open and answered."""

    def __init__(self, *, registry: Registry, steps: StepQueries) -> None:
        self._registry = registry
        self._steps = steps

    async def load(self, tx: Transaction, team_id: str, task_id: int) -> QuestionCard:
        """Return what a step asks its requester, or what became of it.

        Raises:
            NotFoundError: when this team has no such task.
        """
        task = await tx.tasks.get(team_id, task_id)
        goal = await tx.goals.get(team_id, task.goal_id)
        tasks = await tx.tasks.list_(team_id, goal.id)
        await tx.results.load(tasks)
        requester = await tx.people.get(team_id, goal.requester_id)
        step, _ = await self._steps.step(tx, goal, task, tasks, requester)
        question = Question.of(task)
        key = question.step if question else task.key
        source = next(item for item in tasks if item.key == key)
        action = self._registry.stored_action(source.action)
        return QuestionCard(
            task_id=task.id,
            goal_id=goal.id,
            requester_id=goal.requester_id,
            sentence=step.sentence,
            message=question.message if question else "",
            fields=tuple(value_title(action, name) for name in question.fields) if question else (),
            choices=question.choices if question else (),
            version=question.version if question else 0,
            answered=None if question else _what_became(task, tasks),
        )


def _what_became(task: Task, tasks: Sequence[Task]) -> str:
    if task.status is TaskStatus.CANCELLED:
        return "This step is left out."
    if any(
        other.key in {task.key, *task.depends_on} and label.source.endswith(ANSWERED)
        for other in tasks
        for label in labels_from_json(other.spec.get("labels", {})).values()
    ):
        return "Thanks, I have your answer."
    return "The plan has changed, so I do not need your answer any more."
