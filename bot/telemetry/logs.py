"""The log: structlog for our events, the same pipeline for libraries' records."""

import logging
import sys
from collections.abc import Sequence
from typing import Literal, TextIO

import structlog
from structlog.typing import Processor

from bot.telemetry.safety import Mask, drop_private, name_error

Format = Literal["auto", "json", "text"]

# Their debug lines hold requests, replies and SQL parameters: never below warning.
_LOUD_LIBRARIES = (
    "alembic",
    "apscheduler",
    "asyncio",
    "httpcore2",
    "httpx2",
    "openai",
    "procrastinate",
    "psycopg",
    "slack_bolt",
    "slack_sdk",
    "sqlalchemy",
    "uvicorn",
)


def configure_logging(
    *,
    level: str = "info",
    form: Format = "auto",
    secrets: Sequence[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Send every log record of this process to one stream, one line each, without secrets (S35).

    Args:
        level: the least level of our own events; libraries speak from warnings on.
        form: `json`, `text`, or `auto`: text on a terminal and JSON elsewhere.
        secrets: values that are masked wherever they turn up.
        stream: stderr by default.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_error,
        drop_private,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(form, stream),
                Mask(secrets),
            ],
            keep_exc_info=False,
            keep_stack_info=False,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _LOUD_LIBRARIES:
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
        library.disabled = False  # what another library's logging set-up may have done
        library.setLevel(max(logging.WARNING, root.level))


def _renderer(form: Format, stream: TextIO) -> Processor:
    if form == "json" or (form == "auto" and not stream.isatty()):
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=stream.isatty())
