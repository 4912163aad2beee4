"""What a look sees of an event, and what the stand-in refuses of a channel."""

from typing import Any

import pytest

from connectors.errors import RejectedError
from connectors.events import ChannelWanted, Cursor, Sought
from connectors.google_calendar.actions import CONNECTOR, CREATE_EVENT
from connectors.google_calendar.client import READ_SCOPE, WRITE_SCOPE, CalendarClient
from connectors.google_calendar.events import (
    check_answered,
    check_changed,
    poll_events,
    unwatch_events,
    watch_events,
)
from tests.connectors.google_calendar.test_contract import ALONE, EVENTS, JANE
from tests.connectors.stage import Stage, open_stage
from tests.connectors.standins import CLIENT_SECRET, Running

BOB = "bob@globex.example"
HERE = "http://127.0.0.1:9/in"
"""Nobody listens there."""


async def patch(stage: Stage, event_id: str, **body: Any) -> None:
    answer = await stage.context.http.request("PATCH", f"{EVENTS}/{event_id}", json=body)
    assert answer.status_code == 200


async def answers(stage: Stage, event_id: str, *given: str) -> None:
    """Let Jane and Bob answer."""
    guests = [
        {"email": email, "responseStatus": answer}
        for email, answer in zip((JANE, BOB), given, strict=True)
    ]
    await patch(stage, event_id, attendees=guests)


async def test_every_guest_has_answered_once_nobody_is_missing(google: Running) -> None:
    """A no and a maybe are answers; one that is missing keeps the wait."""
    manifest = CONNECTOR.manifest
    assert manifest is not None
    async with open_stage(google, manifest, WRITE_SCOPE) as stage:
        made = await stage.run(CREATE_EVENT, {**ALONE, "attendees": [JANE, BOB]})
        sought = Sought(made.id, None, None)
        for given, happened in (
            (("needsAction", "needsAction"), False),
            (("accepted", "needsAction"), False),
            (("declined", "tentative"), True),
        ):
            await answers(stage, made.id, *given)
            assert (await check_answered(stage.context, sought)).happened is happened
        await patch(stage, made.id, status="cancelled")
        with pytest.raises(RejectedError, match="cancelled"):
            await check_answered(stage.context, sought)


async def test_answer_of_a_guest_is_no_change_of_the_event(google: Running) -> None:
    """Who waits for a change is not called because somebody accepts."""
    manifest = CONNECTOR.manifest
    assert manifest is not None
    async with open_stage(google, manifest, WRITE_SCOPE) as stage:
        made = await stage.run(CREATE_EVENT, {**ALONE, "attendees": [JANE, BOB]})
        first = await check_changed(stage.context, Sought(made.id, None, None))
        await answers(stage, made.id, "accepted", "declined")
        later = Sought(made.id, None, first.cursor)
        assert not (await check_changed(stage.context, later)).happened
        await patch(stage, made.id, location="Room 2")
        assert (await check_changed(stage.context, later)).happened


async def test_sync_token_that_was_forgotten_begins_anew(google: Running) -> None:
    """410: everything that is waited for is looked at, and the next poll has a new token."""
    manifest = CONNECTOR.manifest
    assert manifest is not None
    async with open_stage(google, manifest, READ_SCOPE) as stage:
        first = await poll_events(stage.context, None)
        expired: Cursor = {"token": str(first.cursor["token"]).replace("sync-", "sync-0")}
        found = await poll_events(stage.context, expired)
        assert found.subjects is None
        assert (await poll_events(stage.context, found.cursor)).subjects == frozenset()


async def test_channel_that_google_would_refuse_is_refused(google: Running) -> None:
    """No TLS, an id that was used, a channel that is closed already: as the vendor answers."""
    manifest = CONNECTOR.manifest
    assert manifest is not None
    async with open_stage(google, manifest, READ_SCOPE) as stage:
        wanted = ChannelWanted("a-channel-of-dana", "http://x.example/in", CLIENT_SECRET)
        with pytest.raises(RejectedError):
            await watch_events(stage.context, wanted)
        channel = await watch_events(
            stage.context, ChannelWanted("a-channel-of-dana", HERE, CLIENT_SECRET)
        )
        assert channel.expires_at is not None
        with pytest.raises(RejectedError):
            await watch_events(
                stage.context, ChannelWanted("a-channel-of-dana", HERE, CLIENT_SECRET)
            )
        await unwatch_events(stage.context, channel.handle)
        # Closed already is as good as closed.
        await unwatch_events(stage.context, channel.handle)
        resource = str(channel.handle["resource"])
        await CalendarClient(stage.context.http).stop_channel(channel_id="x", resource=resource)
