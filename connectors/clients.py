"""Opening a person's own connection for one call, with the scopes that this call needs."""

from collections.abc import Mapping

from connectors.actions import ReadContext
from connectors.errors import ReconnectRequiredError
from connectors.http import HttpClients
from connectors.settings import ProviderSettings
from storage.database import Database
from storage.instants import Deadline
from storage.tables.connections import ConnectionStatus


class ConnectionClients:
    """The real `connectors.execute.Clients`: never more than the person (S27, S37)."""

    def __init__(
        self,
        *,
        database: Database,
        clients: HttpClients,
        providers: Mapping[str, ProviderSettings],
    ) -> None:
        self._database = database
        self._clients = clients
        self._providers = providers

    async def open(
        self,
        *,
        team_id: str,
        person_id: str,
        connection_id: int,
        scopes: frozenset[str],
        send_before: Deadline | None,
    ) -> ReadContext:
        """Return a client of exactly this connection, or refuse.

        Raises:
            ReconnectRequiredError: it is somebody else's, has ended, or lacks scopes.
        """
        async with self._database.reading() as tx:
            connection = await tx.connections.get(team_id, connection_id)
        settings = self._providers[connection.provider]
        missing = settings.manifest.missing(asked=scopes, granted=connection.scopes)
        is_live = connection.status is ConnectionStatus.CONNECTED
        if connection.person_id != person_id or not is_live or missing:
            raise ReconnectRequiredError(
                f"This needs your own {settings.manifest.title}, connected with the right scopes.",
                provider=connection.provider,
                missing_scopes=missing,
            )
        return ReadContext(
            http=self._clients.of(connection, settings, send_before=send_before),
            account=connection.account,
            web_url=settings.web_url,
        )
