from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.actions import Effect
from connectors.errors import OutcomeUnknownError, RejectedError
from connectors.google_calendar.actions import (
    CANCEL_EVENT,
    CONNECTOR,
    CREATE_EVENT,
    LIST_EVENTS,
    UPDATE_EVENT,
)
from connectors.google_calendar.client import READ_SCOPE, WRITE_SCOPE, CalendarClient
from connectors.google_calendar.schemas import ChosenEvent, EventChange, NewEvent
from connectors.registry import Registry
from tests.connectors.stage import Frozen, Stage, open_stage
from tests.connectors.standins import Running

JANE, MO = "jane.doe@acme.example", "mo@northwind.example"
EVENTS = "/calendar/v3/calendars/primary/events"
REPORT: dict[str, Any] = {
    "title": "Report",
    "start": "2026-11-24T09:00:00Z",
    "end": "2026-11-24T09:30:00Z",
    "zone": "Europe/Berlin",
}
THAT_DAY = {"start": "2026-11-24T00:00:00+01:00", "end": "2026-11-25T00:00:00+01:00"}


@pytest.fixture
async def dana(google: Running) -> AsyncIterator[Stage]:
    assert CONNECTOR.manifest is not None
    async with open_stage(google, CONNECTOR.manifest, WRITE_SCOPE) as stage:
        yield stage


@pytest.fixture
async def mo(google: Running) -> AsyncIterator[Stage]:
    assert CONNECTOR.manifest is not None
    async with open_stage(google, CONNECTOR.manifest, WRITE_SCOPE, account=MO) as stage:
        yield stage


async def _edit(stage: Stage, event_id: str, **body: Any) -> None:
    answer = await stage.context.http.request("PATCH", f"{EVENTS}/{event_id}", json=body)
    assert answer.status_code == 200


async def _mails(stage: Stage) -> list[tuple[str, str]]:
    return [(mail["kind"], mail["to"]) for mail in (await stage.standin.look("mails"))["mails"]]


async def test_listing_needs_only_the_readonly_scope(google: Running) -> None:
    """Reading asks for less than writing, and the write scope includes it."""  # S27
    manifest = CONNECTOR.manifest
    assert manifest is not None
    async with open_stage(google, manifest, READ_SCOPE) as stage:
        found = await stage.run(LIST_EVENTS, {**THAT_DAY, "query": "nothing like it"})
    assert found.events == []
    assert (found.zone, found.has_more) == ("Europe/Berlin", False)
    assert manifest.missing(asked=[READ_SCOPE], granted=[WRITE_SCOPE]) == frozenset()
    assert manifest.missing(asked=[WRITE_SCOPE], granted=[READ_SCOPE]) == {WRITE_SCOPE}


async def test_list_finds_events_of_a_day_by_words(dana: Stage) -> None:
    """What was made is found, with its guests and in the calendar's zone."""
    made = await dana.run(CREATE_EVENT, {**REPORT, "attendees": [JANE]})
    await dana.run(CREATE_EVENT, {**REPORT, "title": "Lunch"})
    found = await dana.run(LIST_EVENTS, {**THAT_DAY, "query": "report"})
    assert found.events == [made]
    assert made.start == "2026-11-24T10:00:00+01:00"
    assert (made.guests, made.organizer) == ([JANE], "dana@northwind.example")


async def test_short_pages_are_followed(dana: Stage) -> None:
    """A page may be short although more events match."""
    for title in ("One", "Two", "Three"):
        await dana.run(CREATE_EVENT, {**REPORT, "title": title})
    start, end = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)
    client = CalendarClient(dana.context.http)
    found = await client.list_events(start=start, end=end, page_size=1)
    assert len(found.items) == 3
    assert found.next_page is None


async def test_guest_is_mailed_and_event_alone_is_silent(dana: Stage) -> None:
    """Google mails guests of what is made, changed and cancelled; nobody else hears of it."""
    await dana.run(CREATE_EVENT, REPORT)
    assert await _mails(dana) == []
    made = await dana.run(CREATE_EVENT, {**REPORT, "attendees": [JANE]})
    moved = {"event_id": made.id, "guests": [JANE], "start": "2026-11-25T09:00:00Z"}
    await dana.run(UPDATE_EVENT, moved)
    await dana.run(CANCEL_EVENT, {"event_id": made.id, "guests": [JANE]})
    assert await _mails(dana) == [("invitation", JANE), ("update", JANE), ("cancellation", JANE)]


