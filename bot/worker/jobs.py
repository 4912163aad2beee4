"""The jobs: short nudges that name rows; their bodies are services' methods."""

import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import procrastinate
import structlog
from procrastinate import JobContext, RetryStrategy

from storage.outages import is_outage

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A job's name, its body, and how often a failing one is run again.

    The tables are the truth and the sweeper re-derives nudges, so a job that fails for good
    loses nothing but time.
    """

    name: str
    body: Callable[..., Coroutine[Any, Any, None]]
    max_attempts: int = 5
    wait_s: int = 2
    """The pause before the second try; it doubles."""
    gave_up: Callable[..., Coroutine[Any, Any, None]] | None = None
    """Called once, with the job's arguments and a `reference`, when its last try failed."""


def register(app: procrastinate.App, jobs: tuple[Job, ...]) -> None:
    """Register every job's body under its name."""
    for job in jobs:
        strategy = RetryStrategy(max_attempts=job.max_attempts, exponential_wait=job.wait_s)
        declare = app.task(name=job.name, retry=strategy, pass_context=True)
        declare(_guarded(job))


def _guarded(job: Job) -> Callable[..., Coroutine[Any, Any, None]]:
    """Return a body that ends its last failing try with a word to somebody.

    An outage of the database is nobody's to mend; the sweeper nudges anew after it.
    """

    async def run(context: JobContext, **arguments: Any) -> None:
        try:
            await job.body(**arguments)
        except Exception as error:
            if job.gave_up is None or _goes_on(job, context) or is_outage(error):
                raise
            reference = secrets.token_hex(4)
            log.exception("job_gave_up", job=job.name, reference=reference, **arguments)
            await job.gave_up(reference=reference, **arguments)

    return run


def _goes_on(job: Job, context: JobContext) -> bool:
    """Whether Procrastinate runs it again: it counts the tries before this one."""
    return context.job.attempts < job.max_attempts
