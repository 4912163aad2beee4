"""HubSpot's webhooks: one address for the whole app, signed with the app's client secret.

Source: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
and https://developers.hubspot.com/docs/api-reference/latest/webhooks/guide
"""

import base64
import hashlib
import hmac

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from connectors.events import Delivery, Hint, HookRefusedError

MAX_AGE_S = 300
_LONGEST_TIMESTAMP = 20
_DEALS = "0-3"
"""The object type of deals in the notifications of the newer platform."""


class _Notification(BaseModel):
    model_config = ConfigDict(extra="ignore")

    eventId: int  # noqa: N815 -- the vendor's name
    subscriptionType: str = Field(max_length=100)  # noqa: N815 -- as above
    objectId: int  # noqa: N815 -- as above
    occurredAt: int = 0  # noqa: N815 -- as above
    objectTypeId: str | None = None  # noqa: N815 -- as above

    def hint(self) -> Hint:
        """Return what it hints at. HubSpot's `eventId` alone is not always unique."""
        said = [self.eventId, self.subscriptionType, self.objectId, self.occurredAt]
        is_deal = self.subscriptionType.startswith("deal.") or self.objectTypeId == _DEALS
        return Hint(
            delivery=hashlib.sha256(repr(said).encode()).hexdigest(),
            stream="deals" if is_deal else None,
            subjects=frozenset({str(self.objectId)}),
        )


# HubSpot sends at most 100 at once.
_NOTIFICATIONS = TypeAdapter(list[_Notification])


def read_webhook(delivery: Delivery, secret: str) -> tuple[Hint, ...]:
    """Return what a delivery hints at.

    Raises:
        HookRefusedError: 401 where HubSpot did not sign it within five minutes, 400 where it is
            not what HubSpot sends.
    """
    timestamp = delivery.headers.get("x-hubspot-request-timestamp", "")
    signature = delivery.headers.get("x-hubspot-signature-v3", "")
    if not _is_recent(timestamp, delivery.now_s):
        raise HookRefusedError(401, "The timestamp is missing or too old.")
    expected = sign(delivery.method, delivery.url, delivery.body, timestamp, secret)
    if not secret or not hmac.compare_digest(expected.encode(), signature.encode()):
        raise HookRefusedError(401, "The signature is missing or wrong.")
    try:
        found = _NOTIFICATIONS.validate_json(delivery.body)
    except ValidationError as error:
        raise HookRefusedError(400, "The body is no list of notifications.") from error
    return tuple(item.hint() for item in found)


def sign(method: str, url: str, body: bytes, timestamp: str, secret: str) -> str:
    """Return the signature, version 3, of a request to an address without encoded characters."""
    said = method.encode() + url.encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), said, hashlib.sha256).digest()).decode()


def _is_recent(timestamp: str, now_s: float) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < _LONGEST_TIMESTAMP):
        return False
    return abs(now_s - int(timestamp) / 1000) <= MAX_AGE_S
