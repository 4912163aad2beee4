from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.connectors.standins import Running, connect

AUTH = "https://www.googleapis.com/auth/"
PRIMARY = "/calendar/v3/calendars/primary"
EVENTS = f"{PRIMARY}/events"
OWNED = f"{AUTH}calendar.events.owned"
GUEST = {"email": "jane.doe@acme.example"}
COLLEAGUE = {"email": "mo@northwind.example"}


@pytest.fixture
async def dana(google: Running) -> AsyncIterator[httpx2.AsyncClient]:
    token = await connect(google, OWNED)
    async with google.client(token["access_token"]) as http:
        yield http


def _event(**fields: Any) -> dict[str, Any]:
    return {
        "summary": "Acme kickoff",
        "start": {"dateTime": "2027-03-02T10:00:00+01:00"},
        "end": {"dateTime": "2027-03-02T10:30:00+01:00"},
        **fields,
    }


async def _made(http: httpx2.AsyncClient, body: dict[str, Any], **params: str) -> dict[str, Any]:
    answer = await http.post(EVENTS, json=body, params=params)
    assert answer.status_code == 200, answer.text
    event: dict[str, Any] = answer.json()
    return event


async def _mails(google: Running) -> list[tuple[str, str]]:
    return [(mail["kind"], mail["to"]) for mail in (await google.look("mails"))["mails"]]


def _reason(answer: httpx2.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    return answer.status_code, error["errors"][0]["reason"]


async def test_inserted_event_is_given_back_in_the_calendars_zone(
    dana: httpx2.AsyncClient, google: Running
) -> None:
    """Times come back with the calendar's offset: compare instants, not text."""
    times = {
        "start": {"dateTime": "2027-03-02T09:00:00Z"},
        "end": {"dateTime": "2027-03-02T10:00:00Z"},
    }
    event = await _made(dana, _event(**times))
    assert event["start"] == {"dateTime": "2027-03-02T10:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert event["organizer"]["self"] is True
    assert event["status"] == "confirmed"
    page = await dana.get(event["htmlLink"])
    assert page.status_code == 200
    assert "Tue 02 Mar 2027 10:00" in page.text
    assert "Acme kickoff" in (await dana.get(google.url)).text
    assert (await dana.get("/calendar/event", params={"eid": "!"})).status_code == 404


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        pytest.param({"start": None}, 400, "required", id="no start"),
        pytest.param({"end": {"dateTime": "2027-03-02T09:00:00+01:00"}}, 400, "timeRangeEmpty",
                     id="ends before it starts"),
        pytest.param({"end": {"date": "2027-03-03"}}, 400, "invalid", id="date and dateTime"),
        pytest.param({"start": {"dateTime": "2027-03-02T10:00:00"}}, 400, "invalid", id="no zone"),
        pytest.param({"start": {"dateTime": "tomorrow"}}, 400, "invalid", id="no time"),
        pytest.param({"start": {"dateTime": "2027-03-02T10:00:00", "timeZone": "Mars/Base"}}, 400,
                     "invalid", id="unknown zone"),
        pytest.param({"attendees": [{"email": "jane"}]}, 400, "invalid", id="no address"),
        pytest.param({"attendees": "jane"}, 400, "parseError", id="no list"),
        pytest.param({"id": "UPPER"}, 400, "invalid", id="id not base32hex"),
        pytest.param({"id": "abcd"}, 400, "invalid", id="id too short"),
        pytest.param({"id": "a" * 1025}, 400, "invalid", id="id too long"),
        pytest.param({"recurrence": ["RRULE:FREQ=DAILY"]}, 400, "invalid", id="recurring"),
    ],
)  # fmt: skip
async def test_bad_event_is_refused_and_not_stored(
    dana: httpx2.AsyncClient, google: Running, fields: dict[str, Any], status: int, reason: str
) -> None:
    """What Google would not store is refused in its shape, with its reason."""
    before = (await google.look("state"))["events"]
    answer = await dana.post(EVENTS, json=_event(**fields))
    assert _reason(answer) == (status, reason)
    assert (await google.look("state"))["events"] == before


