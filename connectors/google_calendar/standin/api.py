import zlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.google_calendar.standin import errors
from connectors.google_calendar.standin.calendar import CalendarBook
from connectors.google_calendar.standin.events import Event, EventBody, shown
from connectors.google_calendar.standin.freebusy import FreeBusyBody, busy
from connectors.google_calendar.standin.listing import page_token, read_listing, select, sync_token
from connectors.google_calendar.standin.mails import Updates
from connectors.google_calendar.standin.times import read_bound, utc_text
from connectors.google_calendar.standin.vendor import AUTH
from connectors.standin.app import Base
from connectors.standin.config import Account
from connectors.standin.gate import note_key


def _scopes(*names: str) -> tuple[str, ...]:
    return tuple(f"{AUTH}{name}" for name in names)


# Source: the discovery document (revision 20261030), the methods' scopes. Those that the
# stand-in does not offer are left out.
_WRITE = _scopes("calendar", "calendar.events", "calendar.events.owned")
READ = _WRITE + _scopes(
    "calendar.readonly", "calendar.events.readonly", "calendar.events.owned.readonly"
)
_OTHERS_BUSY = _scopes("calendar", "calendar.readonly", "calendar.events.freebusy")
_OWN_BUSY = _scopes("calendar.freebusy")
_CALENDAR = _scopes("calendar", "calendar.readonly", "calendar.calendars.readonly")
_WHO = ("openid", *_scopes("userinfo.email"))


