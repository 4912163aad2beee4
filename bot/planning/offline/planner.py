"""The offline planner: deterministic, built from the actions' example phrasings.

Precision first: it plans a message only if some reading explains every word of it, and otherwise
says which words it could not explain and what it understands.
"""

from collections.abc import Iterable

from bot.planning.interpret import asks_to_cancel, talk_kind
from bot.planning.offline.build import PlanBuilder, UnclearError
from bot.planning.offline.delays import find_delay, names_a_time
from bot.planning.offline.matcher import Clause, Matcher, Phrasing, TooComplicatedError
from bot.planning.offline.values import Surroundings
from bot.planning.outcome import (
    Asked,
    CancelRequested,
    Declined,
    Planned,
    PlanOutcome,
    PlanRequest,
    SmallTalk,
)
from bot.planning.parse.scan import Doubt
from bot.planning.plan import Question
from bot.planning.schema import shown_examples
from bot.planning.text import plain
from bot.planning.valid import ValidPlan
from bot.planning.validator import Validator
from connectors.calls import canonical
from connectors.registry import Registry

AUTHOR = "offline"
MAX_CHARACTERS = 1_000
_MAX_NAMED_WORDS = 6


class _UnreadableError(Exception):
    """A text has no reading; never leaves this module."""

    def __init__(self, reason: str, words: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.words = words


class OfflinePlanner:
    """Plans without a model. The same request gives the same outcome."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._validator = Validator(registry)
        self._examples = shown_examples(registry)
        self._phrasings = tuple(
            Phrasing.of(action, example)
            for action in registry
            if action.planned
            for example in action.examples
        )

    @property
    def can_replan(self) -> bool:
        """No: a phrasing says everything at once, so what deviates ends in a partial result."""
        return False

    async def plan(self, request: PlanRequest) -> PlanOutcome:
        """Return a plan, a question, small talk, a wish to cancel, or why it declines."""
        kind = talk_kind(request.text)
        if kind is not None:
            return SmallTalk(kind, self._examples)
        if asks_to_cancel(request.text):
            return CancelRequested()
        outcome: PlanOutcome | None = None
        for text in _candidates(request):
            outcome = self._plan_text(text, request)
            if isinstance(outcome, Planned):
                return outcome
        return outcome or self._decline(_UnreadableError("There was no text to read."))

    def _plan_text(self, text: str, request: PlanRequest) -> PlanOutcome:
        around = Surroundings(now=request.now, zone=request.zone, people=request.people)
        try:
            plans = self._plans(text, around)
        except UnclearError as unclear:
            return Asked(unclear.question, AUTHOR)
        except _UnreadableError as problem:
            return self._decline(problem)
        different = {canonical([task.to_json() for task in plan.tasks]) for plan in plans}
        if len(different) > 1:
            return Asked(Question(text=_TWO_WAYS, choices=[]), AUTHOR)
        return Planned(plans[0], AUTHOR)

    def _plans(self, text: str, around: Surroundings) -> list[ValidPlan]:
        delay = find_delay(text, around)
        if isinstance(delay, Doubt):
            choices = [text.replace(delay.words, words, 1) for words in delay.readings]
            raise UnclearError(Question(text=delay.question, choices=choices))
        end = delay.end if delay else 0
        readings = self._readings(text[end:], around)
        if delay and any(names_a_time(reading) for reading in readings):
            raise UnclearError(Question(text=_WHICH_DAY, choices=[]))
        plans = []
        for reading in readings:
            builder = PlanBuilder(
                registry=self._registry, text=text[end:], around=around, before=text[:end]
            )
            if delay:
                builder.wait = delay.wait
                builder.notes += [delay.note] if delay.note else []
            plans.append(self._valid(builder, reading))
        return plans

    def _readings(self, text: str, around: Surroundings) -> list[tuple[Clause, ...]]:
        if len(text) > MAX_CHARACTERS:
            message = f"That is {len(text):,} characters long; without a language model I read"
            raise _UnreadableError(f"{message} at most {MAX_CHARACTERS:,}.")
        matcher = Matcher(text=text, phrasings=self._phrasings, around=around)
        try:
            readings = matcher.messages()
        except TooComplicatedError as error:
            raise _UnreadableError(str(error)) from error
        if not readings:
            raise _unexplained(text, matcher.furthest)
        return readings

    def _valid(self, builder: PlanBuilder, reading: Iterable[Clause]) -> ValidPlan:
        for clause in reading:
            builder.add(clause)
        verdict = self._validator.validate(builder.plan())
        if isinstance(verdict, ValidPlan):
            return verdict
        if isinstance(verdict, Question):
            raise UnclearError(verdict)
        raise _UnreadableError(f"That does not work: {verdict.flaws[0].message}.")

    def _decline(self, problem: _UnreadableError) -> Declined:
        return Declined(
            reason=problem.reason,
            examples=self._examples,
            author=AUTHOR,
            unexplained=problem.words,
        )


_WHICH_DAY = "Should I wait first, or is that when it takes place? Please say it in two messages."
_TWO_WAYS = "I can read that in more than one way. Could you say it differently?"


def _candidates(request: PlanRequest) -> list[str]:
    """Return the texts to try: with clarifications, the last answer alone and then appended."""
    text = plain(request.text)
    if not request.clarifications:
        return [text] if text else []
    answers = [plain(item.answer) for item in request.clarifications]
    whole = " ".join([text, *answers])
    return [answers[-1], whole, *(f"{text} {answers[-1]}",)]


def _unexplained(text: str, furthest: int) -> _UnreadableError:
    rest = text[furthest:].lstrip(" .,;:!?\n").split()
    words = " ".join(rest[:_MAX_NAMED_WORDS]) + (" …" if len(rest) > _MAX_NAMED_WORDS else "")
    if furthest == 0 or not words:
        return _UnreadableError("I did not understand that.", words)
    return _UnreadableError(f"I did not understand “{words}”, so I did nothing.", words)
