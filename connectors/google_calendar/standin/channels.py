"""Push channels: whoever watches a calendar is told, by headers alone, that something changed.

Source: https://developers.google.com/workspace/calendar/api/guides/push
"""

import zlib
from collections.abc import Collection
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field

from connectors.google_calendar.standin import errors
from connectors.standin.config import Account
from connectors.standin.store import Shelf, Store
from connectors.standin.webhooks import Webhooks, now_ms

MAX_LIFE_S = 604_800
"""Source: https://developers.google.com/workspace/calendar/api/v3/reference/events/watch"""

_LOOPBACK = ("127.0.0.1", "localhost")


class ChannelBody(BaseModel):
    """What is asked for. Source: the discovery document, schemas.Channel."""

    id: str = Field(pattern=r"^[A-Za-z0-9\-_+/=]{1,64}$")
    type: Literal["web_hook", "webhook"]
    address: str
    token: str | None = Field(None, max_length=256)
    params: dict[str, str] = {}


class StopBody(BaseModel):
    id: str
    resourceId: str  # noqa: N815 -- the vendor's name


class Channel(BaseModel):
    """An open channel."""

    id: str
    owner: str
    address: str
    token: str | None
    resource_id: str
    expires_ms: int
    is_stopped: bool = False

    def shown(self) -> dict[str, str]:
        """Return it as the vendor answers."""
        shown = {
            "kind": "api#channel",
            "id": self.id,
            "resourceId": self.resource_id,
            "resourceUri": f"https://www.googleapis.com/calendar/v3/calendars/{self.owner}/events",
            "expiration": str(self.expires_ms),
        }
        return shown if self.token is None else {**shown, "token": self.token}


class Channels:
    """All channels; messages are sent in the background."""

    def __init__(self, store: Store, webhooks: Webhooks) -> None:
        self._store = store
        self._shelf = Shelf(store, Channel, kind="channel")
        self._webhooks = webhooks

    def open(self, owner: Account, body: ChannelBody) -> Channel:
        """Open a channel and send its handshake.

        Raises:
            RefusedError: The id was used before, or the address is not one of https. Loopback may
                do without, which the vendor could not reach.
        """
        address = urlsplit(body.address)
        if address.scheme != "https" and address.hostname not in _LOOPBACK:
            message = f"WebHook callback must be HTTPS: {body.address}"
            raise errors.error(400, "push.webhookUrlNotHttps", message)
        if self._shelf.find(body.id) is not None:
            message = f"Channel id {body.id} not unique"
            raise errors.error(400, "channelIdNotUnique", message)
        ttl = body.params.get("ttl", "")
        life_s = min(int(ttl[:9]) if ttl.isdecimal() else MAX_LIFE_S, MAX_LIFE_S)
        channel = Channel(
            id=body.id,
            owner=owner.email,
            address=body.address,
            token=body.token,
            resource_id=f"standin{zlib.crc32(owner.email.encode())}",
            expires_ms=now_ms() + life_s * 1000,
        )
        self._shelf.put(channel.id, channel)
        self._post(channel, "sync")
        return channel

    def stop(self, owner: Account, body: StopBody) -> None:
        """Send nothing more on a channel.

        Raises:
            RefusedError: There is no such channel.
        """
        channel = self._shelf.find(body.id)
        given = (owner.email, body.resourceId, False)
        if channel is None or (channel.owner, channel.resource_id, channel.is_stopped) != given:
            message = f"Channel '{body.id}' not found for project"
            raise errors.error(404, "notFound", message)
        self._shelf.put(channel.id, channel.model_copy(update={"is_stopped": True}))

    def tell(self, owners: Collection[str]) -> None:
        """Tell whoever watches one of these calendars that something in it changed."""
        now = now_ms()
        for channel in self._shelf.list_():
            if channel.owner in owners and not channel.is_stopped and channel.expires_ms > now:
                self._post(channel, "exists")

    def _post(self, channel: Channel, state: str) -> None:
        """Send a message; its number grows, though not always by one."""
        number = self._store.count(f"messages of channel {channel.id}", first=1)
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Message-Number": str(number),
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-State": state,
            "X-Goog-Resource-URI": channel.shown()["resourceUri"],
        }
        if channel.token is not None:
            headers["X-Goog-Channel-Token"] = channel.token
        self._webhooks.post(channel.address, lambda _attempt: (b"", headers))
