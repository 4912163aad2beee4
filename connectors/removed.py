"""What stands for an action that an upgrade removed while goals still name it.

Stored tasks outlive versions. Their cards must draw and their goals must end, so whoever reads a
stored name gets this instead of an error: it shows, fails with a sentence, and never runs.
"""

from typing import Any

from pydantic import ConfigDict

from connectors.actions import Action, Arguments, Effect, Idempotency, Preview, Result
from connectors.errors import RejectedError

MESSAGE = "This version of Countersign cannot do this step any more, so it was not run. Ask anew."


class RemovedArguments(Arguments):
    """Whatever was stored; nobody knows what it means any more."""

    model_config = ConfigDict(extra="allow", frozen=True)


class RemovedResult(Result):
    """Whatever was found then; undeclared, so all of it is `outside`."""

    model_config = ConfigDict(extra="allow", frozen=True)


async def _refuse(*_: object) -> Result:
    raise RejectedError(MESSAGE)


def removed_action(name: str) -> Action:
    """Return the stand-in of an action called `hubspot.merge_deals`.

    It counts as an unsafe write of the highest tier: whatever it was, nothing about it can be
    looked up or taken back.
    """
    connector, _, short = name.rpartition(".")
    summary = f"{short.replace('_', ' ').capitalize()} (not possible any more)"

    def preview(*_: Any) -> Preview:
        return Preview(summary)

    return Action(
        connector=connector,
        name=short,
        version=0,
        summary=summary,
        arguments=RemovedArguments,
        result=RemovedResult,
        effect=lambda _arguments: Effect.IRREVERSIBLE,
        scopes=lambda _arguments: frozenset(),
        idempotency=Idempotency.UNSAFE,
        run=_refuse,
        preview=preview,
        planned=False,
        is_removed=True,
    )