async def test_id_used_again_is_409_even_after_deletion(dana: httpx2.AsyncClient) -> None:
    """A client's id makes the insert idempotent; a cancelled event keeps its id."""
    event = await _made(dana, _event(id="countersign0001"))
    assert event["id"] == "countersign0001"
    path = f"{EVENTS}/countersign0001"
    assert _reason(await dana.post(EVENTS, json=_event(id=event["id"]))) == (409, "duplicate")
    assert (await dana.delete(path)).status_code == 204
    assert _reason(await dana.post(EVENTS, json=_event(id=event["id"]))) == (409, "duplicate")
    assert (await dana.get(path)).json()["status"] == "cancelled"


async def test_deleting_twice_is_410(dana: httpx2.AsyncClient) -> None:
    """The second deletion says that the event is already gone."""
    event = await _made(dana, _event())
    path = f"{EVENTS}/{event['id']}"
    assert (await dana.delete(path)).status_code == 204
    assert _reason(await dana.delete(path)) == (410, "deleted")
    assert _reason(await dana.delete(f"{EVENTS}/neverwas")) == (404, "notFound")


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_write_with_a_stale_etag_is_412(dana: httpx2.AsyncClient, method: str) -> None:
    """If-Match protects somebody else's later edit; the current ETag passes."""
    event = await _made(dana, _event())
    path = f"{EVENTS}/{event['id']}"
    changed = await dana.patch(path, json={"summary": "Moved by a human"})
    stale = await dana.request(method, path, json=_event(), headers={"If-Match": event["etag"]})
    assert _reason(stale) == (412, "conditionNotMet")
    fresh = {"If-Match": changed.json()["etag"]}
    assert (await dana.request(method, path, json=_event(), headers=fresh)).is_success


async def test_patch_merges_and_put_replaces(dana: httpx2.AsyncClient) -> None:
    """PATCH keeps what it does not name; PUT drops it."""
    private = {"extendedProperties": {"private": {"countersign": "k1"}}}
    event = await _made(dana, _event(location="Room 1", attendees=[GUEST], **private))
    path = f"{EVENTS}/{event['id']}"
    start = {"start": {"dateTime": "2027-03-02T10:15:00+01:00"}, "location": None}
    patched = (await dana.patch(path, json=start)).json()
    assert "location" not in patched
    assert patched["attendees"][0]["email"] == GUEST["email"]
    assert patched["sequence"] == event["sequence"] + 1
    assert patched["extendedProperties"] == private["extendedProperties"]
    replaced = (await dana.put(path, json=_event())).json()
    assert "attendees" not in replaced


async def test_deleted_event_is_restored_only_by_an_explicit_status(
    dana: httpx2.AsyncClient,
) -> None:
    """A change to a deleted event is 403; an update to `confirmed` brings it back."""
    event = await _made(dana, _event())
    path = f"{EVENTS}/{event['id']}"
    await dana.delete(path)
    assert _reason(await dana.put(path, json=_event())) == (403, "forbidden")
    restored = await dana.put(path, json=_event(status="confirmed"))
    assert (restored.status_code, restored.json()["status"]) == (200, "confirmed")


@pytest.mark.parametrize(
    ("updates", "invited"),
    [
        ("all", [GUEST["email"], COLLEAGUE["email"]]),
        ("externalOnly", [GUEST["email"]]),
        ("none", []),
    ],
)
async def test_guests_are_mailed_as_send_updates_says(
    dana: httpx2.AsyncClient, google: Running, updates: str, invited: list[str]
) -> None:
    """Whether guests get a mail depends on the argument, and the outbox shows it."""
    guests = [GUEST, COLLEAGUE, {"email": "dana@northwind.example"}]
    event = await _made(dana, _event(attendees=guests), sendUpdates=updates)
    await dana.delete(f"{EVENTS}/{event['id']}", params={"sendUpdates": updates})
    assert await _mails(google) == [
        *(("invitation", to) for to in invited),
        *(("cancellation", to) for to in invited),
    ]


