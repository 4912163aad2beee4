"""Messages to us: in direct messages, and mentions in channels."""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from bot.goals.messages import IncomingMessage
from bot.listeners.services import Services
from bot.listeners.wording import plain_words, without_mention

_WRITTEN = frozenset({None, "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages that a person wrote; all others are notices, echoes and deletions."""


@dataclass(frozen=True, slots=True)
class MessageListeners:
    """Hands each message to the goals; events may come twice, so they only hand it over."""

    services: Services

    def register(self, app: AsyncApp) -> None:
        app.event("message")(self.handle_message)
        app.event("app_mention")(self.handle_mention)

    async def handle_message(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        """Take a direct message, its correction or deletion; other talk is not for us."""
        if event.get("channel_type") != "im":
            return
        if event.get("subtype") == "message_changed":
            await self._edited(event, context)
        elif event.get("subtype") == "message_deleted":
            await self.services.goals.message_deleted(
                str(context.team_id), str(event["channel"]), str(event.get("deleted_ts") or "")
            )
        elif event.get("subtype") in _WRITTEN:
            await self._receive(event, context, is_dm=True)

    async def handle_mention(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        """Take a message in a channel that mentions us."""
        if event.get("subtype") in _WRITTEN and "edited" not in event:
            is_dm = str(event["channel"]).startswith("D")
            await self._receive(event, context, is_dm=is_dm)

    async def _edited(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        """Pass on a correction; Slack also sends one when it only unfurls a link."""
        changed, before = event["message"], event.get("previous_message") or {}
        is_written = changed.get("user") and changed.get("subtype") in _WRITTEN
        if changed.get("text") == before.get("text") or not is_written:
            return
        message = {**changed, "channel": event["channel"]}
        await self._receive(message, context, is_dm=True, is_edited=True)

    async def _receive(
        self,
        message: dict[str, Any],
        context: AsyncBoltContext,
        *,
        is_dm: bool,
        is_edited: bool = False,
    ) -> None:
        team_id, person_id = str(context.team_id), str(message["user"])
        said = without_mention(str(message.get("text") or ""), str(context.bot_user_id))

        async def name_of(mentioned_id: str) -> str:
            person = await self.services.people.get(team_id, mentioned_id)
            return person.email or person.name

        await self.services.goals.receive(
            IncomingMessage(
                team_id=team_id,
                person_id=person_id,
                channel_id=str(message["channel"]),
                ts=str(message["ts"]),
                thread_ts=message.get("thread_ts"),
                text=await plain_words(said, name_of=name_of),
                is_dm=is_dm,
                has_files=bool(message.get("files")),
                is_edited=is_edited,
            )
        )
