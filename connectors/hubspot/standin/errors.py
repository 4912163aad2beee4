"""HubSpot's error bodies: `{status, message, correlationId, category, context, errors[]}`.

Source: https://developers.hubspot.com/docs/api-reference/error-handling
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.standin.vendor import RefusedError

HUB_ID = 48151623
"""The made-up HubSpot account (portal) that all people of the stand-in share."""


@dataclass(frozen=True, slots=True)
class BadValue:
    """One property whose value is refused."""

    name: str
    error: str
    message: str


def error(
    status: int,
    category: str,
    message: str,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    context: Mapping[str, Sequence[str]] | None = None,
    headers: Mapping[str, str] | None = None,
    **extra: str,
) -> RefusedError:
    """Return a refusal with HubSpot's usual body."""
    body: dict[str, Any] = {
        "status": "error",
        "message": message,
        "correlationId": str(uuid.uuid4()),
        "category": category,
        **extra,
    }
    if errors:
        body["errors"] = list(errors)
    if context:
        body["context"] = {name: list(values) for name, values in context.items()}
    return RefusedError(status, body, headers=headers)


def oauth_error(status: int, code: str, message: str) -> RefusedError:
    """Return a refusal of the token endpoints; `status` names the problem, there is no `error`."""
    body = {"status": code, "message": message, "correlationId": str(uuid.uuid4())}
    return RefusedError(status, body)


def bad_request(message: str) -> RefusedError:
    return error(400, "VALIDATION_ERROR", message)


def bad_values(bad: Sequence[BadValue]) -> RefusedError:
    """Return the refusal of property values; the message repeats the details as JSON.

    Source: https://github.com/gregorspan/csc-frodx/issues/21 (a recorded answer)
    """
    details = [
        {
            "isValid": False,
            "message": one.message,
            "error": one.error,
            "name": one.name,
            "localizedErrorMessage": one.message,
            "portalId": HUB_ID,
        }
        for one in bad
    ]
    errors = [
        {"message": one.message, "code": one.error, "context": {"propertyName": [one.name]}}
        for one in bad
    ]
    text = f"Property values were not valid: {json.dumps(details, separators=(',', ':'))}"
    return error(400, "VALIDATION_ERROR", text, errors=errors)


def missing_values(type_name: str, names: Sequence[str]) -> RefusedError:
    message = f"Error creating {type_name}. Some required properties were not set."
    one = {
        "message": message,
        "code": "REQUIRED_PROPERTY_MISSING",
        "context": {"properties": list(names)},
    }
    return error(400, "VALIDATION_ERROR", message, errors=[one])


def not_found(what: str = "resource") -> RefusedError:
    return error(404, "OBJECT_NOT_FOUND", f"{what} not found")


def contact_exists(existing_id: str) -> RefusedError:
    """Return the refusal of a second contact with one email address.

    Source: https://github.com/HubSpot/hubspot-api-nodejs/issues/545 (a recorded answer)
    """
    return error(409, "CONFLICT", f"Contact already exists. Existing ID: {existing_id}")


def bad_id_property(type_id: str, name: str) -> RefusedError:
    """Return the refusal of an upsert by a property that is absent or not unique.

    Source: https://github.com/segmentio/action-destinations/pull/3957 (a recorded answer)
    """
    return bad_request(
        f"Unable to perform update/upsert by non-unique {type_id} property {name} "
        f"in portal ID {HUB_ID}"
    )
