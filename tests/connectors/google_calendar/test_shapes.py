"""Every request that the connector sends, held against Google's discovery document.

The tables are an excerpt of calendar v3, revision 20261030: which query parameters a method takes
and which fields of an event a client may write.
Source: https://www.googleapis.com/discovery/v1/apis/calendar/v3/rest
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connectors.actions import Http, HttpResponse
from connectors.google_calendar.actions import CONNECTOR
from connectors.google_calendar.client import WRITE_SCOPE
from connectors.registry import Registry
from tests.connectors.stage import Stage, open_stage
from tests.connectors.standins import Running

_ALL = "/calendar/v3/calendars/primary/events"
_ONE = rf"{_ALL}/[A-Za-z0-9_-]+"
_WRITES = {"sendUpdates": r"all|externalOnly|none"}
_INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"

PARAMETERS: dict[tuple[str, str], dict[str, str]] = {
    ("GET", _ALL): {
        "timeMin": _INSTANT,
        "timeMax": _INSTANT,
        "q": r".+",
        "singleEvents": r"true|false",
        "orderBy": r"startTime|updated",
        "maxResults": r"[1-9]\d{0,2}|1\d{3}|2[0-4]\d\d|2500",
        "pageToken": r".+",
    },
    ("GET", _ONE): {},
    ("POST", _ALL): _WRITES,
    ("PATCH", _ONE): _WRITES,
    ("DELETE", _ONE): _WRITES,
}
"""(method, path) → query parameter → what it may hold."""

TEXTS = {"summary", "description", "location"}
WRITABLE = TEXTS | {"id", "status", "start", "end", "attendees", "extendedProperties"}
MOMENT = {"date": r"\d{4}-\d\d-\d\d", "dateTime": _INSTANT, "timeZone": r"[A-Za-z_]+/[A-Za-z_/+-]+"}


@dataclass(slots=True)
class Recorder:
    """Passes requests on to the real client and remembers them."""

    http: Http
    sent: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
        reads: bool = False,
    ) -> HttpResponse:
        self.sent.append((method, path, params or {}, json or {}))
        return await self.http.request(
            method, path, params=params, json=json, headers=headers, reads=reads
        )


@pytest.fixture
async def sent(google: Running) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Run every action once and return what was sent."""
    assert CONNECTOR.manifest is not None
    registry = Registry([CONNECTOR])
    async with open_stage(google, CONNECTOR.manifest, WRITE_SCOPE) as opened:
        recorder = Recorder(opened.context.http)
        stage = Stage(google, replace(opened.context, http=recorder))
        made = await stage.run(
            registry.action("create_event"),
            {
                "title": "Kickoff",
                "start": "2026-11-24T10:00:00+01:00",
                "end": "2026-11-24T10:30:00+01:00",
                "zone": "Europe/Berlin",
                "attendees": ["jane.doe@acme.example"],
                "location": "Room 1",
                "description": "Bring it",
            },
        )
        chosen = {"event_id": made.id, "guests": made.guests}
        window = {"start": "2026-11-24T00:00:00+01:00", "end": "2026-11-25T00:00:00+01:00"}
        await stage.run(registry.action("list_events"), {**window, "query": "Kickoff"})
        change = {**chosen, "title": "Kick-off", "start": "2026-11-25T08:00:00Z"}
        call = await stage.freeze(registry.action("update_event"), change)
        moved = await call.execute()
        update = registry.action("update_event")
        assert update.undo is not None
        undo = update.undo(call.arguments, moved, call.run.precondition)
        assert undo is not None
        await stage.run(registry.action(undo.action), undo.arguments)
        await stage.run(registry.action("cancel_event"), chosen)
    return recorder.sent


async def test_every_request_has_a_path_and_parameters_that_google_takes(
    sent: list[tuple[str, str, dict[str, Any], dict[str, Any]]],
) -> None:
    """A method, path or query parameter that the discovery document lacks is never sent."""
    assert {method for method, *_ in sent} >= {"GET", "POST", "PATCH"}
    for method, path, params, _ in sent:
        rules = [
            allowed
            for (verb, shape), allowed in PARAMETERS.items()
            if verb == method and re.fullmatch(shape, path)
        ]
        assert rules, f"{method} {path}"
        for name, value in params.items():
            assert re.fullmatch(rules[0][name], str(value)), f"{name}={value}"


async def test_every_body_is_an_event_that_google_takes(
    sent: list[tuple[str, str, dict[str, Any], dict[str, Any]]],
) -> None:
    """Bodies hold writable fields only, in the document's forms; null clears one in a patch."""
    bodies = [(method, body) for method, _, _, body in sent if body]
    assert bodies
    for method, body in bodies:
        assert set(body) <= WRITABLE
        if method == "POST":
            assert re.fullmatch(r"[a-v0-9]{5,1024}", body["id"])
            assert {"start", "end"} <= set(body)
        else:
            assert "id" not in body
        assert body.get("status", "confirmed") in ("confirmed", "tentative", "cancelled")
        for name in TEXTS & set(body):
            assert isinstance(body[name], str) or (body[name] is None and method == "PATCH")
        for moment in (body[name] for name in ("start", "end") if name in body):
            _check_moment(moment)
        for guest in body.get("attendees", []):
            assert set(guest) == {"email"}
        for values in body.get("extendedProperties", {}).values():
            assert all(isinstance(value, str) for value in values.values())


async def test_all_writes_say_who_is_mailed(
    sent: list[tuple[str, str, dict[str, Any], dict[str, Any]]],
) -> None:
    """No write leaves it to Google's default whether guests hear of it."""
    writes = [params for method, _, params, _ in sent if method != "GET"]
    assert writes
    assert all("sendUpdates" in params for params in writes)


def _check_moment(moment: dict[str, Any]) -> None:
    given = {name: value for name, value in moment.items() if value is not None}
    assert ("date" in given) != ("dateTime" in given)
    for name, value in given.items():
        assert re.fullmatch(MOMENT[name], value), f"{name}={value}"
