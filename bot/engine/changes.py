"""Changes of mind: what a requester writes in the thread of a goal that is under way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from approvals.decisions import DecisionService
from bot.engine.forecast import Forecaster
from bot.engine.forms import value_text
from bot.engine.plans import CHANGEABLE, leaves_nothing, needed_errors, read_edit, with_rows
from bot.engine.revisions import Change, apply_change, revise
from bot.engine.targets import Around, Target, find_targets
from bot.planning.changes import Drop, Make, read_changes
from bot.planning.parse.scan import Doubt
from connectors.registry import Registry
from storage import outbox
from storage.database import Transaction
from storage.tables.goals import Goal, GoalStatus, Task

_SOURCE = "in the thread"
_MOST = 4
"""So many possible meanings are named when it is asked which one is meant."""


class ChangeService:
    """Reads a message as a change of its thread's open goal, and brings it into the plan.

    Only exact forms count ("make it Thursday", "drop the kickoff"), and only where they fit one
    step: what fits several is asked about, what fits none is no change.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        forecaster: Forecaster,
        decisions: DecisionService,
        now: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._forecaster = forecaster
        self._decisions = decisions
        self._now = now

    async def take(self, tx: Transaction, goal: Goal, text: str) -> str | None:
        """Change a goal as a message of its requester says; return the answer to it.

        None when the message is no change of this goal; nothing is changed then.

        Args:
            tx: holds the goal's row.
            goal: open.
            text: the whole message.
        """
        if goal.status not in CHANGEABLE:
            return None
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        zone = ZoneInfo(requester.zone)
        wishes = read_changes(text, today=self._now().astimezone(zone).date())
        if not wishes:
            return None
        tasks = await tx.tasks.list_(goal.team_id, goal.id)
        await tx.results.load(tasks)
        is_proposed = goal.status is GoalStatus.PROPOSED
        around = Around(tasks, self._registry, zone, self._now(), is_proposed)
        for wish in wishes:
            found = find_targets(wish, around)
            if found:
                return await self._choose(_Wish(tx, goal, around, wish), found)
        return None

    async def _choose(self, asked: "_Wish", found: Sequence[Target | Doubt]) -> str:
        targets = [item for item in found if isinstance(item, Target)]
        still_open = [item for item in targets if not item.is_begun]
        if len(still_open) > 1:
            return await self._ask(asked, still_open)
        if still_open:
            return await self._apply(asked, still_open[0])
        doubt = next((item for item in found if isinstance(item, Doubt)), None)
        if doubt is not None:
            return f"{doubt.question} Nothing is changed yet."
        sentence = await self._sentence(asked, targets[0].task)
        return (
            f"“{sentence}” has been done or is under way, so it stays. You can undo it on its "
            "card, or write me a new message that says what to change."
        )

    async def _ask(self, asked: "_Wish", targets: Sequence[Target]) -> str:
        """Ask which of several is meant; the answer is the same message with more words."""
        lines = []
        for target in targets[:_MOST]:
            sentence = await self._sentence(asked, target.task)
            lines.append(f"• {sentence}" + (f" ({target.what.lower()})" if target.what else ""))
        wish = asked.wish
        example = f"make the … {wish.written}" if isinstance(wish, Make) else "drop the …"
        listed = "\n".join(lines)
        return (
            f"Which one do you mean? Nothing is changed yet.\n{listed}\n"
            f"Write “{example}” with a word that only one of them has, or use Edit on the card."
        )

    async def _apply(self, asked: "_Wish", target: Target) -> str:
        sentence = await self._sentence(asked, target.task)
        if isinstance(asked.wish, Drop):
            return await self._drop(asked, target.task, sentence)
        if target.wait is not None:
            waits = {target.task.key: target.wait}
            await self._bring(asked, Change(frozenset(), {}, waits, _SOURCE))
            return f"Changed when it goes on: {sentence}.{_next(asked.goal)}"
        around, key = asked.around, target.task.key
        changed, errors = read_edit(
            target.task, around.tasks, target.values, self._registry, around.zone
        )
        if errors:
            return f"I could not change “{sentence}”: {errors[0][2]}"
        if not changed:
            return "It is so already; nothing changed."
        action = self._registry.stored_action(target.task.action)
        first = next(name for name in target.values if name in changed)
        shown = value_text(action, first, changed[first], around.zone)
        await self._bring(asked, Change(frozenset(), {key: changed}, {}, _SOURCE))
        return f"Changed: {sentence}. {target.what} is now {shown}.{_next(asked.goal)}"

    async def _drop(self, asked: "_Wish", task: Task, sentence: str) -> str:
        tasks = asked.around.tasks
        dropped = with_rows(tasks, frozenset({task.key}))
        if errors := needed_errors(tasks, dropped):
            first = errors[0][2].split(" needs", 1)[0].lower()
            return (
                f"I did not leave out “{sentence}”: {first} of the plan builds on it. "
                "Use Edit on the card to drop both."
            )
        if leaves_nothing(tasks, dropped, self._registry):
            return "That leaves nothing to do. To end the goal, write “stop”."
        await self._bring(asked, Change(dropped, {}, source=_SOURCE))
        return f"Left out: {sentence}.{_next(asked.goal)}"

    async def _bring(self, asked: "_Wish", change: Change) -> None:
        """Make the next version of the plan, as an edit on the card would."""
        tx, goal, tasks = asked.tx, asked.goal, asked.around.tasks
        person_id = goal.requester_id
        if asked.around.is_proposed and not change.waits:
            await revise(tx, goal, tasks, change, person_id=person_id)
        else:
            await apply_change(
                tx, goal, tasks, change, person_id=person_id, decisions=self._decisions
            )
        await outbox.touch(tx, team_id=goal.team_id, noun="goal", subject=goal.id, priority=1)

    async def _sentence(self, asked: "_Wish", task: Task) -> str:
        """Return a step as its card calls it."""
        tx, goal = asked.tx, asked.goal
        if task.call_id is not None:
            call = await tx.calls.get(goal.team_id, task.call_id)
            return str(call.preview["sentence"])
        requester = await tx.people.get(goal.team_id, goal.requester_id)
        tasks = asked.around.tasks
        forecast = await self._forecaster.forecast(tx, goal, task, tasks, requester=requester)
        return forecast.preview.sentence


@dataclass(frozen=True, slots=True)
class _Wish:
    """One message read as a change, and the goal that it may change."""

    tx: Transaction
    goal: Goal
    around: Around
    wish: Drop | Make


def _next(goal: Goal) -> str:
    """Return what happens now."""
    match goal.status:
        case GoalStatus.PROPOSED:
            return " The card shows the new version; press Run when it is right."
        case GoalStatus.PAUSED:
            return " It stays paused until you resume."
    return " What needs your word is shown on the card; the rest goes on."
