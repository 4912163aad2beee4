"""The jobs: short nudges that name rows; their bodies are services' methods."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import procrastinate
from procrastinate import RetryStrategy


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


def register(app: procrastinate.App, jobs: tuple[Job, ...]) -> None:
    """Register every job's body under its name."""
    for job in jobs:
        strategy = RetryStrategy(max_attempts=job.max_attempts, exponential_wait=job.wait_s)
        declare = app.task(name=job.name, retry=strategy, pass_context=False)
        declare(job.body)