async def test_changed_guests_get_the_mail_that_fits(
    dana: httpx2.AsyncClient, google: Running
) -> None:
    """Who is added is invited, who is removed gets a cancellation, who stays an update."""
    new = {"email": "new@acme.example"}
    event = await _made(dana, _event(attendees=[GUEST, COLLEAGUE]))
    await dana.patch(
        f"{EVENTS}/{event['id']}", json={"attendees": [GUEST, new]}, params={"sendUpdates": "all"}
    )
    assert await _mails(google) == [
        ("invitation", new["email"]),
        ("update", GUEST["email"]),
        ("cancellation", COLLEAGUE["email"]),
    ]


async def test_unknown_send_updates_is_400(dana: httpx2.AsyncClient) -> None:
    """A misspelt value is not taken for silence."""
    answer = await dana.post(EVENTS, json=_event(), params={"sendUpdates": "everybody"})
    assert _reason(answer) == (400, "invalid")


async def test_list_selects_by_time_words_and_private_property(dana: httpx2.AsyncClient) -> None:
    """Bounds are exclusive, words look at guests too, properties match exactly."""
    private = {"extendedProperties": {"private": {"countersign": "k1"}}}
    event = await _made(dana, _event(attendees=[GUEST], **private))
    queries: list[tuple[dict[str, str], int]] = [
        ({"timeMin": "2027-03-02T09:30:00Z"}, 0),
        ({"timeMin": "2027-03-02T09:29:00Z", "timeMax": "2027-03-02T09:30:00Z"}, 1),
        ({"timeMax": "2027-03-02T09:00:00Z", "timeMin": "2027-03-02T00:00:00Z"}, 0),
        ({"q": "kickoff jane.doe"}, 1),
        ({"q": "kickoff petra"}, 0),
        ({"privateExtendedProperty": "countersign=k1"}, 1),
        ({"privateExtendedProperty": "countersign=k2"}, 0),
        ({"iCalUID": event["iCalUID"]}, 1),
    ]
    counts = [len((await dana.get(EVENTS, params=params)).json()["items"]) for params, _ in queries]
    assert counts == [count for _, count in queries]


async def test_list_pages_in_order_and_shows_deleted_on_demand(dana: httpx2.AsyncClient) -> None:
    """Two seeds and one event: pages of two, by start, and the zone for free."""
    event = await _made(dana, _event())
    params = {"singleEvents": "true", "orderBy": "startTime", "maxResults": "2"}
    first = (await dana.get(EVENTS, params=params)).json()
    rest = await dana.get(EVENTS, params=params | {"pageToken": first["nextPageToken"]})
    assert [one["id"] for one in rest.json()["items"]] == [event["id"]]
    assert first["timeZone"] == "Europe/Berlin"
    await dana.delete(f"{EVENTS}/{event['id']}")
    assert len((await dana.get(EVENTS)).json()["items"]) == 2
    assert len((await dana.get(EVENTS, params={"showDeleted": "true"})).json()["items"]) == 3


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"timeMin": "2027-03-02T10:00:00"}, (400, "invalid")),
        ({"timeMin": "tomorrow"}, (400, "invalid")),
        ({"timeMin": "2027-03-02T10:00:00Z", "timeMax": "2027-03-02T10:00:00Z"},
         (400, "timeRangeEmpty")),
        ({"orderBy": "startTime"}, (400, "badRequest")),
        ({"maxResults": "0"}, (400, "invalid")),
        ({"pageToken": "x"}, (400, "invalid")),
        ({"syncToken": "standin-sync-gone-1"}, (410, "fullSyncRequired")),
        ({"syncToken": "mine"}, (400, "invalid")),
        ({"syncToken": "standin-sync-gone-1", "q": "x"}, (400, "badRequest")),
    ],
)  # fmt: skip
async def test_bad_list_is_refused(
    dana: httpx2.AsyncClient, params: dict[str, str], expected: tuple[int, str]
) -> None:
    """A query that Google would refuse is refused with its reason."""
    assert _reason(await dana.get(EVENTS, params=params)) == expected


