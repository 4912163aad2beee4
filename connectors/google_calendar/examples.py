"""Phrasings for the offline planner."""

from collections.abc import Mapping
from typing import Any

from connectors.actions import Example, Lookup, Slot

_FOUND = {"query": "{event}", "start": "{day.start}", "end": "{day.end}"}
_CHOSEN = {
    "event_id": Lookup("list_events", _FOUND, ("events", 0, "id")),
    "guests": Lookup("list_events", _FOUND, ("events", 0, "guests")),
}
_OF_DAY = {"start": "{day.start}", "end": "{day.end}"}
_EACH = {
    "event_id": Lookup("list_events", _OF_DAY, ("events", 0, "id"), every=True),
    "guests": Lookup("list_events", _OF_DAY, ("events", 0, "guests"), every=True),
}
_DAY: Mapping[str, Any] = {
    "slots": {"day": Slot.PERIOD},
    "fills": {"start": "{day.start}", "end": "{day.end}"},
    "asks": {"start": "For which day?", "end": "For which day?"},
}
_BOOK: Mapping[str, Any] = {
    "slots": {
        "title": Slot.TEXT,
        "attendees": Slot.EMAILS,
        "when": Slot.WHEN,
        "duration": Slot.DURATION,
        "location": Slot.TEXT,
    },
    "fills": {
        "title": "{title}",
        "start": "{when.start}",
        "end": "{when.end}",
        "zone": "{zone}",
        "attendees": "{attendees}",
    },
    "asks": {
        "start": "On which day and at what time should it start?",
        "end": "How long should it take?",
        "title": "What should it be called?",
    },
}
_BOOK_WORDS = "(book|schedule|set up|plan|arrange)"
"""Not create or add: "create a deal" would become an event called "Deal"."""
_EVENT_WORDS = "(event|meeting|appointment)"
_CANCEL_WORDS = "(cancel|delete|remove|call off)"
_CANCEL: Mapping[str, Any] = {
    "slots": {"event": Slot.TEXT, "day": Slot.PERIOD},
    "fills": _CHOSEN,
}

LIST_EVENTS = (
    Example(
        "(what's|what is|whats) on my calendar [{day}]",
        **_DAY,
        shown="What's on my calendar tomorrow?",
    ),
    Example(
        "(show|list) [me] (my|the) (calendar|events|meetings|appointments) [for|on|of] {day}",
        **_DAY,
    ),
    Example("(which|what) (meetings|events|appointments) do i have [{day}]", **_DAY),
    Example("do i have [any] (meetings|events|appointments) [{day}]", **_DAY),
    Example("what do i have [on] {day}", **_DAY),
)

CREATE_EVENT = (
    Example(
        f"{_BOOK_WORDS} [a|an|the] [new] {{duration}} {{title}}",
        **_BOOK,
        parts=("with {attendees}", "{when}"),
        shown="Book a 30 minute kickoff with jane.doe@acme.example next Tuesday at 10",
    ),
    Example(
        f"{_BOOK_WORDS} [a|an|the] [new] {{title}}",
        **_BOOK,
        parts=("with {attendees}", "{when}", "for {duration}"),
    ),
    Example(
        "(book|schedule|set up|plan|arrange|create|add) [a|an] [new] [{duration}] "
        "(meeting|event|appointment|call) (called|named|about|for) {title}",
        **_BOOK,
        parts=("with {attendees}", "{when}", "for {duration}"),
    ),
    Example(
        "(block|reserve|keep) [out] {duration}",
        **_BOOK,
        parts=("{when}", "(for|to work on) [the|a|an|my] {title}"),
        shown="Block an hour tomorrow at 9 for the report",
    ),
    Example(
        "(block|reserve|keep) {when}",
        **_BOOK,
        parts=("for [the|a|an|my] {title}", "for {duration}", "{when}"),
    ),
    Example(
        "invite {attendees} to [a|an|the] [{duration}] {title}",
        **_BOOK,
        parts=("{when}", "for {duration}"),
    ),
)

UPDATE_EVENT = (
    Example(
        "(move|reschedule|shift) [my|the] {event} [event|meeting|appointment] "
        "(on|of|from) {day} to {when}",
        slots={"event": Slot.TEXT, "day": Slot.PERIOD, "when": Slot.WHEN},
        fills={**_CHOSEN, "start": "{when.start}"},
        shown="Move the report event on Friday to Monday at 10",
    ),
    Example(
        f"rename [my|the] {{event}} {_EVENT_WORDS} [on|of] {{day}} to {{title}}",
        slots={"event": Slot.TEXT, "day": Slot.PERIOD, "title": Slot.TEXT},
        fills={**_CHOSEN, "title": "{title}"},
    ),
)

CANCEL_EVENT = (
    Example(
        f"{_CANCEL_WORDS} [my|the] {{event}} {_EVENT_WORDS} [on|of] {{day}}",
        **_CANCEL,
        shown="Cancel the kickoff event on Friday",
    ),
    Example(f"{_CANCEL_WORDS} [my|the] {{event}} on {{day}}", **_CANCEL),
    Example(
        f"{_CANCEL_WORDS} all [of] (my|the) (events|meetings|appointments) [on|of] {{day}}",
        slots={"day": Slot.PERIOD},
        fills=_EACH,
        shown="Cancel all my meetings on Friday",
    ),
)
