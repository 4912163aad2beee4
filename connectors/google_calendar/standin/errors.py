"""Google's error bodies: `{error: {code, message, errors: [{domain, reason, message}]}}`.

Source: https://developers.google.com/workspace/calendar/api/guides/errors
"""

from collections.abc import Mapping
from typing import Any

from connectors.standin.vendor import RefusedError


def error(
    status: int,
    reason: str,
    message: str,
    *,
    domain: str = "global",
    location: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> RefusedError:
    """Return a refusal; `location` is the kind (parameter, header) and the name of the culprit."""
    one: dict[str, Any] = {"domain": domain, "reason": reason, "message": message}
    if location is not None:
        one["locationType"], one["location"] = location
    body = {"error": {"errors": [one], "code": status, "message": message}}
    return RefusedError(status, body, headers=headers)


def oauth_error(status: int, code: str, description: str) -> RefusedError:
    return RefusedError(status, {"error": code, "error_description": description})


def not_found() -> RefusedError:
    return error(404, "notFound", "Not Found")


def invalid(message: str, *, parameter: str | None = None) -> RefusedError:
    location = None if parameter is None else ("parameter", parameter)
    return error(400, "invalid", message, location=location)


def required(name: str) -> RefusedError:
    return error(400, "required", f"Missing {name} time.")


def empty_range() -> RefusedError:
    return error(
        400,
        "timeRangeEmpty",
        "The specified time range is empty.",
        domain="calendar",
        location=("parameter", "timeMax"),
    )


def duplicate() -> RefusedError:
    """Source: https://github.com/googleapis/google-api-python-client/issues/846."""
    return error(409, "duplicate", "The requested identifier already exists.")


def deleted() -> RefusedError:
    return error(410, "deleted", "Resource has been deleted")


def precondition_failed() -> RefusedError:
    location = ("header", "If-Match")
    return error(412, "conditionNotMet", "Precondition Failed", location=location)


def not_organizer() -> RefusedError:
    return error(
        403,
        "forbiddenForNonOrganizer",
        "Shared properties can only be changed by the organizer of the event.",
        domain="calendar",
    )


def cancelled() -> RefusedError:
    """Return the refusal to change a deleted event without restoring it.

    Source: https://github.com/googleapis/google-api-ruby-client/issues/1811
    """
    return error(403, "forbidden", "Forbidden")
