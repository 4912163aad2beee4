"""`doctor` on COUNTERSIGN_URL: whether it leads to us."""

import httpx2

from bot.cli.findings import Finding, note, ok
from bot.config import Settings

_TIMEOUT_S = 10


async def check_web(settings: Settings) -> Finding:
    """Return whether /healthz answers at the public address, as seen from here."""
    url = f"{settings.countersign_url}/healthz"
    remedy = (
        "Start `countersign serve`, and check the proxy before it: Slack must reach this address."
    )
    try:
        async with httpx2.AsyncClient(timeout=_TIMEOUT_S) as client:
            reply = await client.get(url)
    except httpx2.HTTPError as error:
        return note(f"{url} cannot be reached from here ({type(error).__name__}).", remedy)
    if reply.text.strip() != "ok":
        return note(f"{url} is answered by something else ({reply.status_code}).", remedy)
    return ok(f"{settings.countersign_url} leads to Countersign.")
