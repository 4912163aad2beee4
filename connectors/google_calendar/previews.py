"""What cards say about the calendar's actions: pure functions of the frozen call (S17)."""

from zoneinfo import ZoneInfo

from connectors.actions import Detail, Preview, PreviewContext
from connectors.google_calendar.schemas import (
    ChosenEvent,
    EventAsBefore,
    EventChange,
    EventQuery,
    NewEvent,
    Snapshot,
)
from connectors.google_calendar.when import is_same_time, new_span, span_text, zone_of


def preview_query(query: EventQuery, context: PreviewContext) -> Preview:
    when = span_text(query.start.isoformat(), query.end.isoformat(), zone=context.zone)
    about = f" for “{query.query}”" if query.query else ""
    return Preview(f"Look into your calendar{about}, {when}")


def preview_new(event: NewEvent, context: PreviewContext) -> Preview:
    """Return the sentence in the event's own zone, and in the person's where that differs."""
    start, end = event.start.isoformat(), event.end.isoformat()
    when = span_text(start, end, zone=ZoneInfo(event.zone))
    sentence = f"Put “{event.title}” into your calendar, {when}"
    if event.attendees:
        sentence = f"Invite {_listed(event.attendees)} to “{event.title}”, {when}"
    details = [
        Detail("Title", event.title, pointer="/title"),
        Detail("When", _full(start, end, event.zone, context), pointer="/start"),
        *_own_time(start, end, event.zone, context),
        *(
            Detail("Guest", address, pointer=f"/attendees/{index}")
            for index, address in enumerate(event.attendees)
        ),
    ]
    for name, value, pointer in (
        ("Place", event.location, "/location"),
        ("Notes", event.description, "/description"),
    ):
        details += [Detail(name, value, pointer=pointer)] if value else []
    return Preview(sentence, tuple(details), _mailed(event.attendees))


def preview_change(change: EventChange, context: PreviewContext) -> Preview:
    """Return what becomes of an event, with what each changed field is today."""
    before = _before(context)
    if before is None:
        return _early_change(change, context)
    zone = zone_of(before.zone, otherwise=context.zone)
    today = span_text(before.start, before.end, zone=zone)
    span = new_span(change, before)
    details: list[Detail] = []
    if span is not None:
        pointer = "/start" if change.start is not None else "/end"
        value = _full(*span, before.zone, context)
        old = _full(before.start, before.end, before.zone, context)
        details += [Detail("When", value, old, pointer), *_own_time(*span, before.zone, context)]
    for name, new, earlier, pointer in (
        ("Title", change.title, before.title, "/title"),
        ("Place", change.location, before.location, "/location"),
        ("Notes", change.description, before.description, "/description"),
    ):
        details += [Detail(name, new, earlier or "nothing", pointer)] if new is not None else []
    changed = {detail.name for detail in details if detail.before is not None}
    if changed == {"When"} and span is not None:
        sentence = f"Move “{_title(before)}” from {today} to {span_text(*span, zone=zone)}"
    elif changed == {"Title"}:
        sentence = f"Rename “{_title(before)}”, {today}, to “{change.title}”"
    else:
        names = _listed(
            [name.lower() for name in ("When", "Title", "Place", "Notes") if name in changed]
        )
        sentence = f"Change {names} of “{_title(before)}”, {today}"
    return Preview(sentence, (*details, *_guests(before)), _mailed(before.guests))


def preview_cancel(chosen: ChosenEvent, context: PreviewContext) -> Preview:
    before = _before(context)
    if before is None:
        return Preview(f"Cancel {_named(context)}", notifies=_expected(chosen))
    today = span_text(before.start, before.end, zone=zone_of(before.zone, otherwise=context.zone))
    old = _full(before.start, before.end, before.zone, context)
    details = (Detail("When", old), *_guests(before))
    return Preview(f"Cancel “{_title(before)}”, {today}", details, _mailed(before.guests))


def preview_restore(wanted: EventAsBefore, context: PreviewContext) -> Preview:
    """Return what is put back, with what it is today."""
    zone = zone_of(wanted.zone, otherwise=context.zone)
    title = wanted.title or "(no title)"
    sentence = f"Put “{title}” back as it was: {span_text(wanted.start, wanted.end, zone=zone)}"
    before = _before(context)
    if before is None:
        return Preview(sentence, notifies=_expected(wanted))
    details = []
    if before.status != wanted.status:
        details.append(Detail("Status", wanted.status, before.status, "/status"))
    if not (is_same_time(wanted.start, before.start) and is_same_time(wanted.end, before.end)):
        value = _full(wanted.start, wanted.end, wanted.zone, context)
        old = _full(before.start, before.end, before.zone, context)
        details.append(Detail("When", value, old, "/start"))
    for name, new, earlier, pointer in (
        ("Title", wanted.title, before.title, "/title"),
        ("Place", wanted.location, before.location, "/location"),
        ("Notes", wanted.description, before.description, "/description"),
    ):
        if new != earlier:
            details.append(Detail(name, new or "nothing", earlier or "nothing", pointer))
    return Preview(sentence, (*details, *_guests(before)), _mailed(before.guests))


def _early_change(change: EventChange, context: PreviewContext) -> Preview:
    """Return what is known before the event was read."""
    details = []
    for name, value, pointer in (
        ("Start", change.start, "/start"),
        ("End", change.end, "/end"),
    ):
        if value is not None:
            local = value.astimezone(context.zone)
            text = f"{local:%a} {local.day} {local:%b %Y %H:%M}"
            details.append(Detail(name, text, pointer=pointer))
    for name, text_value, pointer in (
        ("Title", change.title, "/title"),
        ("Place", change.location, "/location"),
        ("Notes", change.description, "/description"),
    ):
        details += [Detail(name, text_value, pointer=pointer)] if text_value else []
    return Preview(f"Change {_named(context)}", tuple(details), _expected(change))


def _named(context: PreviewContext) -> str:
    """Return the event by the title that an earlier step found."""
    title = context.names.get("event_id")
    return f"“{title}”" if title else "the chosen event"


def _before(context: PreviewContext) -> Snapshot | None:
    return None if context.before is None else Snapshot.model_validate(context.before)


def _title(before: Snapshot) -> str:
    return before.title or "(no title)"


def _full(start: str, end: str, zone: str, context: PreviewContext) -> str:
    return span_text(start, end, zone=zone_of(zone, otherwise=context.zone), with_year=True)


def _own_time(start: str, end: str, zone: str, context: PreviewContext) -> tuple[Detail, ...]:
    """Return the span in the person's zone where the event's own clock shows another time."""
    there = span_text(start, end, zone=zone_of(zone, otherwise=context.zone))
    here = span_text(start, end, zone=context.zone)
    return () if here == there else (Detail("In your time zone", here),)


def _guests(before: Snapshot) -> tuple[Detail, ...]:
    return tuple(Detail("Guest", address) for address in before.guests)


def _mailed(addresses: list[str]) -> str | None:
    return f"Google Calendar mails {_listed(addresses)}" if addresses else None


def _expected(chosen: ChosenEvent) -> str | None:
    """Return who is notified as far as it is known before the event was read."""
    if chosen.guests is None:
        return "Google Calendar mails its guests, if it has any"
    return _mailed(chosen.guests)


def _listed(words: list[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
