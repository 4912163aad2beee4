"""`doctor` on the providers: OAuth apps, and HubSpot's key property."""

import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping

from bot.cli.findings import Finding, note, ok, problem
from bot.config import Settings
from bot.providers import Connections
from bot.web.hooks import ensure_hooks
from connectors.errors import ConnectorError, ReconnectRequiredError
from connectors.hubspot.keys import (
    KEYED_KINDS,
    KeyStatus,
    ensure_key_property,
    key_property_status,
)
from connectors.settings import ProviderSettings
from storage.database import Database
from storage.diagnosis import find_admin_connection
from storage.tables.connections import Connection

HUBSPOT = "hubspot"
LINK_LIVES_S = 3600.0

_VARIABLES = {HUBSPOT: "HUBSPOT", "google_calendar": "GOOGLE"}
_REMEDIES = {
    KeyStatus.MISSING: "Run `countersign doctor --fix`, which creates it.",
    KeyStatus.NOT_UNIQUE: (
        "Delete the property countersign_key in HubSpot, then run `countersign doctor --fix`."
    ),
}


def check_apps(providers: Mapping[str, ProviderSettings], settings: Settings) -> Iterator[Finding]:
    """Yield which providers people can connect."""
    for name, provider in providers.items():
        title, variable = provider.manifest.title, _VARIABLES[name]
        if provider.is_set_up:
            yield ok(f"{title} has an OAuth app.")
            continue
        yield note(
            f"{title} is not set up: nobody can connect it.",
            f"Make an OAuth app there with the redirect URL "
            f"{settings.countersign_url}/oauth/{name}/callback, and set {variable}_CLIENT_ID and "
            f"{variable}_CLIENT_SECRET.",
        )
    if not any(provider.is_set_up for provider in providers.values()):
        yield problem(
            "No provider is set up, so Countersign can do nothing for anybody.",
            "Set up at least one of those above.",
        )


async def check_hooks(
    database: Database, connections: Connections, settings: Settings, *, team_id: str
) -> AsyncIterator[Finding]:
    """Yield where each provider's webhooks arrive; without them changes are polled."""
    async with database.transaction() as tx:
        paths = await ensure_hooks(tx, connections.registry, team_id)
    for name, path in paths.items():
        if connections.providers[name].is_set_up:
            title = connections.providers[name].manifest.title
            yield ok(f"{title} may send webhooks to {settings.countersign_url}{path}")


async def check_hubspot_keys(
    database: Database,
    connections: Connections,
    settings: Settings,
    *,
    team_id: str,
    fix: bool,
) -> AsyncIterator[Finding]:
    """Yield whether creating records in HubSpot can be repeated safely; with `fix` make it so.

    It looks through an admin's own connection: a property belongs to the whole account.
    """
    connection = await find_admin_connection(database, team_id, HUBSPOT)
    if connection is None:
        yield note(
            "HubSpot's key property is not checked: no admin has connected HubSpot.",
            "An admin asks Countersign in Slack for something in HubSpot, connects, and runs "
            "`countersign doctor` again.",
        )
        return
    http = connections.clients.of(connection, connections.providers[HUBSPOT], send_before=None)
    for kind in KEYED_KINDS:
        try:
            read = ensure_key_property if fix else key_property_status
            status = await read(http, kind)
        except ReconnectRequiredError:
            yield await _ask_for_scope(database, settings, connection)
            return
        except ConnectorError as error:
            yield note(f"HubSpot's key property for {kind} could not be read.", error.message)
            continue
        yield _finding(kind, status)


def _finding(kind: str, status: KeyStatus) -> Finding:
    if status is KeyStatus.READY:
        return ok(f"HubSpot: {kind} have the unique property countersign_key.")
    return problem(
        f"HubSpot: {kind} lack a unique property countersign_key, so a create whose answer is "
        "lost needs a human to look.",
        _REMEDIES[status],
    )


async def _ask_for_scope(database: Database, settings: Settings, connection: Connection) -> Finding:
    """Return a link by which the admin grants what creating a property needs."""
    token = secrets.token_urlsafe(32)
    wanted = {f"crm.schemas.{kind}.write" for kind in KEYED_KINDS}
    async with database.transaction() as tx:
        await tx.links.add(
            token_hash=hashlib.sha256(token.encode()).hexdigest(),
            team_id=connection.team_id,
            person_id=connection.person_id,
            kind="connect",
            data={
                "provider": HUBSPOT,
                "scopes": sorted(wanted | set(connection.scopes)),
                "goal_id": None,
            },
            lives_s=LINK_LIVES_S,
        )
    return problem(
        f"HubSpot does not let the connection of {connection.account} add properties.",
        f"Let them open {settings.countersign_url}/connect/{token} within an hour and agree, then "
        "run `countersign doctor --fix` again.",
    )
