"""Forms that our own pages send; whatever else is posted is refused, read no further (S33)."""

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MAX_BYTES = 16 * 1024
_MAX_FIELDS = 10
_KIND = "application/x-www-form-urlencoded"
_MALFORMED = 400
_TOO_LARGE = 413


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form; of a repeated field, the last.

    Raises:
        HTTPException: 413 where it is larger than any form of ours, 400 where it is none.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise HTTPException(_MALFORMED)
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BYTES:
                raise HTTPException(_TOO_LARGE)
        text = raw.decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except (ClientDisconnect, ValueError) as err:
        raise HTTPException(_MALFORMED) from err
    return dict(pairs)
