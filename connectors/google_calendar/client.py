"""The Calendar API's methods that Countersign uses, on the primary calendar."""

from datetime import datetime
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from connectors.actions import Http, HttpResponse
from connectors.errors import (
    OutcomeUnknownError,
    ReconnectRequiredError,
    RejectedError,
    RetryLaterError,
)
from connectors.google_calendar.wire import WireChannel, WireEvent, WireEvents

PROVIDER = "google_calendar"
READ_SCOPE = "https://www.googleapis.com/auth/calendar.events.owned.readonly"
WRITE_SCOPE = "https://www.googleapis.com/auth/calendar.events.owned"
MAX_EVENTS = 250
_MAX_PAGES = 8
SYNC_PAGE = 2500
"""The largest page. Source: the discovery document, events.list, maxResults."""

_MAX_SYNC_PAGES = 40
"""A hundred thousand events; who has more than that waits without hints."""
CHANNEL_LIFE_S = 604_800
"""A week: what Google gives unless asked for less.

Source: https://developers.google.com/workspace/calendar/api/v3/reference/events/watch
"""
_EVENTS = "/calendar/v3/calendars/primary/events"

Body = TypeVar("Body", bound=BaseModel)


class CalendarClient:
    """One method per call; every refusal becomes an error that says what the person can do."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def list_events(
        self,
        *,
        start: datetime,
        end: datetime,
        query: str | None = None,
        page_size: int = MAX_EVENTS,
    ) -> WireEvents:
        """Return single events between two instants by their start, some `MAX_EVENTS` at most.

        A page may be short or empty although more events match, so pages are followed.
        Source: the discovery document, events.list, maxResults.

        Raises:
            ConnectorError: as its kinds say what to do.
        """
        params = {
            "timeMin": start.isoformat(),
            "timeMax": end.isoformat(),
            "singleEvents": "true",
            "orderBy": "startTime",
            "maxResults": str(page_size),
        }
        if query:
            params["q"] = query
        page = await self._request("GET", _EVENTS, WireEvents, params=params)
        items = [*page.items]
        for _ in range(_MAX_PAGES - 1):
            if page.next_page is None or len(items) >= MAX_EVENTS:
                break
            more = {**params, "pageToken": page.next_page}
            page = await self._request("GET", _EVENTS, WireEvents, params=more)
            items += page.items
        return page.model_copy(update={"items": tuple(items)})

    async def sync_token(self) -> str:
        """Return the token from which changes count; the events themselves are not asked for.

        The whole calendar has to be walked to get one.
        Source: https://developers.google.com/workspace/calendar/api/guides/sync
        """
        fields = {"fields": "nextPageToken,nextSyncToken", "maxResults": str(SYNC_PAGE)}
        _, token = await self._sync(fields)
        return token

    async def list_changed(self, token: str) -> tuple[list[str], str]:
        """Return the ids of the events that changed since a sync token, and the next token.

        Raises:
            RejectedError: of kind `expired`, when a new token must be fetched (410).
            ConnectorError: as its kinds say what to do.
        """
        return await self._sync({"syncToken": token, "maxResults": str(SYNC_PAGE)})

    async def _sync(self, params: dict[str, str]) -> tuple[list[str], str]:
        ids: list[str] = []
        asked = params
        for _ in range(_MAX_SYNC_PAGES):
            page = await self._request("GET", _EVENTS, WireEvents, params=asked)
            ids += [item.id for item in page.items]
            if page.next_sync is not None:
                return ids, page.next_sync
            if page.next_page is None:
                break
            asked = {**params, "pageToken": page.next_page}
        raise RetryLaterError("Google Calendar has not told where changes begin.")

    async def watch_events(self, *, channel_id: str, address: str, token: str) -> WireChannel:
        """Let Google post to an address whenever an event of the calendar changes.

        Source: https://developers.google.com/workspace/calendar/api/guides/push

        Raises:
            ConnectorError: as its kinds say what to do.
        """
        body = {
            "id": channel_id,
            "type": "web_hook",
            "address": address,
            "token": token,
            "params": {"ttl": str(CHANNEL_LIFE_S)},
        }
        return await self._request("POST", f"{_EVENTS}/watch", WireChannel, json=body)

    async def stop_channel(self, *, channel_id: str, resource: str) -> None:
        """Let Google post nothing more on a channel; it is fine if there is none any more.

        Raises:
            ConnectorError: as its kinds say what to do.
        """
        body = {"id": channel_id, "resourceId": resource}
        answer = await self._http.request("POST", "/calendar/v3/channels/stop", json=body)
        if not (200 <= answer.status_code < 300 or answer.status_code == 404):  # noqa: PLR2004 -- the success class of HTTP, and "gone"
            _refuse(answer, scope=READ_SCOPE)

    async def get_event(self, event_id: str) -> WireEvent:
        """Return an event; a deleted one too, with the status `cancelled`.

        Only changes read single events, so a missing scope asks for the one that they need.

        Raises:
            RejectedError: of kind `not_found`, when the calendar never had it.
            ConnectorError: as its kinds say what to do.
        """
        return await self._request("GET", f"{_EVENTS}/{event_id}", WireEvent)

    async def insert_event(self, body: dict[str, Any]) -> WireEvent:
        """Create an event and let Google mail its guests.

        Raises:
            RejectedError: of kind `conflict`, when its id was ever used in this calendar.
            ConnectorError: as its kinds say what to do.
        """
        return await self._request(
            "POST", _EVENTS, WireEvent, params={"sendUpdates": "all"}, json=body
        )

    async def patch_event(self, event_id: str, body: dict[str, Any], *, etag: str) -> WireEvent:
        """Change what `body` names, and let Google mail the guests; null clears a field.

        Raises:
            RejectedError: of kind `changed`, when the event is not the one of `etag` any more.
            ConnectorError: as its kinds say what to do.
        """
        return await self._request(
            "PATCH",
            f"{_EVENTS}/{event_id}",
            WireEvent,
            params={"sendUpdates": "all"},
            json=body,
            headers={"If-Match": etag},
        )

    async def _request(
        self,
        method: str,
        path: str,
        shape: type[Body],
        *,
        params: dict[str, Any] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Body:
        answer = await self._http.request(method, path, params=params, json=json, headers=headers)
        is_read = method == "GET"
        if not 200 <= answer.status_code < 300:  # noqa: PLR2004 -- the success class of HTTP
            _refuse(answer, scope=WRITE_SCOPE if shape is WireEvent else READ_SCOPE)
        try:
            return shape.model_validate(answer.json())
        except (ValidationError, ValueError) as error:
            message = "Google Calendar's answer cannot be read."
            if is_read:
                raise RetryLaterError(message) from error
            raise OutcomeUnknownError(message) from error


# Source: https://developers.google.com/workspace/calendar/api/guides/errors
_SCOPE_REASONS = frozenset({"insufficientPermissions", "insufficientScopes"})
_LIMIT_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})
_REJECTED: dict[int, tuple[str, str]] = {
    400: ("invalid", "Google Calendar did not accept these values. Check the times and guests."),
    403: ("forbidden", "Google Calendar does not let you do this. Check who owns the event."),
    404: ("not_found", "Google Calendar has no such event in your calendar. Look it up again."),
    409: ("conflict", "Google Calendar already has an event of this id. Please ask again."),
    410: ("not_found", "This event was cancelled already; there is nothing left to do."),
    412: ("changed", "Somebody changed the event since it was read, so nothing was done."),
}
_BY_REASON: dict[str, tuple[str, str]] = {
    "fullSyncRequired": ("expired", "Google Calendar has forgotten where the changes began."),
    "updatedMinTooLongAgo": ("expired", "Google Calendar has forgotten where the changes began."),
    "timeRangeEmpty": ("invalid", "The event must end after it starts. Change its times."),
    "forbiddenForNonOrganizer": (
        "forbidden",
        "Only its organizer can change this event. Ask them, or decline it in Google Calendar.",
    ),
}


_FIELDS: dict[str, tuple[str, ...]] = {
    "timeRangeEmpty": ("end", "start"),
    "required": ("start", "end"),
    "timeMax": ("end", "start"),
    "timeMin": ("start", "end"),
    "start": ("start", "end"),
    "end": ("end", "start"),
    "attendees": ("attendees",),
    "summary": ("title",),
    "location": ("location",),
    "description": ("description",),
    "Invalid attendee email": ("attendees",),
}
"""What Google names as the culprit (a part of the request, a reason, a message) → our arguments.

