"""A guest who answers an invitation changes the event's etag, and nothing that matters."""

from collections.abc import AsyncIterator

import pytest

from connectors.errors import RejectedError
from connectors.google_calendar.actions import CANCEL_EVENT, CONNECTOR, CREATE_EVENT, UPDATE_EVENT
from connectors.google_calendar.client import WRITE_SCOPE
from tests.connectors.google_calendar.events import ALONE
from tests.connectors.stage import Stage, open_stage
from tests.connectors.standins import Running

JANE = "jane.doe@acme.example"
EVENTS = "/calendar/v3/calendars/primary/events"


@pytest.fixture
async def dana(google: Running) -> AsyncIterator[Stage]:
    assert CONNECTOR.manifest is not None
    async with open_stage(google, CONNECTOR.manifest, WRITE_SCOPE) as stage:
        yield stage


async def answer_invitation(stage: Stage, event_id: str, *, answer: str) -> None:
    body = {"attendees": [{"email": JANE, "responseStatus": answer}]}
    reply = await stage.context.http.request("PATCH", f"{EVENTS}/{event_id}", json=body)
    assert reply.status_code == 200


async def test_change_that_waits_survives_a_guests_answer(dana: Stage) -> None:
    """An approval that waits for hours is not thrown away because a guest accepted."""  # S18
    made = await dana.run(CREATE_EVENT, {**ALONE, "attendees": [JANE]})
    change = {"event_id": made.id, "guests": [JANE], "title": "Kick-off"}
    call = await dana.freeze(UPDATE_EVENT, change)
    await answer_invitation(dana, made.id, answer="accepted")
    again = await dana.freeze(UPDATE_EVENT, change)
    assert again.run.precondition == call.run.precondition
    assert (await call.execute()).title == "Kick-off"


async def test_invitation_can_be_undone_after_a_guest_accepted(dana: Stage) -> None:
    """An answer is no edit: Undo still takes back what it was offered for."""
    call = await dana.freeze(CREATE_EVENT, {**ALONE, "attendees": [JANE]})
    made = await call.execute()
    await answer_invitation(dana, made.id, answer="accepted")
    assert CREATE_EVENT.undo is not None
    undo = CREATE_EVENT.undo(call.arguments, made, None)
    assert undo is not None
    cancel = await dana.freeze(CANCEL_EVENT, undo.arguments)
    assert undo.expects is not None
    assert cancel.run.precondition is not None
    assert undo.expects.items() <= cancel.run.precondition.items()
    assert (await cancel.execute()).status == "cancelled"


async def test_edited_notes_stop_a_change(dana: Stage) -> None:
    """Every word that a person wrote counts, also one that the card does not show."""
    made = await dana.run(CREATE_EVENT, ALONE)
    call = await dana.freeze(CANCEL_EVENT, {"event_id": made.id, "guests": []})
    edit = {"description": "Do not cancel this"}
    await dana.context.http.request("PATCH", f"{EVENTS}/{made.id}", json=edit)
    with pytest.raises(RejectedError) as refused:
        await call.execute()
    assert refused.value.kind == "changed"
