"""HubSpot's webhooks: what changed about a record, as its subscriptions tell it.

Source: https://developers.hubspot.com/docs/api-reference/latest/webhooks/guide
"""

import json
from collections.abc import Mapping, Sequence

from connectors.hubspot.standin.errors import HUB_ID
from connectors.hubspot.standin.kinds import Kind
from connectors.hubspot.webhook import sign
from connectors.standin.store import Store
from connectors.standin.webhooks import Notification, Webhooks, now_ms

_FIRST_EVENT = 3_816_279_000


class Notifier:
    """Tells subscribers what happened to records: one notification for each property."""

    def __init__(self, webhooks: Webhooks, store: Store, *, client_secret: str) -> None:
        self._webhooks = webhooks
        self._store = store
        self._secret = client_secret

    def created(self, kind: Kind, record_id: str) -> None:
        self._send([self._about(kind, record_id, "creation")])

    def archived(self, kind: Kind, record_id: str) -> None:
        self._send([self._about(kind, record_id, "deletion")])

    def changed(self, kind: Kind, record_id: str, values: Mapping[str, str | None]) -> None:
        self._send(
            [
                {
                    **self._about(kind, record_id, "propertyChange"),
                    "propertyName": name,
                    "propertyValue": value or "",
                }
                for name, value in values.items()
            ]
        )

    def _about(self, kind: Kind, record_id: str, what: str) -> Notification:
        return {
            "eventId": self._store.count("webhook event", first=_FIRST_EVENT),
            "subscriptionId": 1,
            "portalId": HUB_ID,
            "appId": 1,
            "occurredAt": now_ms(),
            "subscriptionType": f"{kind.singular}.{what}",
            "objectId": int(record_id),
            "changeSource": "CRM_UI",
        }

    def _send(self, notifications: Sequence[Notification]) -> None:
        self._webhooks.send(notifications, make_body=_body, sign=self._headers)

    def _headers(self, url: str, body: bytes) -> dict[str, str]:
        timestamp = str(now_ms())
        return {
            "x-hubspot-request-timestamp": timestamp,
            "x-hubspot-signature-v3": sign("POST", url, body, timestamp, self._secret),
        }


def _body(notifications: Sequence[Notification], attempt: int) -> bytes:
    return json.dumps([{**item, "attemptNumber": attempt} for item in notifications]).encode()
