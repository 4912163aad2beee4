"""`doctor` on Slack: the token, its scopes, and the people whom the settings name."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.findings import Finding, note, ok, problem
from bot.config import Settings

MANIFEST = Path(__file__).parents[2] / "manifest.yml"

_UNREACHABLE = (aiohttp.ClientError, OSError, TimeoutError)
_TIMEOUT_S = 10


async def check_slack(settings: Settings) -> AsyncIterator[Finding]:
    """Yield what Slack says about the token, and about who is named."""
    client = AsyncWebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=f"{settings.slack_api_url}/",
        timeout=_TIMEOUT_S,
    )
    try:
        identity = await client.auth_test()
    except SlackApiError as error:
        yield problem(
            f"Slack refuses SLACK_BOT_TOKEN: {error.response['error']}.",
            "Install the app into the workspace again and copy its Bot User OAuth Token.",
        )
        return
    except _UNREACHABLE as error:
        yield problem(
            f"Slack cannot be reached at {settings.slack_api_url} ({type(error).__name__}).",
            "Check the network, and SLACK_API_URL if you set it.",
        )
        return
    yield ok(f"Slack knows the bot in {identity['team']} as @{identity['user']}.")
    yield check_scopes(identity.headers, MANIFEST)
    for name in (*settings.countersign_admins, *settings.countersign_approvers):
        finding = await _check_person(client, name)
        if finding is not None:
            yield finding


def check_scopes(headers: dict[str, Any], manifest: Path) -> Finding:
    """Return whether the token has every scope that manifest.yml asks for.

    Source: https://docs.slack.dev/authentication/installing-with-oauth (x-oauth-scopes)
    """
    granted = _header(headers, "x-oauth-scopes")
    if granted is None or not manifest.exists():
        return note("The token's scopes could not be compared with manifest.yml.")
    asked = yaml.safe_load(manifest.read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"]
    missing = sorted(set(asked) - {scope.strip() for scope in granted.split(",")})
    if missing:
        return problem(
            f"The token lacks {', '.join(missing)}.",
            "Update the Slack app from manifest.yml and install it into the workspace again.",
        )
    return ok("The token has every scope of manifest.yml.")


async def _check_person(client: AsyncWebClient, name: str) -> Finding | None:
    """Return what is wrong with a named person, or None."""
    try:
        if "@" in name:
            reply = await client.users_lookupByEmail(email=name)
        else:
            reply = await client.users_info(user=name)
    except SlackApiError as error:
        return problem(
            f"Slack does not know {name} ({error.response['error']}).",
            "Mend COUNTERSIGN_ADMINS or COUNTERSIGN_APPROVERS: Slack ids or e-mail addresses.",
        )
    user = reply["user"]
    if user.get("deleted") or user.get("is_bot") or user.get("is_restricted"):
        return problem(
            f"{name} is a guest, a bot or has left, so they may not decide anything.",
            "Name an active member in COUNTERSIGN_ADMINS or COUNTERSIGN_APPROVERS.",
        )
    return None


def _header(headers: dict[str, Any], name: str) -> str | None:
    found = next((value for key, value in headers.items() if key.lower() == name), None)
    return found if found is None else str(found)