@pytest.mark.parametrize(
    ("guests", "change", "cancel"),
    [
        pytest.param([], Effect.OWN, Effect.SHARED, id="none"),
        pytest.param([JANE], Effect.IRREVERSIBLE, Effect.IRREVERSIBLE, id="one"),
        pytest.param(None, Effect.IRREVERSIBLE, Effect.IRREVERSIBLE, id="not known"),
    ],
)
def test_effect_counts_unknown_guests_as_mailed(
    guests: list[str] | None, change: Effect, cancel: Effect
) -> None:
    """Only arguments that say "no guests" make a change one's own matter."""
    chosen = {"event_id": "e1", "guests": guests}
    assert UPDATE_EVENT.effect(EventChange.model_validate({**chosen, "title": "T"})) is change
    assert CANCEL_EVENT.effect(ChosenEvent.model_validate(chosen)) is cancel


@pytest.mark.parametrize("action", [UPDATE_EVENT, CANCEL_EVENT], ids=lambda one: one.name)
async def test_guest_left_out_of_the_arguments_is_refused(dana: Stage, action: Any) -> None:
    """A plan cannot talk a change with guests down to a silent one."""  # S2
    made = await dana.run(CREATE_EVENT, {**REPORT, "attendees": [JANE, MO]})
    change = {"title": "Plan"} if action is UPDATE_EVENT else {}
    for guests in ([], [JANE]):
        with pytest.raises(RejectedError) as refused:
            await dana.freeze(action, {"event_id": made.id, "guests": guests, **change})
        assert refused.value.kind == "invalid"
    await dana.freeze(action, {"event_id": made.id, "guests": None, **change})
    await dana.freeze(action, {"event_id": made.id, "guests": [MO.upper(), JANE], **change})


async def test_guest_added_after_freezing_stops_the_call(dana: Stage) -> None:
    """The etag covers the time between the card and the run."""  # S18
    made = await dana.run(CREATE_EVENT, REPORT)
    call = await dana.freeze(CANCEL_EVENT, {"event_id": made.id, "guests": []})
    await _edit(dana, made.id, attendees=[{"email": JANE}])
    with pytest.raises(RejectedError) as refused:
        await call.execute()
    assert refused.value.kind == "changed"
    assert await _mails(dana) == []


async def test_event_of_somebody_else_is_seen_and_not_changed(dana: Stage, mo: Stage) -> None:
    """A guest reads the event; only its organizer can change it."""
    made = await dana.run(CREATE_EVENT, {**REPORT, "attendees": [MO]})
    found = await mo.run(LIST_EVENTS, THAT_DAY)
    assert [(event.id, event.guests) for event in found.events] == [(made.id, [])]
    with pytest.raises(RejectedError) as refused:
        await mo.freeze(CANCEL_EVENT, {"event_id": made.id})
    assert refused.value.kind == "forbidden"


async def test_unknown_and_cancelled_events_are_not_found(dana: Stage) -> None:
    """Nothing is left to change."""
    made = await dana.run(CREATE_EVENT, REPORT)
    await dana.run(CANCEL_EVENT, {"event_id": made.id, "guests": []})
    for event_id in (made.id, "0" * 32):
        with pytest.raises(RejectedError) as refused:
            await dana.freeze(CANCEL_EVENT, {"event_id": event_id})
        assert refused.value.kind == "not_found"


async def test_repeat_after_the_event_was_cancelled_does_not_make_it_again(dana: Stage) -> None:
    """A late repeat does not bring back what a person removed."""
    call = await dana.freeze(CREATE_EVENT, REPORT)
    made = await call.execute()
    await dana.run(CANCEL_EVENT, {"event_id": made.id, "guests": []})
    with pytest.raises(RejectedError) as refused:
        await call.execute()
    assert refused.value.kind == "conflict"


async def test_repeat_after_an_edit_finds_the_event_as_it_is_now(dana: Stage) -> None:
    """The key and not the content shows that it is ours."""
    call = await dana.freeze(CREATE_EVENT, REPORT)
    made = await call.execute()
    await _edit(dana, made.id, summary="Plan")
    assert (await call.execute()).title == "Plan"


