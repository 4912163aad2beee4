"""The model planner: at most two requests for a plan, two repairs, then a clear question."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.llm.errors import ModelError
from bot.llm.messages import Completion, Message, Reply, Size
from bot.planning.errors import Flaw
from bot.planning.interpret import asks_to_cancel, talk_kind
from bot.planning.outcome import (
    Asked,
    CancelRequested,
    Declined,
    NothingLeft,
    Planned,
    PlanOutcome,
    PlanRequest,
    Progress,
    SmallTalk,
    TalkKind,
)
from bot.planning.plan import Question
from bot.planning.prompting import load_prompt, request_text
from bot.planning.schema import (
    CHOICE_FORM,
    COMPACT_FORM,
    choice_schema,
    event_lines,
    plan_schema,
    shown_examples,
    signatures,
)
from bot.planning.text import json_part
from bot.planning.valid import ValidPlan
from bot.planning.validator import ANSWER, Invalid, Validator
from connectors.actions import Action
from connectors.events import Event
from connectors.registry import Registry

if TYPE_CHECKING:
    from bot.llm.client import ModelClient  # importing `openai` costs half a second of CPU

MAX_ACTIONS = 12
MAX_REPAIRS = 2
MAX_CHARACTERS = 8_000
_MAX_QUOTED_REPLY = 4_000
_MAX_REASON = 300
_GAVE_UP_LATER = "I found no way to go on from here. Tell me what to do with what was found."


class _Choice(BaseModel):
    """What the small model made of a message."""

    model_config = ConfigDict(extra="ignore")

    kind: str
    actions: list[str]


_KINDS = ("goal", "question", "small_talk", "cancel")


class ModelPlanner:
    """Plans with a language model. The validator, not the prompt, is the guard."""

    def __init__(self, *, client: "ModelClient", registry: Registry) -> None:
        self._client = client
        self._registry = registry
        self._examples = shown_examples(registry)
        self._actions = tuple(action for action in registry if action.planned)

    @property
    def can_replan(self) -> bool:
        return True

    async def plan(self, request: PlanRequest) -> PlanOutcome:
        """Return a plan, a question, small talk, a wish to cancel, or why it declines.

        A model that cannot be reached is a refusal that says so; nothing raises for what a model
        or a person wrote.
        """
        kind = talk_kind(request.text)
        if kind is not None and request.progress is None:
            return SmallTalk(kind, self._examples)
        if asks_to_cancel(request.text) and request.progress is None:
            return CancelRequested()
        if not request.text.strip():
            return self._decline("There was no text to read.")
        if len(request.said) > MAX_CHARACTERS:
            length = f"{len(request.said):,} characters are"
            return self._decline(f"{length} more than I read at once; at most {MAX_CHARACTERS:,}.")
        try:
            return await self._plan(request)
        except ModelError as error:
            return self._decline(str(error))

    async def _plan(self, request: PlanRequest) -> PlanOutcome:
        if len(self._actions) <= MAX_ACTIONS:
            return await self._plan_with(request, self._actions)
        choice = await self._choose(request)
        if request.progress is not None:
            return await self._plan_with(request, self._go_on_with(request.progress, choice))
        if choice is not None and choice.kind == "small_talk":
            return SmallTalk(TalkKind.HELP, self._examples)
        if choice is not None and choice.kind == "cancel":
            return CancelRequested()
        wanted = choice.actions[: MAX_ACTIONS - 1] if choice is not None else []
        chosen = [action for action in self._actions if action.name in {*wanted, ANSWER}]
        return await self._plan_with(request, chosen)

    def _go_on_with(self, progress: Progress, choice: _Choice | None) -> list[Action]:
        """Return the actions of a later round: those of the plan so far, and what is chosen."""
        names = {task.action for task in progress.past} | {*progress.writes, ANSWER}
        names |= {name for task in progress.left for name in task.actions}
        more = [name for name in (choice.actions if choice else []) if name not in names]
        names |= {*more[: max(0, MAX_ACTIONS - len(names))]}
        return [action for action in self._actions if action.name in names]

    async def _choose(self, request: PlanRequest) -> _Choice | None:
        """Return the small model's choice of actions, or None where it makes no sense."""
        prompt = load_prompt("choose")
        lines = [f"{action.name}: {action.summary}" for action in self._actions]
        reply = await self._client.complete(
            Completion(
                purpose="choose",
                size=Size.SMALL,
                messages=(
                    Message("system", "\n".join([prompt.text, "", "Actions", *sorted(lines)])),
                    Message("user", request_text(request)),
                ),
                schema=choice_schema((action.name for action in self._actions), kinds=_KINDS),
                form=CHOICE_FORM,
                prompt_hash=prompt.hash,
                team_id=request.team_id,
                goal_id=request.goal_id,
            )
        )
        try:
            return _Choice.model_validate_json(json_part(reply.text))
        except ValidationError:
            return None

    async def _plan_with(self, request: PlanRequest, actions: Sequence[Action]) -> PlanOutcome:
        offered = {action.name for action in actions}
        validator = Validator(
            self._registry, offered=offered, now=request.now, progress=request.progress
        )
        completion = _plan_completion(request, actions, self._events(actions))
        flaws: tuple[Flaw, ...] = ()
        for _ in range(1 + MAX_REPAIRS):
            reply = await self._client.complete(completion)
            text = json_part(reply.text)
            reason = _refusal(text)
            if reason is not None and request.progress and not request.progress.problem:
                return NothingLeft(reason, _author(reply))
            if reason is not None:
                return self._decline(reason, author=_author(reply))
            verdict = validator.validate_text(text)
            if isinstance(verdict, ValidPlan):
                return Planned(verdict, _author(reply))
            if isinstance(verdict, Question):
                return Asked(verdict, _author(reply))
            flaws = verdict.flaws
            completion = _repair(completion, reply, verdict)
        if request.progress is not None:
            return self._decline(_GAVE_UP_LATER, author=_author(reply))
        return Asked(Question(text=_gave_up(flaws), choices=[]), _author(reply))

    def _events(self, actions: Sequence[Action]) -> Sequence[Event]:
        """Return the events of the providers whose actions are offered."""
        offered = {action.connector for action in actions}
        return [event for event in self._registry.events() if event.connector in offered]

    def _decline(self, reason: str, *, author: str = "model") -> Declined:
        return Declined(reason=reason, examples=self._examples, author=author)


