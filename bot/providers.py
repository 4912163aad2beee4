"""Everything between us and the providers, wired: registry, egress, broker, executor, OAuth."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.builtins import BUILTINS
from bot.config import Settings
from connectors.breaker import Breakers
from connectors.broker import TokenBroker
from connectors.clients import ConnectionClients
from connectors.egress import Egress
from connectors.execute import Executor
from connectors.google_calendar.actions import CONNECTOR as GOOGLE_CALENDAR
from connectors.http import HttpClients
from connectors.hubspot.actions import CONNECTOR as HUBSPOT
from connectors.oauth import OAuthFlow
from connectors.registry import Registry
from connectors.settings import ProviderSettings
from storage.crypto import Vault
from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Everything between us and the providers."""

    registry: Registry
    providers: Mapping[str, ProviderSettings]
    egress: Egress
    broker: TokenBroker
    clients: HttpClients
    executor: Executor
    flow: OAuthFlow

    async def close(self) -> None:
        """Let running token requests end, then close every connection."""
        await self.broker.close()
        await self.egress.close()


def build_providers(settings: Settings) -> dict[str, ProviderSettings]:
    """Return where each provider is reached, and as which app."""
    manifests = {
        connector.name: connector.manifest
        for connector in (HUBSPOT, GOOGLE_CALENDAR)
        if connector.manifest is not None
    }
    google_secret = settings.google_client_secret
    hubspot_secret = settings.hubspot_client_secret
    return {
        HUBSPOT.name: ProviderSettings.of(
            manifests[HUBSPOT.name],
            client_id=settings.hubspot_client_id or "",
            client_secret=hubspot_secret.get_secret_value() if hubspot_secret else "",
            api_url=settings.hubspot_api_url,
            auth_url=settings.hubspot_auth_url,
            web_url=settings.hubspot_web_url,
        ),
        GOOGLE_CALENDAR.name: ProviderSettings.of(
            manifests[GOOGLE_CALENDAR.name],
            client_id=settings.google_client_id or "",
            client_secret=google_secret.get_secret_value() if google_secret else "",
            api_url=settings.google_api_url,
            auth_url=settings.google_auth_url,
            web_url=settings.google_web_url,
        ),
    }


def build_connections(settings: Settings, database: Database) -> Connections:
    """Wire the connectors: registry, egress, broker, executor, OAuth."""
    registry = Registry((HUBSPOT, GOOGLE_CALENDAR, BUILTINS))
    return wire(settings, database, registry=registry, providers=build_providers(settings))


def wire(
    settings: Settings,
    database: Database,
    *,
    registry: Registry,
    providers: Mapping[str, ProviderSettings],
) -> Connections:
    """Wire any connectors: what is between an action and its provider is the same for all."""
    vault = Vault.from_setting(settings.countersign_encryption_key.get_secret_value())
    egress = Egress(providers.values())
    breakers = Breakers(database)
    broker = TokenBroker(database=database, vault=vault, egress=egress, breakers=breakers)
    clients = HttpClients(egress=egress, broker=broker, breakers=breakers)
    return Connections(
        registry=registry,
        providers=providers,
        egress=egress,
        broker=broker,
        clients=clients,
        executor=Executor(
            registry=registry,
            clients=ConnectionClients(database=database, clients=clients, providers=providers),
            database=database,
            timeout_s=settings.countersign_call_timeout_s,
        ),
        flow=OAuthFlow(
            database=database,
            vault=vault,
            egress=egress,
            broker=broker,
            providers=providers,
            public_url=settings.countersign_url,
        ),
    )
