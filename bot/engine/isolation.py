"""Keeping a defect in one task from its siblings: everything else of a drive goes on."""

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from storage.outages import is_outage

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Broke:
    """A defect of ours ended this; the log has the traceback beside the reference."""

    reference: str


async def apart(work: Awaitable[T], **about: Any) -> T | Broke:
    """Return what `work` returns, or `Broke` where it raised.

    What is no defect passes through: an outage of the database, which nothing could be stored in
    anyway, and a cancellation.

    Args:
        work: one task's share of a drive.
        about: ids for the log.
    """
    (result,) = await asyncio.gather(work, return_exceptions=True)
    if isinstance(result, Exception) and not is_outage(result):
        return Broke(report(result, **about))
    if isinstance(result, BaseException):
        raise result
    return result


def report(error: BaseException, **about: Any) -> str:
    """Log a defect with its traceback; return the reference under which it is found."""
    reference = secrets.token_hex(4)
    log.error("task_broke", reference=reference, exc_info=error, **about)
    return reference


async def together(*work: Awaitable[Any]) -> None:
    """Await all of it; only then raise what any of it raised. None is cancelled for another."""
    results = await asyncio.gather(*work, return_exceptions=True)
    raised = [item for item in results if isinstance(item, BaseException)]
    if len(raised) == 1:
        raise raised[0]
    if raised:
        message = "several parts of a drive failed"
        raise BaseExceptionGroup(message, raised)
