"""Changes of mind: what a requester writes in the thread of a goal that is under way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.engine.options import A_NEW_GOAL, MOST, THIS_GOAL, Meaning, Option
from bot.engine.plans import CHANGEABLE
from bot.engine.proposed_answers import as_answer
from bot.engine.questions import Question
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

_EITHER = "Is that a change of this goal, or a new one? Nothing is changed yet."
_NOTHING = "I found nothing in this goal that this changes. Is it a new goal?"


class ChangeService:
    """Reads a message as a change of its thread's open goal, and brings it into the plan.

    Only exact forms count ("make it Thursday", "drop the kickoff"), and only where they fit one
    step. What fits several is asked about; so is what could change a step by another name, or
    begin a goal.
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
        forms, around = await self._forms(tx, goal, message.text)
        for form in forms:
            found = find_targets(form, around)
            if found:
                await self._choose(_Said(tx, goal, message, around.tasks, form), found)
                return True
        return False

    async def ask(self, tx: Transaction, goal: Goal, message: IncomingMessage) -> bool:
        """Ask whether a message of an exact form that names no step changes this goal all the same.

        False for a message of no such form: it is nothing but a goal of its own.

        Args:
            tx: holds the goal's row.
            goal: open.
            message: in its thread; `take` found nothing in it.
        """
        options = await self.offer(tx, goal, message.text)
        if options is None:
            return False
        asked = _EITHER if options else _NOTHING
        await ask_about(tx, goal, message, asked, [*options, A_NEW_GOAL])
        return True

    async def offer(self, tx: Transaction, goal: Goal, text: str) -> list[Option] | None:
        """Return what a message of an exact form could change, by whatever name it was called.

        None for a message of no such form. There is room for a new goal beside the options.
        """
        forms, around = await self._forms(tx, goal, text)
        if not forms:
            return None
        found: dict[str, Option] = {}
        for form in forms:
            loose = find_targets(form, around, loosely=True)
            targets = [it for it in loose if isinstance(it, Target) and not it.is_begun]
            options, _ = await self._options(tx, goal, around.tasks, targets)
            found |= {str(option.wish.to_json()): option for option in options}
        return [
            replace(option, label=THIS_GOAL if len(found) == 1 else option.label)
            for option in [*found.values()][: MOST - 1]
        ]

    async def offer_answer(
        self, tx: Transaction, goal: Goal, text: str
    ) -> tuple[Question, list[Option]] | None:
        """Return what the goal asks, with the button that takes a message as the answer to it."""
        return await as_answer(tx, goal, text, self._wishes)

    async def _forms(
        self, tx: Transaction, goal: Goal, text: str
    ) -> tuple[list[Drop | Make], Around]:
        """Return how a message reads as a change, and what it is read against."""
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        zone, now = ZoneInfo(requester.zone), self._now()
        is_proposed = goal.status is GoalStatus.PROPOSED
        forms = read_changes(text, today=now.astimezone(zone).date())
        if not forms or goal.status not in CHANGEABLE:
            return [], Around((), self._registry, zone, now, is_proposed)
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        await tx.results.load(tasks)
        return forms, Around(tasks, self._registry, zone, now, is_proposed)

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
            task = targets[0].task
            sentence = await self._wishes.sentence(said.tx, said.goal, task, said.tasks)
            asked = (
                f"“{sentence}” has been done or is under way, so it stays. You can undo it on its "
                "card. Or shall I take your message as a goal of its own?"
            )
            await ask_about(said.tx, said.goal, said.message, asked, [A_NEW_GOAL])
            return
        await note(said.tx, said.message, answer)

    async def _ask(self, said: "_Said", targets: Sequence[Target]) -> None:
        """Ask which of several is meant: a button for each that can be done."""
        options, problem = await self._options(said.tx, said.goal, said.tasks, targets)
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

    async def _options(
        self, tx: Transaction, goal: Goal, tasks: Sequence[Task], targets: Sequence[Target]
    ) -> tuple[list[Option], str]:
        """Return an option for each target that can be done, and why the last other one cannot."""
        options = []
        problem = ""
        for target in targets:
            wish = _wish(target)
            checked = await self._wishes.check(tx, goal, tasks, wish)
            if isinstance(checked, Refused):
                problem = checked.problem
                continue
            sentence = await self._wishes.sentence(tx, goal, target.task, tasks)
            label = f"{sentence} ({target.what.lower()})" if target.what else sentence
            options.append(Option(Meaning.CHANGE, label, checked.will[0], wish))
        return options, problem


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
