"""Opening a person's own connection for one call, with the scopes that this call needs."""

from collections.abc import Mapping

from connectors.actions import ReadContext
from connectors.errors import ReconnectRequiredError, RestingError
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
            RestingError: its provider asked for a pause that is not over.
        """
        async with self._database.reading() as tx:
            connection, resting_s = await tx.connections.get_to_use(team_id, connection_id)
        settings = self._providers[connection.provider]
        missing = settings.manifest.missing(asked=scopes, granted=connection.scopes)
        is_live = connection.status is ConnectionStatus.CONNECTED
        if connection.person_id != person_id or not is_live or missing:
            raise ReconnectRequiredError(
                f"This needs your own {settings.manifest.title}, connected with the right scopes.",
                provider=connection.provider,
                missing_scopes=missing,
            )
        if resting_s > 0:
            raise RestingError(
                f"{settings.manifest.title} asks us to slow down.", retry_after_s=resting_s
            )
        return ReadContext(
            http=self._clients.of(connection, settings, send_before=send_before),
            account=connection.account,
            web_url=settings.web_url,
        )

    async def check(self, provider: str) -> None:
        """Refuse early while a provider does not answer.

        Raises:
            ProviderDownError: nothing is sent to it for now.
        """
        await self._clients.check(self._providers[provider])
