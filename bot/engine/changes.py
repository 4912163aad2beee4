"""Changes of mind: what a requester writes in the thread of a goal that is under way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.engine.options import MOST, Meaning, Option
from bot.engine.plans import CHANGEABLE
from bot.engine.remarks import ask_about
from bot.engine.targets import Around, Target, find_targets
from bot.engine.telling import note
from bot.engine.wishes import Refused, Wish, Wishes
from bot.goals.messages import IncomingMessage
from bot.planning.changes import Drop, Make, read_changes
from bot.planning.parse.scan import Doubt
from connectors.registry import Registry
from storage.database import Transaction
from storage.tables.goals import Goal, GoalStatus, Task


class ChangeService:
    """Reads a message as a change of its thread's open goal, and brings it into the plan.

    Only exact forms count ("make it Thursday", "drop the kickoff"), and only where they fit one
    step: what fits several is asked about, what fits none is no change.
    """

    def __init__(self, *, registry: Registry, wishes: Wishes, now: Callable[[], datetime]) -> None:
        self._registry = registry
        self._wishes = wishes
        self._now = now

    async def take(self, tx: Transaction, goal: Goal, message: IncomingMessage) -> bool:
        """Change a goal as a message of its requester says, and answer it.

        False when the message is no change of this goal; nothing is done then.

        Args:
            tx: holds the goal's row.
            goal: open.
            message: in its thread.
        """
        if goal.status not in CHANGEABLE:
            return False
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        zone = ZoneInfo(requester.zone)
        forms = read_changes(message.text, today=self._now().astimezone(zone).date())
        if not forms:
            return False
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        await tx.results.load(tasks)
        is_proposed = goal.status is GoalStatus.PROPOSED
        around = Around(tasks, self._registry, zone, self._now(), is_proposed)
        for form in forms:
            found = find_targets(form, around)
            if found:
                await self._choose(_Said(tx, goal, message, tasks, form), found)
                return True
        return False

    async def _choose(self, said: "_Said", found: Sequence[Target | Doubt]) -> None:
        targets = [item for item in found if isinstance(item, Target)]
        still_open = [item for item in targets if not item.is_begun]
        if len(still_open) > 1:
            await self._ask(said, still_open)
            return
        if still_open:
            answer = await self._wishes.bring(said.tx, said.goal, _wish(still_open[0]))
        elif doubt := next((item for item in found if isinstance(item, Doubt)), None):
            answer = f"{doubt.question} Nothing is changed yet."
        else:
            sentence = await self._sentence(said, targets[0].task)
            answer = (
                f"“{sentence}” has been done or is under way, so it stays. You can undo it on its "
                "card, or write me a new message that says what to change."
            )
        await note(said.tx, said.message, answer)

    async def _ask(self, said: "_Said", targets: Sequence[Target]) -> None:
        """Ask which of several is meant: a button for each that can be done."""
        options = []
        problem = ""
        for target in targets:
            wish = _wish(target)
            checked = await self._wishes.check(said.tx, said.goal, said.tasks, wish)
            if isinstance(checked, Refused):
                problem = checked.problem
                continue
            sentence = await self._sentence(said, target.task)
            label = f"{sentence} ({target.what.lower()})" if target.what else sentence
            options.append(Option(Meaning.CHANGE, label, checked.will[0], wish))
        if not options:
            await note(said.tx, said.message, problem)
            return
        asked = "Which one do you mean? Nothing is changed yet."
        if len(options) > MOST:
            example = "make the …" if isinstance(said.form, Make) else "drop the …"
            asked += (
                f" It fits {len(options)} things; these are the first {MOST}. For another write "
                f"“{example}” with a word that only that one has."
            )
        await ask_about(said.tx, said.goal, said.message, asked, options)

    async def _sentence(self, said: "_Said", task: Task) -> str:
        return await self._wishes.sentence(said.tx, said.goal, task, said.tasks)


@dataclass(frozen=True, slots=True)
class _Said:
    """One message read as a change, and the goal that it may change."""

    tx: Transaction
    goal: Goal
    message: IncomingMessage
    tasks: Sequence[Task]
    form: Drop | Make


def _wish(target: Target) -> Wish:
    """Return a target as a change: its values, its wait, or that the step goes."""
    key = target.task.key
    if target.wait is not None:
        return Wish(waits={key: target.wait})
    if target.values:
        return Wish(values={key: target.values})
    return Wish(dropped=frozenset({key}))
