from typing import Any, ClassVar

import pytest

from connectors.actions import Effect
from connectors.google_calendar.actions import CONNECTOR, CREATE_EVENT
from connectors.google_calendar.client import WRITE_SCOPE
from tests.connectors.contract import ConnectorContract, Json, Write
from tests.connectors.stage import Stage
from tests.connectors.standins import Running

JANE = "jane.doe@acme.example"
EVENTS = "/calendar/v3/calendars/primary/events"
ALONE: Json = {
    "title": "Report",
    "start": "2026-11-24T10:00:00+01:00",
    "end": "2026-11-24T10:30:00+01:00",
    "zone": "Europe/Berlin",
}
KICKOFF: Json = {**ALONE, "title": "Kickoff", "attendees": [JANE]}


async def a_report(stage: Stage) -> Json:
    made = await stage.run(CREATE_EVENT, ALONE)
    return {"event_id": made.id, "guests": made.guests}


async def a_kickoff(stage: Stage) -> Json:
    made = await stage.run(CREATE_EVENT, {**KICKOFF, "location": "Room 1"})
    return {"event_id": made.id, "guests": made.guests}


async def report_to_move(stage: Stage) -> Json:
    return {**await a_report(stage), "start": "2026-11-25T08:00:00Z"}


async def kickoff_to_rename(stage: Stage) -> Json:
    return {
        **await a_kickoff(stage),
        "title": "Kick-off",
        "location": "",
        "description": "Bring it",
    }


async def cancelled_report(stage: Stage) -> Json:
    chosen = await a_report(stage)
    cancel = next(one for one in CONNECTOR.actions if one.name == "cancel_event")
    await stage.run(cancel, chosen)
    return {
        **chosen,
        **{name: ALONE[name] for name in ("title", "start", "end", "zone")},
        "status": "confirmed",
        "location": "",
        "description": "",
    }


class TestGoogleCalendar(ConnectorContract):
    """The calendar keeps what every connector promises."""

    connector = CONNECTOR
    scopes = (WRITE_SCOPE,)
    weak_scope = "openid"
    writes: ClassVar[tuple[Write, ...]] = (
        Write(action="create_event", arguments=ALONE, effect=Effect.OWN, id="create"),
        Write(action="create_event", arguments=KICKOFF, effect=Effect.IRREVERSIBLE, id="invite"),
        Write(action="update_event", arguments=report_to_move, effect=Effect.OWN, id="move"),
        Write(
            action="update_event",
            arguments=kickoff_to_rename,
            effect=Effect.IRREVERSIBLE,
            id="rename with a guest",
        ),
        Write(action="cancel_event", arguments=a_report, effect=Effect.SHARED, id="cancel"),
        Write(
            action="cancel_event",
            arguments=a_kickoff,
            effect=Effect.IRREVERSIBLE,
            id="cancel with a guest",
        ),
        Write(action="restore_event", arguments=cancelled_report, effect=Effect.OWN, id="restore"),
    )

    @pytest.fixture
    def standin(self, google: Running) -> Running:
        return google

    def visible(self, state: Json) -> Any:
        """Return the events that are not cancelled, without version, sequence and time stamps."""
        return [
            {name: event[name] for name in ("id", "organizer", "body")}
            for event in state["events"]
            if event["body"]["status"] != "cancelled"
        ]

    async def something_awaited(self, stage: Stage) -> Any:
        return await stage.run(CREATE_EVENT, ALONE)

    async def edit_by_hand(self, stage: Stage, result: Any) -> None:
        body = {"summary": "Changed by hand", "status": "confirmed"}
        answer = await stage.context.http.request("PATCH", f"{EVENTS}/{result.id}", json=body)
        assert answer.status_code == 200
