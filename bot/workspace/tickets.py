"""Trigger ids and response URLs: short-lived rights that an interaction hands to the bot."""

import secrets
import time
from dataclasses import dataclass, field

from bot.workspace.errors import RefusedError

MAX_RESPONSES = 5
"""Uses of one response_url.

Source: https://docs.slack.dev/interactivity/handling-user-interaction (5 times in 30 minutes)."""


@dataclass(slots=True)
class _Trigger:
    user_id: str
    expires_at: float
    used: bool = False


@dataclass(slots=True)
class ResponseTicket:
    """What a response_url may write to."""

    user_id: str
    channel_id: str
    message_ts: str | None
    thread_ts: str | None
    expires_at: float
    uses: int = 0


@dataclass(slots=True)
class Tickets:
    """Mints and redeems both; they live in memory, as they outlive no session."""

    trigger_ttl_s: float
    response_url_ttl_s: float
    _triggers: dict[str, _Trigger] = field(default_factory=dict)
    _responses: dict[str, ResponseTicket] = field(default_factory=dict)

    def mint_trigger(self, user_id: str) -> str:
        """Return a trigger_id for this person, good once and for a few seconds."""
        trigger_id = f"{time.time_ns() // 1000}.{secrets.randbelow(10**9)}.{secrets.token_hex(12)}"
        expires_at = time.monotonic() + self.trigger_ttl_s
        self._triggers[trigger_id] = _Trigger(user_id=user_id, expires_at=expires_at)
        return trigger_id

    def redeem_trigger(self, trigger_id: str) -> str:
        """Use the trigger up and return whose it is.

        Raises:
            RefusedError: The trigger is unknown, used or too old.
        """
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise RefusedError("invalid_trigger_id")
        if trigger.used:
            raise RefusedError("exchanged_trigger_id")
        if time.monotonic() > trigger.expires_at:
            raise RefusedError("expired_trigger_id")
        trigger.used = True
        return trigger.user_id

    def mint_response(
        self,
        *,
        user_id: str,
        channel_id: str,
        message_ts: str | None = None,
        thread_ts: str | None = None,
    ) -> str:
        """Return the secret path of a new response_url."""
        secret = secrets.token_urlsafe(18)
        self._responses[secret] = ResponseTicket(
            user_id=user_id,
            channel_id=channel_id,
            message_ts=message_ts,
            thread_ts=thread_ts,
            expires_at=time.monotonic() + self.response_url_ttl_s,
        )
        return secret

    def redeem_response(self, secret: str) -> ResponseTicket:
        """Count one use and return what the response_url may write to.

        Raises:
            RefusedError: `expired_url` for an unknown or old one, `used_url` after five uses.
        """
        ticket = self._responses.get(secret)
        if ticket is None or time.monotonic() > ticket.expires_at:
            raise RefusedError("expired_url")
        if ticket.uses >= MAX_RESPONSES:
            raise RefusedError("used_url")
        ticket.uses += 1
        return ticket
