"""What keeps secrets and people's words out of the log (S35)."""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from structlog.typing import EventDict, WrappedLogger

from approvals.errors import ApprovalError
from bot.errors import CountersignError
from connectors.errors import ConnectorError
from storage.errors import StorageError

MASKED = "[secret]"

_PRIVATE = frozenset(
    {
        "arguments",
        "authorization",
        "blocks",
        "body",
        "client_secret",
        "code",
        "cookie",
        "headers",
        "message_text",
        "password",
        "payload",
        "prompt",
        "secret",
        "state",
        "text",
        "token",
        "verifier",
    }
)
# Their messages are sentences of ours, or say why a file or a connection failed.
_SPEAKING = (CountersignError, ApprovalError, ConnectorError, StorageError, OSError)
_SHORTEST_SECRET = 6
_MOST_FRAMES = 12


def drop_private(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the values of keys that name a secret or somebody's words: a last net."""
    for key in event.keys() & _PRIVATE:
        event[key] = MASKED
    return event


def name_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Turn `exc_info` into the errors' names and places.

    The messages of foreign errors are left out: a validation error quotes its input, a database
    error its parameters.
    """
    found = event.pop("exc_info", None)
    error = _error(found)
    if error is not None:
        event["error"] = describe(error)
        event["places"] = places(error.__traceback__)
    return event


def describe(error: BaseException) -> str:
    """Return the chain of errors by name, with messages only where they are known to be safe."""
    chain: list[str] = []
    current: BaseException | None = error
    while current is not None and len(chain) < _MOST_FRAMES:
        name = type(current).__name__
        chain.append(f"{name}: {current}" if isinstance(current, _SPEAKING) else name)
        if isinstance(current, BaseExceptionGroup):
            chain.extend(describe(inner) for inner in current.exceptions[:3])
        current = current.__cause__ or current.__context__
    return " <- ".join(chain)


def places(trace: TracebackType | None) -> list[str]:
    """Return the innermost frames as `file:line function`, without source or values."""
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


class Mask:
    """Replace secret values in a rendered line, wherever they came from."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = sorted(
            {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}, key=len, reverse=True
        )

    def __call__(self, _logger: WrappedLogger, _method: str, line: Any) -> str:
        rendered = str(line)
        for secret in self._secrets:
            rendered = rendered.replace(secret, MASKED)
        return rendered


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-3:])


def _error(found: object) -> BaseException | None:
    if isinstance(found, BaseException):
        return found
    if found is True:
        return sys.exc_info()[1]
    if isinstance(found, tuple) and isinstance(found[1], BaseException):
        return found[1]
    return None
