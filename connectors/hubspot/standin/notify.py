"""HubSpot's webhooks: what changed about a record, as its subscriptions tell it.

Source: https://developers.hubspot.com/docs/api-reference/latest/webhooks/guide
"""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from connectors.hubspot.standin.errors import HUB_ID
from connectors.hubspot.standin.kinds import Kind
from connectors.hubspot.webhook import sign
from connectors.standin.store import Store
from connectors.standin.webhooks import Webhooks, now_ms

_FIRST_EVENT = 3_816_279_000
Notification: TypeAlias = dict[str, object]


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
        target = self._webhooks.target
        if target is None or not notifications:
            return

        def attempt(number: int) -> tuple[bytes, dict[str, str]]:
            told = [{**item, "attemptNumber": number} for item in notifications]
            body, timestamp = json.dumps(told).encode(), str(now_ms())
            return body, {
                "content-type": "application/json",
                "x-hubspot-request-timestamp": timestamp,
                "x-hubspot-signature-v3": sign("POST", target, body, timestamp, self._secret),
            }

        self._webhooks.post(target, attempt)
