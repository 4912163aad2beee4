"""What can be waited for in HubSpot: a deal reaches a stage, or is changed at all."""

from datetime import datetime

from connectors.actions import ReadContext
from connectors.events import Changes, Cursor, Event, Seen, Sought, Stream
from connectors.hubspot.client import MODIFIED, HubSpotClient
from connectors.hubspot.records import stage_name
from connectors.hubspot.schemas import STAGES
from connectors.hubspot.wire import PROVIDER, Record

_READ_DEALS = frozenset({"crm.objects.deals.read"})
_WATCHED = ("dealname", "amount", "dealstage", "closedate", "deal_currency_code", "description")
"""What a person sees of a deal. HubSpot touches computed properties by itself at any time."""

_OVERLAP_MS = 60_000
"""Search lags behind by seconds, so each poll looks back a little; a hint twice does no harm.

Source: https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
"""


async def poll_deals(context: ReadContext, cursor: Cursor | None) -> Changes:
    """Return the deals that were modified since the last poll, by HubSpot's own clock.

    More than fit on a page count as "look at everything": that many at once are an import.
    """
    since_ms = None if cursor is None else int(str(cursor["since_ms"]))
    found = await HubSpotClient(context.http).list_modified("deals", since_ms=since_ms)
    newest = max((_modified_ms(record) for record in found.results), default=0)
    following: Cursor = {"since_ms": max(newest - _OVERLAP_MS, since_ms or 0)}
    if since_ms is None:
        return Changes(frozenset(), following)
    known = frozenset(record.id for record in found.results)
    return Changes(known if len(known) >= found.total else None, following)


async def check_stage(context: ReadContext, sought: Sought) -> Seen:
    """Whether the deal is in the stage now; one that passed through between two looks is missed.

    "Won" and "lost" are what people call the two stages that close a deal.
    """
    deal = await _deal(context, sought.subject)
    stage = deal.read("dealstage") or ""
    wanted = (sought.value or "").strip().casefold()
    name = (stage_name(stage) or "").casefold()
    return Seen(wanted in {stage.casefold(), name, name.removeprefix("closed ")}, {"stage": stage})


async def check_changed(context: ReadContext, sought: Sought) -> Seen:
    """Whether a person would see something else than at the first look, which remembers it."""
    deal = await _deal(context, sought.subject)
    shown: Cursor = {name: deal.read(name) for name in _WATCHED}
    before = sought.cursor or shown
    return Seen(before != shown, before)


async def _deal(context: ReadContext, deal_id: str) -> Record:
    return await HubSpotClient(context.http).get("deals", deal_id, properties=_WATCHED)


def _modified_ms(record: Record) -> int:
    stamp = record.read(MODIFIED)
    return int(datetime.fromisoformat(stamp).timestamp() * 1000) if stamp else 0


def _stage_words(stage: str | None) -> str:
    return f"the deal is in the stage {STAGES.get(stage or '', stage)}"


DEALS = Stream(name="deals", scopes=_READ_DEALS, poll=poll_deals)

DEAL_REACHES_STAGE = Event(
    connector=PROVIDER,
    name="deal_reaches_stage",
    summary=f"A deal reaches a stage, such as {', '.join(list(STAGES.values())[-3:])}",
    subject="hubspot.deal",
    words=_stage_words,
    value="stage",
    stream=DEALS.name,
    scopes=_READ_DEALS,
    check=check_stage,
)

DEAL_CHANGES = Event(
    connector=PROVIDER,
    name="deal_changes",
    summary="Somebody changes a deal: its name, amount, stage, close date or description",
    subject="hubspot.deal",
    words=lambda _value: "the deal is changed",
    stream=DEALS.name,
    scopes=_READ_DEALS,
    check=check_changed,
)

EVENTS = (DEAL_REACHES_STAGE, DEAL_CHANGES)
STREAMS = (DEALS,)
