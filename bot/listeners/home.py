"""Home and who is who: a person opens the tab, uses the digest's settings, or changes profile."""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.presses import read_press
from bot.listeners.replies import settle, tell
from bot.listeners.services import Services
from bot.views import ids
from storage import outbox


@dataclass(frozen=True, slots=True)
class HomeListeners:
    services: Services

    def register(self, app: AsyncApp) -> None:
        app.event("app_home_opened")(self.handle_opened)
        app.event("user_change")(self.handle_profile_changed)
        app.action(ids.DIGEST_NOW)(self.handle_digest_wanted)
        app.action(ids.DIGEST_TIME)(self.handle_time_chosen)
        app.action(ids.DIGEST_TURN)(self.handle_digest_turned)

    async def handle_opened(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        """Publish the person's Home; from now on it is kept current."""
        if event.get("tab") != "home":
            return
        await self.services.digests.subscribe(
            team_id=str(context.team_id), person_id=str(event["user"])
        )
        async with self.services.database.transaction() as tx:
            await outbox.show(
                tx,
                team_id=str(context.team_id),
                noun="home",
                subject=str(event["user"]),
                channel_id=str(event["user"]),
                priority=2,
            )

    async def handle_profile_changed(
        self, event: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        """Keep what changed about somebody we know; the goals of who was deactivated end (S13)."""
        person = await self.services.people.refresh(str(context.team_id), event["user"])
        if person is not None and not person.is_active:
            await self.services.goals.person_left(person.team_id, person.person_id)

    async def handle_digest_wanted(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.digests.send_now(press.click)
        await ack()
        await tell(client, press, answer)

    async def handle_time_chosen(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.digests.set_time(
            press.click, hour_minute=press.value, weekdays=None
        )
        await ack()
        await settle(client, press, answer)

    async def handle_digest_turned(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        press = read_press(body)
        answer = await self.services.digests.turn(press.click, on=press.value == "on")
        await ack()
        await settle(client, press, answer)