Source: https://developers.google.com/workspace/calendar/api/guides/errors (`location` of an empty
range). The others are the names of the event's own fields, and the message about guests is not
documented: where Google says something else, nobody knows the culprit and nobody is asked.
"""


def _refuse(answer: HttpResponse, *, scope: str) -> NoReturn:
    reason = _reason(answer)
    if reason in _SCOPE_REASONS:
        message = "Google Calendar needs one more permission from you: connect it again."
        raise ReconnectRequiredError(message, provider=PROVIDER, missing_scopes=frozenset({scope}))
    if reason in _LIMIT_REASONS:
        raise RetryLaterError("Google Calendar is getting too many requests at the moment.")
    kind, message = _BY_REASON.get(reason) or _REJECTED.get(
        answer.status_code, ("rejected", "Google Calendar refused this. Try it there by hand.")
    )
    raise RejectedError(message, kind=kind, fields=_FIELDS.get(_culprit(answer) or reason, ()))


def _reason(answer: HttpResponse) -> str:
    """Return Google's code for a refusal; it is compared, never shown."""
    try:
        return str(answer.json()["error"]["errors"][0]["reason"])
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def _culprit(answer: HttpResponse) -> str:
    """Return what Google names, where it is a part of the request that we send; never shown."""
    try:
        one = answer.json()["error"]["errors"][0]
        named = str(one.get("location") or one.get("message")).split(".")[0]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""
    return named if named in _FIELDS else ""
