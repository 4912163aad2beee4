"""Settings, keys and people for tests of what lies between an action and a provider."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

import connectors.google_calendar
import connectors.hubspot
from connectors.breaker import Breakers, BreakerTiming
from connectors.broker import TokenBroker
from connectors.egress import Egress
from connectors.http import ConnectionHttp, HttpClients
from connectors.manifest import Manifest
from connectors.oauth import OAuthFlow
from connectors.settings import ProviderSettings
from connectors.tokens import Tokens
from storage.crypto import Vault
from storage.database import Database
from storage.instants import Deadline
from storage.repositories.people import PersonFacts
from storage.tables.connections import Connection
from storage.tables.people import Role
from storage.tables.records import AuditRow
from tests.connectors.standins import CLIENT_ID, CLIENT_SECRET, PUBLIC_URL

TEAM, DANA, MO = "T1", "U-DANA", "U-MO"
DEALS = "crm.objects.deals.read"
CONTACTS = "crm.objects.contacts.read"
EVENTS = "https://www.googleapis.com/auth/calendar.events.owned"
EMAIL = "https://www.googleapis.com/auth/userinfo.email"


HUBSPOT = Manifest.load(Path(connectors.hubspot.__file__).parent / "manifest.toml")
GOOGLE = Manifest.load(Path(connectors.google_calendar.__file__).parent / "manifest.toml")


def settings_at(url: str, manifest: Manifest = HUBSPOT) -> ProviderSettings:
    """Return settings that reach a provider at `url`."""
    return ProviderSettings.of(
        manifest,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        api_url=url,
        auth_url=url,
        web_url=url,
    )


class Plumbing:
    """Everything between an action and providers, on one database."""

    def __init__(self, database: Database, *providers: ProviderSettings, key: str = "") -> None:
        self.database = database
        self.providers = {item.manifest.name: item for item in providers}
        self.vault = Vault.from_setting(key or Vault.generate_key())
        self.egress = Egress(providers)
        self.breakers = Breakers(database, timing=BreakerTiming(cache_s=0.0))
        self.broker = TokenBroker(
            database=database, vault=self.vault, egress=self.egress, breakers=self.breakers
        )
        self.clients = HttpClients(egress=self.egress, broker=self.broker, breakers=self.breakers)
        self.flow = OAuthFlow(
            database=database,
            vault=self.vault,
            egress=self.egress,
            broker=self.broker,
            providers=self.providers,
            public_url=PUBLIC_URL,
        )

    async def close(self) -> None:
        await self.broker.close()
        await self.egress.close()

    def http(
        self, connection: Connection, *, send_before: Deadline | None = None
    ) -> ConnectionHttp:
        settings = self.providers[connection.provider]
        return self.clients.of(connection, settings, send_before=send_before)

    async def store(
        self,
        *,
        access: str = "access-1",
        refresh: str | None = "refresh-1",
        lives_s: float | None = 3600,
        person_id: str = DANA,
        provider: str = "hubspot",
        scopes: tuple[str, ...] = (DEALS,),
    ) -> Connection:
        """Store a connection as the flow would, and return it."""
        secret = self.broker.seal(
            Tokens(access=access, refresh=refresh),
            team_id=TEAM,
            person_id=person_id,
            provider=provider,
        )
        ends = None if lives_s is None else datetime.now(UTC) + timedelta(seconds=lives_s)
        async with self.database.transaction() as tx:
            return await tx.connections.connect(
                team_id=TEAM,
                person_id=person_id,
                provider=provider,
                account=f"{person_id.lower()}@northwind.example",
                scopes=scopes,
                secret=secret,
                expires_at=ends,
            )

    async def reread(self, connection: Connection) -> Connection:
        async with self.database.transaction() as tx:
            return await tx.connections.get(connection.team_id, connection.id)

    async def audit_rows(self) -> list[AuditRow]:
        """Return what was recorded, oldest first."""
        async with self.database.transaction() as tx:
            return list(await tx.session.scalars(select(AuditRow).order_by(AuditRow.id)))


async def add_people(database: Database) -> None:
    """Add Dana and Mo."""
    async with database.transaction() as tx:
        await tx.people.upsert_team(team_id=TEAM, name="Northwind", bot_user_id="U-BOT")
        for person_id, name in ((DANA, "Dana Reyes"), (MO, "Mo Okafor")):
            facts = PersonFacts(
                name=name,
                email=f"{name.split()[0].lower()}@northwind.example",
                zone="Europe/Berlin",
                role=Role.MEMBER,
                is_guest=False,
                is_bot=False,
                is_active=True,
            )
            await tx.people.upsert(TEAM, person_id, facts)
