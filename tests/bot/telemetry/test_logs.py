"""The log tells what happened, and no secret, and nobody's words."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from pydantic import BaseModel

from bot.errors import CountersignError
from bot.telemetry.logs import configure_logging

CANARY = "xoxb-canary-token"


class _Model(BaseModel):
    number: int


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    written = io.StringIO()
    configure_logging(form="json", secrets=(CANARY,), stream=written)
    yield written
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def _line(stream: io.StringIO) -> dict[str, object]:
    (line,) = stream.getvalue().splitlines()
    read: dict[str, object] = json.loads(line)
    return read


def test_event_is_one_line_of_json_with_its_ids(stream: io.StringIO) -> None:
    """A machine reads the log; ids and bound context are keywords."""
    with structlog.contextvars.bound_contextvars(goal_id=17):
        structlog.get_logger("bot.engine").info("task_started", task_id=3)

    line = _line(stream)
    assert (line["event"], line["goal_id"], line["task_id"]) == ("task_started", 17, 3)
    assert (line["logger"], line["level"]) == ("bot.engine", "info")


def test_secret_is_masked_wherever_it_turns_up(stream: io.StringIO) -> None:
    """Our own events, libraries' records and values deep inside (S35)."""
    structlog.get_logger("bot").info("thing", inside={"deep": [f"Bearer {CANARY}"]})
    logging.getLogger("slack_sdk").warning("sent %s", CANARY)

    assert CANARY not in stream.getvalue()
    assert stream.getvalue().count("[secret]") == 2


def test_words_of_people_are_dropped_by_key(stream: io.StringIO) -> None:
    """Message text and payloads stay out, whoever logs them by mistake (S35)."""
    structlog.get_logger("bot").info("received", text="canary words", payload={"a": "canary"})

    assert "canary" not in stream.getvalue()


def test_foreign_error_is_named_without_its_message(stream: io.StringIO) -> None:
    """A validation error quotes its input: only its kind and place are logged (S35)."""
    try:
        _Model.model_validate({"number": "canary words"})
    except ValueError:
        structlog.get_logger("bot").exception("failed")

    line = _line(stream)
    assert line["error"] == "ValidationError"
    assert "test_logs.py" in str(line["places"])
    assert "canary" not in stream.getvalue()


def test_own_error_says_its_sentence_and_its_cause(stream: io.StringIO) -> None:
    """Our messages are made for reading."""
    try:
        try:
            int("canary")
        except ValueError as error:
            message = "Set the number."
            raise CountersignError(message) from error
    except CountersignError:
        structlog.get_logger("bot").exception("failed")

    assert _line(stream)["error"] == "CountersignError: Set the number. <- ValueError"


def test_libraries_speak_from_warnings_on(stream: io.StringIO) -> None:
    """Their debug and info lines hold requests and parameters."""
    configure_logging(level="debug", form="json", stream=stream)

    logging.getLogger("sqlalchemy.engine").info("INSERT ... canary")
    logging.getLogger("apscheduler.scheduler").warning("heard")

    assert _line(stream)["event"] == "heard"
