from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from connectors.errors import (
    ConnectorError,
    OutcomeUnknownError,
    ReconnectRequiredError,
    RejectedError,
    RetryLaterError,
)
from connectors.google_calendar.client import READ_SCOPE, WRITE_SCOPE, CalendarClient

START, END = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)


class Answering:
    """An `Http` that gives one answer: for what no server on this machine says."""

    def __init__(self, status: int, body: Any) -> None:
        self._status = status
        self._body = body

    async def request(self, method: str, path: str, **_: Any) -> httpx2.Response:
        request = httpx2.Request(method, f"https://www.googleapis.com{path}")
        if isinstance(self._body, str):
            return httpx2.Response(self._status, text=self._body, request=request)
        return httpx2.Response(self._status, json=self._body, request=request)


def _error(reason: str) -> dict[str, Any]:
    return {"error": {"code": 0, "message": "<raw>", "errors": [{"reason": reason}]}}


async def _refusal(status: int, body: Any, *, writes: bool = True) -> ConnectorError:
    client = CalendarClient(Answering(status, body))
    call = client.insert_event({}) if writes else client.list_events(start=START, end=END)
    with pytest.raises(ConnectorError) as refused:
        await call
    assert "raw" not in refused.value.message
    return refused.value


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        pytest.param(400, "invalid", "invalid", id="invalid"),
        pytest.param(400, "timeRangeEmpty", "invalid", id="ends before it starts"),
        pytest.param(403, "forbidden", "forbidden", id="forbidden"),
        pytest.param(403, "forbiddenForNonOrganizer", "forbidden", id="somebody else's"),
        pytest.param(404, "notFound", "not_found", id="not found"),
        pytest.param(409, "duplicate", "conflict", id="id taken"),
        pytest.param(410, "deleted", "not_found", id="gone"),
        pytest.param(412, "conditionNotMet", "changed", id="changed"),
        pytest.param(422, "new", "rejected", id="unheard of"),
    ],
)
async def test_refusal_becomes_a_kind_and_a_sentence(status: int, reason: str, kind: str) -> None:
    """What Google refuses is told in our words, never in Google's."""
    refused = await _refusal(status, _error(reason))
    assert isinstance(refused, RejectedError)
    assert refused.kind == kind
    assert refused.message.endswith(".")


@pytest.mark.parametrize(
    ("one", "fields"),
    [
        ({"reason": "timeRangeEmpty", "location": "timeMax"}, ("end", "start")),
        ({"reason": "invalid", "location": "start.dateTime"}, ("start", "end")),
        ({"reason": "invalid", "message": "Invalid attendee email."}, ("attendees",)),
        ({"reason": "invalid", "location": "<raw>"}, ()),
    ],
    ids=["range", "start", "guest", "another"],
)
async def test_refused_part_of_an_event_is_named_as_our_argument(
    one: dict[str, str], fields: tuple[str, ...]
) -> None:
    """Which value to ask about is told by our names; what Google says besides is dropped."""
    refused = await _refusal(400, {"error": {"errors": [one]}})
    assert isinstance(refused, RejectedError)
    assert refused.fields == fields


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "userRateLimitExceeded"])
async def test_limit_told_as_forbidden_is_tried_later(reason: str) -> None:
    """Google tells a limit as 403 or as 429."""
    assert isinstance(await _refusal(403, _error(reason)), RetryLaterError)


@pytest.mark.parametrize(("writes", "scope"), [(True, WRITE_SCOPE), (False, READ_SCOPE)])
async def test_missing_scope_names_the_least_that_is_needed(writes: bool, scope: str) -> None:  # noqa: FBT001 -- a parameter of the table
    """A person is asked for no more than the call needs."""  # S27
    refused = await _refusal(403, _error("insufficientPermissions"), writes=writes)
    assert isinstance(refused, ReconnectRequiredError)
    assert refused.missing_scopes == {scope}


@pytest.mark.parametrize("body", ["<html>", [], {"error": "<raw>"}, {"error": {"errors": []}}])
async def test_refusal_of_another_shape_is_still_a_refusal(body: Any) -> None:
    """Whatever stands in the body, the status decides."""
    refused = await _refusal(404, body)
    assert isinstance(refused, RejectedError)
    assert refused.kind == "not_found"


@pytest.mark.parametrize("body", ["<html>", {"id": 7}])
async def test_unreadable_answer_to_a_write_is_unknown(body: Any) -> None:
    """A write that was answered with 200 happened; it is looked up, not repeated."""
    assert isinstance(await _refusal(200, body), OutcomeUnknownError)


async def test_unreadable_answer_to_a_read_is_tried_later() -> None:
    """A read can be repeated."""
    assert isinstance(await _refusal(200, "<html>", writes=False), RetryLaterError)