def _plan_completion(
    request: PlanRequest, actions: Sequence[Action], events: Sequence[Event]
) -> Completion:
    prompt = load_prompt("plan")
    offered = f"{prompt.text}\n\nActions\n{signatures(actions)}"
    if events:
        offered = f"{offered}\n\nEvents\n{event_lines(events)}"
    return Completion(
        purpose="plan",
        size=Size.LARGE,
        messages=(
            Message("system", offered),
            Message("user", request_text(request)),
        ),
        schema=plan_schema(actions, events),
        form=COMPACT_FORM,
        prompt_hash=prompt.hash,
        team_id=request.team_id,
        goal_id=request.goal_id,
    )


def _repair(before: Completion, reply: Reply, verdict: Invalid) -> Completion:
    """Return the request for a repair: the same prefix, the refused plan, and its flaws."""
    flaws = "\n".join(f"- {flaw}" for flaw in verdict.flaws)
    asked = f"That plan cannot run:\n{flaws}\nReturn the whole plan again with these mended."
    return Completion(
        purpose="repair",
        size=Size.SMALL,
        messages=(
            *before.messages[:2],
            Message("assistant", reply.text[:_MAX_QUOTED_REPLY] or "(nothing)"),
            Message("user", asked),
        ),
        schema=before.schema,
        form=before.form,
        prompt_hash=before.prompt_hash,
        team_id=before.team_id,
        goal_id=before.goal_id,
    )


def _refusal(text: str) -> str | None:
    """Return the reason of an answer without tasks and question, or None for any other."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("tasks") != [] or data.get("question") is not None:
        return None
    say = data.get("say")
    return " ".join(say.split())[:_MAX_REASON] if isinstance(say, str) and say.strip() else None


def _author(reply: Reply) -> str:
    return f"model:{reply.model}"


def _gave_up(flaws: Sequence[Flaw]) -> str:
    problem = flaws[0].message if flaws else "no plan came back"
    return f"I could not turn this into steps: {problem}. Could you say it differently?"
