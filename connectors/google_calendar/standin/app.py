from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.google_calendar.standin.api import CalendarRoutes
from connectors.google_calendar.standin.calendar import CalendarBook
from connectors.google_calendar.standin.channel_routes import ChannelRoutes
from connectors.google_calendar.standin.channels import Channels
from connectors.google_calendar.standin.events import Event, link_id, read_link_id
from connectors.google_calendar.standin.mails import Outbox
from connectors.google_calendar.standin.seeds import seed
from connectors.google_calendar.standin.vendor import GoogleVendor
from connectors.standin.app import Base, build_app
from connectors.standin.config import StandinConfig
from connectors.standin.pages import Row


def build_standin(config: StandinConfig) -> Starlette:
    """Return Google's stand-in, with yesterday's data or, the first time, the demo's."""
    return build_app(config, GoogleVendor(), make_service=GoogleService)


class GoogleService:
    """Everybody's primary calendar, its API and its pages."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._outbox = Outbox(base.config, base.store)
        self._channels = Channels(base.store, base.webhooks)
        self._book = CalendarBook(base.store, outbox=self._outbox, channels=self._channels)

    def seed(self) -> None:
        seed(self._book, self._base.config.accounts)

    def snapshot(self) -> Mapping[str, object]:
        """Return all events, cancelled ones too, and how many mails went out."""
        events = [
            event.model_dump(exclude_none=True) | {"etag": event.etag}
            for event in self._book.list_()
        ]
        return {"events": events, "mails": len(self._outbox.list_())}

    def routes(self) -> list[BaseRoute]:
        return [
            *CalendarRoutes(self._base, self._book).routes(),
            *ChannelRoutes(self._base, self._channels).routes(),
            Route("/", self.handle_home_opened, methods=["GET"]),
            Route("/calendar/event", self.handle_event_opened, methods=["GET"]),
            Route("/_control/mails", self.handle_mails_asked, methods=["GET"]),
        ]

    async def handle_mails_asked(self, _request: Request) -> Response:
        return JSONResponse({"mails": [mail.model_dump() for mail in self._outbox.list_()]})

    async def handle_home_opened(self, _request: Request) -> Response:
        sections = {
            account.name: [
                Row(_when(event), _title(event), href=_path(event))
                for event in self._book.list_()
                if event.organizer == account.email and not event.is_cancelled
            ]
            for account in self._base.config.accounts
        }
        sections["Mails that guests would have got"] = [
            Row(mail.to, mail.subject) for mail in self._outbox.list_()
        ]
        return self._base.pages.table("Northwind's calendars", sections)

    async def handle_event_opened(self, request: Request) -> Response:
        """Show one event, as `htmlLink` promises."""
        key = read_link_id(request.query_params.get("eid", ""))
        viewer = None if key is None else self._base.config.find_account(key[1])
        events = [] if viewer is None else self._book.list_seen(viewer)
        event = next((e for e in events if key is not None and e.id == key[0]), None)
        if event is None:
            return self._base.pages.message("No such event", "It never existed.", status=404)
        rows = [Row("When", _when(event)), Row("Organizer", event.organizer)]
        for label, value in (("Where", event.body.location), ("Notes", event.body.description)):
            rows += [Row(label, value)] if value else []
        guests = [Row(one.email, one.responseStatus) for one in event.guests().values()]
        note = "Cancelled." if event.is_cancelled else ""
        sections = {"Event": rows, "Guests": guests}
        return self._base.pages.table(_title(event), sections, note=note)


def _title(event: Event) -> str:
    return event.body.summary or "(No title)"


def _path(event: Event) -> str:
    return f"/calendar/event?eid={link_id(event.id, event.organizer)}"


def _when(event: Event) -> str:
    """Return the span in the event's own zone, for a person."""
    assert event.body.start is not None, "checked when written"
    if event.body.start.date is not None:
        return f"{event.body.start.date}, all day"
    start, end = event.span(zone="UTC")
    last = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%a %d %b %H:%M}"
    return f"{start:%a %d %b %Y %H:%M} – {last} ({event.body.start.timeZone})"  # noqa: RUF001 -- an en dash spans