async def test_id_of_a_strange_event_is_a_conflict_and_no_result(dana: Stage) -> None:
    """An event of our id without our key was not made by this call."""
    call = await dana.freeze(CREATE_EVENT, REPORT)
    times = {"start": {"dateTime": REPORT["start"]}, "end": {"dateTime": REPORT["end"]}}
    body = {"id": call.run.key, "summary": "Strange", **times}
    answer = await dana.context.http.request("POST", EVENTS, json=body)
    assert answer.status_code == 200
    assert await call.verify() is None
    with pytest.raises(RejectedError) as refused:
        await call.execute()
    assert refused.value.kind == "conflict"


async def test_look_up_of_an_event_that_changed_otherwise_is_unknown(dana: Stage) -> None:
    """Neither as it was nor as wanted: only a human can tell."""
    made = await dana.run(CREATE_EVENT, REPORT)
    call = await dana.freeze(UPDATE_EVENT, {"event_id": made.id, "guests": [], "title": "Plan"})
    await _edit(dana, made.id, summary="Something else")
    with pytest.raises(OutcomeUnknownError):
        await call.verify()


async def test_undo_of_a_timed_whole_day_makes_it_a_whole_day_again(dana: Stage) -> None:
    """An event's form of time is restored with its time."""
    body = {"summary": "Trip", "start": {"date": "2026-11-24"}, "end": {"date": "2026-11-26"}}
    answer = await dana.context.http.request("POST", EVENTS, json=body)
    event_id = answer.json()["id"]
    span = {"start": REPORT["start"], "end": REPORT["end"]}
    call = await dana.freeze(UPDATE_EVENT, {"event_id": event_id, "guests": [], **span})
    done = await call.execute()
    assert done.start == "2026-11-24T10:00:00+01:00"
    undo = await _undone(dana, call, done)
    assert (undo.start, undo.end) == ("2026-11-24", "2026-11-26")


async def test_undo_of_an_undo_brings_the_change_back(dana: Stage) -> None:
    """Taking back a restoration cancels the event again."""
    made = await dana.run(CREATE_EVENT, REPORT)
    cancel = await dana.freeze(CANCEL_EVENT, {"event_id": made.id, "guests": []})
    cancelled = await cancel.execute()
    assert CANCEL_EVENT.links(cancelled) == ()
    assert CANCEL_EVENT.undo is not None
    undo = CANCEL_EVENT.undo(cancel.arguments, cancelled, cancel.run.precondition)
    assert undo is not None
    restore = await dana.freeze(Registry([CONNECTOR]).action(undo.action), undo.arguments)
    restored = await restore.execute()
    assert restored.status == "confirmed"
    assert (await _undone(dana, restore, restored)).status == "cancelled"


async def _undone(stage: Stage, call: Frozen, result: Any) -> Any:
    assert call.action.undo is not None
    undo = call.action.undo(call.arguments, result, call.run.precondition)
    assert undo is not None
    return await stage.run(Registry([CONNECTOR]).action(undo.action), undo.arguments)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"end": REPORT["start"]}, id="no length"),
        pytest.param({"start": "2026-11-24T09:00:00"}, id="no offset"),
        pytest.param({"zone": "Mars/Base"}, id="unknown zone"),
        pytest.param({"zone": "../etc/passwd"}, id="a path as zone"),
        pytest.param({"title": " "}, id="no title"),
        pytest.param({"attendees": ["jane"]}, id="no address"),
        pytest.param({"attendees": ["a@b.example, c@d.example"]}, id="two in one"),
        pytest.param({"attendees": [f"g{n}@acme.example" for n in range(51)]}, id="too many"),
        pytest.param({"colour": "red"}, id="unknown field"),
    ],
)
def test_event_that_cannot_be_is_refused_before_anybody_is_asked(fields: dict[str, Any]) -> None:
    """Arguments are checked by us first."""
    with pytest.raises(ValidationError):
        NewEvent.model_validate({**REPORT, **fields})


def test_one_guest_named_twice_is_one_guest() -> None:
    """Letter case does not make two guests of one."""
    event = NewEvent.model_validate({**REPORT, "attendees": [JANE, MO, JANE.upper()]})
    assert event.attendees == [JANE, MO]


@pytest.mark.parametrize("event_id", ["", "a/b", "..", "a?b", "a b"])
def test_id_that_could_leave_its_path_is_refused(event_id: str) -> None:
    """An id is part of a URL, so only letters, digits, `_` and `-` pass."""  # S5
    with pytest.raises(ValidationError):
        ChosenEvent.model_validate({"event_id": event_id})


def test_change_of_nothing_is_refused() -> None:
    """A change has to say what becomes different."""
    with pytest.raises(ValidationError):
        EventChange.model_validate({"event_id": "e1"})