async def test_guest_with_an_account_sees_the_event_but_may_not_change_it(
    dana: httpx2.AsyncClient, google: Running
) -> None:
    """An invitation stands in the colleague's calendar; only the organizer changes it."""
    event = await _made(dana, _event(attendees=[COLLEAGUE]))
    token = await connect(google, OWNED, account="mo@northwind.example")
    path = f"{EVENTS}/{event['id']}"
    async with google.client(token["access_token"]) as mo:
        seen = (await mo.get(path)).json()
        refused = await mo.patch(path, json={"summary": "Mine now"})
        foreign = await mo.get("/calendar/v3/calendars/dana@northwind.example/events")
    assert seen["attendees"][0]["self"] is True
    assert "self" not in seen["organizer"]
    assert _reason(refused) == (403, "forbiddenForNonOrganizer")
    assert _reason(foreign) == (404, "notFound")


async def test_read_only_scope_cannot_write_and_owned_cannot_read_the_calendar(
    dana: httpx2.AsyncClient, google: Running
) -> None:
    """Scopes are per method, as the discovery document has them."""
    token = await connect(google, f"{OWNED}.readonly", f"{AUTH}calendar.calendars.readonly")
    async with google.client(token["access_token"]) as reader:
        assert (await reader.get(EVENTS)).status_code == 200
        assert (await reader.get(PRIMARY)).json()["timeZone"] == "Europe/Berlin"
        refused = await reader.post(EVENTS, json=_event())
    assert _reason(refused) == (403, "insufficientPermissions")
    assert _reason(await dana.get(PRIMARY)) == (403, "insufficientPermissions")


async def test_busy_times_are_merged_and_leave_out_what_is_free(
    dana: httpx2.AsyncClient, google: Running
) -> None:
    """Overlapping events are one span; events shown as free do not count."""
    await _made(dana, _event())
    longer = {"end": {"dateTime": "2027-03-02T11:00:00+01:00"}}
    await _made(dana, _event(**longer))
    free = {"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}}
    await _made(dana, _event(transparency="transparent", **free))
    token = await connect(google, f"{AUTH}calendar.freebusy")
    bounds = {"timeMin": "2027-03-02T00:00:00Z", "timeMax": "2027-03-03T00:00:00Z"}
    items = [{"id": "primary"}, {"id": "mo@northwind.example"}]
    async with google.client(token["access_token"]) as http:
        answer = await http.post("/calendar/v3/freeBusy", json={**bounds, "items": items})
        empty = await http.post(
            "/calendar/v3/freeBusy",
            json={"timeMin": bounds["timeMax"], "timeMax": bounds["timeMin"]},
        )
    calendars = answer.json()["calendars"]
    assert calendars["primary"]["busy"] == [
        {"start": "2027-03-02T09:00:00Z", "end": "2027-03-02T10:00:00Z"}
    ]
    assert calendars["mo@northwind.example"]["errors"][0]["reason"] == "notFound"
    assert _reason(empty) == (400, "timeRangeEmpty")


async def test_call_without_token_is_401_in_googles_shape(google: Running) -> None:
    """No token, a made-up one and a wrong scheme are all authError."""
    for value in ("", "Bearer made-up", "Basic abc"):
        async with google.client() as http:
            answer = await http.get(EVENTS, headers={"Authorization": value})
        assert _reason(answer) == (401, "authError")