class CalendarRoutes:
    """The Calendar API v3: events, one calendar's data, free-busy; and OpenID's userinfo."""

    def __init__(self, base: Base, book: CalendarBook) -> None:
        self._base = base
        self._book = book

    def routes(self) -> list[BaseRoute]:
        calendar = "/calendar/v3/calendars/{calendar}"
        events, one = calendar + "/events", calendar + "/events/{id}"
        return [
            Route(calendar, self.handle_calendar_read, methods=["GET"]),
            Route(events, self.handle_events_listed, methods=["GET"]),
            Route(events, self.handle_event_inserted, methods=["POST"]),
            Route(one, self.handle_event_read, methods=["GET"]),
            Route(one, self.handle_event_changed, methods=["PATCH", "PUT"]),
            Route(one, self.handle_event_deleted, methods=["DELETE"]),
            Route("/calendar/v3/freeBusy", self.handle_busy_asked, methods=["POST"]),
            Route("/oauth2/v3/userinfo", self.handle_userinfo_asked, methods=["GET"]),
        ]

    async def handle_calendar_read(self, request: Request) -> Response:
        who = self._owner(request, _CALENDAR)
        answer = {
            "kind": "calendar#calendar",
            "etag": '"1"',
            "id": who.email,
            "summary": who.email,
            "timeZone": who.time_zone,
        }
        return JSONResponse(answer)

    async def handle_events_listed(self, request: Request) -> Response:
        who = self._owner(request, READ)
        generation = self._book.generation()
        listing = read_listing(request.query_params, generation=generation)
        seen = self._book.list_seen(who)
        found = select(seen, listing, zone=who.time_zone)
        page = found[listing.first : listing.first + listing.size]
        answer: dict[str, Any] = {
            "kind": "calendar#events",
            "summary": who.email,
            "timeZone": who.time_zone,
            "accessRole": "owner",
            "defaultReminders": [],
            "items": [self._shown(event, who) for event in page],
        }
        if listing.first + listing.size < len(found):
            answer["nextPageToken"] = page_token(listing.first + listing.size)
        elif token := sync_token(listing, seen, generation=generation):
            answer["nextSyncToken"] = token
        return JSONResponse(answer)

    async def handle_event_read(self, request: Request) -> Response:
        who = self._owner(request, READ)
        return self._answer(self._book.get(who, request.path_params["id"]), who)

    async def handle_event_inserted(self, request: Request) -> Response:
        who = self._owner(request, _WRITE)
        updates = _updates(request)
        body = await self._base.gate.read_json(request, EventBody)
        if body.id is not None:
            note_key(request, f"id={body.id}")
        with self._base.store.transaction():
            event = self._book.insert(who, body, updates=updates)
        return self._answer(event, who)

    async def handle_event_changed(self, request: Request) -> Response:
        who = self._owner(request, _WRITE)
        updates, match = _updates(request), request.headers.get("if-match")
        body = await self._base.gate.read_json(request, EventBody)
        write = self._book.patch if request.method == "PATCH" else self._book.update
        with self._base.store.transaction():
            event = write(who, request.path_params["id"], body, match=match, updates=updates)
        return self._answer(event, who)

    async def handle_event_deleted(self, request: Request) -> Response:
        who = self._owner(request, _WRITE)
        updates, match = _updates(request), request.headers.get("if-match")
        with self._base.store.transaction():
            self._book.delete(who, request.path_params["id"], match=match, updates=updates)
        return Response(status_code=204)

    async def handle_busy_asked(self, request: Request) -> Response:
        """Answer when people are busy; `calendar.freebusy` alone shows the own calendar only."""
        caller = self._base.gate.admit(request, *_OTHERS_BUSY, *_OWN_BUSY)
        body = await self._base.gate.read_json(request, FreeBusyBody)
        time_min = read_bound(body.timeMin, parameter="timeMin")
        time_max = read_bound(body.timeMax, parameter="timeMax")
        assert time_min is not None, "given in the body"
        assert time_max is not None, "given in the body"
        if time_min >= time_max:
            raise errors.empty_range()
        sees_others = bool(set(caller.scopes) & set(_OTHERS_BUSY))
        calendars: dict[str, Any] = {}
        for item in body.items:
            who = self._person(item.id, caller.account)
            if who is None or not (sees_others or who == caller.account):
                calendars[item.id] = {"errors": [{"domain": "global", "reason": "notFound"}]}
                continue
            events = self._book.list_seen(who)
            calendars[item.id] = {"busy": busy(events, who, time_min=time_min, time_max=time_max)}
        bounds = {"timeMin": utc_text(time_min), "timeMax": utc_text(time_max)}
        return JSONResponse({"kind": "calendar#freeBusy", **bounds, "calendars": calendars})

    async def handle_userinfo_asked(self, request: Request) -> Response:
        caller = self._base.gate.admit(request, *_WHO)
        account = caller.account
        answer: dict[str, Any] = {"sub": str(10**20 + zlib.crc32(account.email.encode()))}
        if f"{AUTH}userinfo.email" in caller.scopes:
            answer |= {"email": account.email, "email_verified": True}
        if f"{AUTH}userinfo.profile" in caller.scopes:
            answer["name"] = account.name
        return JSONResponse(answer)

    def _owner(self, request: Request, any_of: tuple[str, ...]) -> Account:
        """Return who calls, if the calendar in the path is theirs; no other is shared."""
        caller = self._base.gate.admit(request, *any_of)
        if self._person(request.path_params["calendar"], caller.account) != caller.account:
            raise errors.not_found()
        return caller.account

    def _person(self, calendar: str, caller: Account) -> Account | None:
        return caller if calendar == "primary" else self._base.config.find_account(calendar)

    def _shown(self, event: Event, viewer: Account) -> dict[str, Any]:
        organizer = self._base.config.find_account(event.organizer) or viewer
        base_url = self._base.config.base_url
        return shown(event, viewer=viewer, organizer=organizer, base_url=base_url)

    def _answer(self, event: Event, viewer: Account) -> Response:
        return JSONResponse(self._shown(event, viewer), headers={"ETag": event.etag})


def _updates(request: Request) -> Updates:
    """Return who is to be mailed; nobody, if the request does not say."""
    value = request.query_params.get("sendUpdates", Updates.NONE)
    if value not in set(Updates):
        raise errors.invalid("Invalid value", parameter="sendUpdates")
    return Updates(value)
