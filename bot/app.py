"""The only place where everything is wired, by hand."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from approvals.decisions import DecisionService
from approvals.policy import Policy
from bot.builtins import BUILTINS
from bot.config import Settings
from bot.digests.delivery import DigestDelivery
from bot.digests.queries import DigestQueries
from bot.digests.service import DigestService
from bot.engine.card_queries import CardQueries
from bot.engine.connections import ConnectionDesk
from bot.engine.desk import ApprovalDesk
from bot.engine.drive import Engine
from bot.engine.forecast import Forecaster
from bot.engine.gate import Gate
from bot.engine.goals import GoalService
from bot.engine.home_queries import HomeQueries
from bot.engine.planning_job import PlanningJob
from bot.engine.plans import PlanService
from bot.engine.prepare import Preparer
from bot.engine.progress import Timing
from bot.engine.proposal import Proposals
from bot.engine.sweep import Sweeper
from bot.engine.undo import UndoService
from bot.engine.unknown import UnknownService
from bot.goals.links import LinkService
from bot.intake.app import Intake
from bot.intake.bolt import build_bolt
from bot.intake.dispatch import EventDispatcher
from bot.intake.installation import Installation, read_installation
from bot.listeners.registration import register_listeners
from bot.listeners.services import Services
from bot.notifier.loaders import Loaders
from bot.notifier.pump import Pump
from bot.notifier.renderers import Renderers
from bot.notifier.slack import SlackCards
from bot.people.profiles import Named
from bot.people.service import PeopleService
from bot.planners import open_planner
from bot.planning.outcome import Planner
from bot.planning.schema import shown_examples
from bot.web.app import build_web
from bot.web.oauth import ConnectPages
from bot.worker.jobs import Job
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
from storage.database import Database, Transaction
from storage.tables.slack import OutboxCard


def now() -> datetime:
    """Return the current instant; every service gets its clock from here."""
    return datetime.now(UTC)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a running process is made of; `bot.serve` starts the ones of its role."""

    settings: Settings
    database: Database
    connections: Connections
    installation: Installation
    people: PeopleService
    engine: Engine
    sweeper: Sweeper
    desk: ApprovalDesk
    connection_desk: ConnectionDesk
    delivery: DigestDelivery
    dispatcher: EventDispatcher
    pump: Pump
    web: Starlette
    jobs: tuple[Job, ...]


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
    providers = build_providers(settings)
    vault = Vault.from_setting(settings.countersign_encryption_key.get_secret_value())
    egress = Egress(providers.values())
    broker = TokenBroker(database=database, vault=vault, egress=egress)
    clients = HttpClients(egress=egress, broker=broker)
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


def read_policy(settings: Settings) -> Policy:
    """Return the policy that the settings name, or the tiers alone.

    Raises:
        PolicyError: names the place that is wrong.
    """
    if settings.countersign_policy is None:
        return Policy.parse("version: 1")
    return Policy.load(settings.countersign_policy)


def read_timing(settings: Settings) -> Timing:
    return Timing(
        lease_s=settings.countersign_lease_s,
        call_timeout_s=settings.countersign_call_timeout_s,
        retry_base_s=settings.countersign_retry_base_s,
        max_tries=settings.countersign_max_tries,
        stale_s=settings.countersign_stale_s,
    )


@asynccontextmanager
async def open_parts(settings: Settings, database: Database) -> AsyncIterator[Parts]:
    """Yield everything wired together; close what was opened at the end.

    Raises:
        SlackApiError: Slack does not accept the bot token.
    """
    connections = build_connections(settings, database)
    session = aiohttp.ClientSession()
    client = AsyncWebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=f"{settings.slack_api_url}/",
        # One session, or every call would open a connection of its own.
        session=session,
        # A lost reply is looked up by the pump; a blind repeat would post twice.
        retry_handlers=[],
    )
    try:
        installation = await read_installation(client)
        async with database.transaction() as tx:
            await tx.people.upsert_team(
                team_id=installation.team_id,
                name=installation.team_name,
                bot_user_id=installation.bot_user_id,
            )
        async with open_planner(settings, connections.registry, database) as planner:
            yield _assemble(settings, database, connections, client, installation, planner)
    finally:
        await session.close()
        await connections.broker.close()
        await connections.egress.close()


def _assemble(
    settings: Settings,
    database: Database,
    connections: Connections,
    client: AsyncWebClient,
    installation: Installation,
    planner: Planner,
) -> Parts:
    registry = connections.registry
    policy = read_policy(settings)
    timing = read_timing(settings)
    decisions = DecisionService(policy_version=policy.version)
    forecaster = Forecaster(registry=registry, policy=policy)
    people = PeopleService(
        database=database,
        client=client,
        named=Named(
            admins=frozenset(settings.countersign_admins),
            approvers=frozenset(settings.countersign_approvers),
        ),
    )
    engine = Engine(
        database=database,
        registry=registry,
        executor=connections.executor,
        preparer=Preparer(registry=registry, executor=connections.executor, database=database),
        gate=Gate(policy=policy, decisions=decisions, lease_s=timing.lease_s),
        proposals=Proposals(forecaster=forecaster),
        timing=timing,
        now=now,
    )
    desk = ApprovalDesk(database=database, decisions=decisions, registry=registry, now=now)
    connection_desk = ConnectionDesk(
        database=database,
        flow=connections.flow,
        decisions=decisions,
        providers=connections.providers,
        public_url=settings.countersign_url,
    )
    digest_queries = DigestQueries(registry=registry)
    homes = HomeQueries(
        database=database, registry=registry, examples=shown_examples(registry), now=now
    )
    cards = CardQueries(registry=registry, forecaster=forecaster)
    services = Services(
        database=database,
        people=people,
        goals=GoalService(database=database, decisions=decisions),
        plans=PlanService(database=database, registry=registry, forecaster=forecaster),
        approvals=desk,
        undos=UndoService(database=database, registry=registry),
        unknowns=UnknownService(database=database),
        connections=connection_desk,
        digests=DigestService(database=database, queries=digest_queries, now=now),
        links=LinkService(database=database, public_url=settings.countersign_url),
        homes=homes,
    )
    bolt = build_bolt(client, installation)
    register_listeners(bolt, services)
    dispatcher = EventDispatcher(
        database=database, bolt=bolt, lease_s=settings.countersign_event_lease_s
    )
    pump = Pump(
        database=database,
        renderers=Renderers(_loaders(cards, homes, digest_queries, connection_desk, registry)),
        slack=SlackCards(client),
        lease_s=settings.countersign_card_lease_s,
    )
    planning = PlanningJob(
        database=database, planner=planner, registry=registry, decisions=decisions, now=now
    )
    return Parts(
        settings=settings,
        database=database,
        connections=connections,
        installation=installation,
        people=people,
        engine=engine,
        sweeper=Sweeper(database=database, timing=timing),
        desk=desk,
        connection_desk=connection_desk,
        delivery=DigestDelivery(database=database, queries=digest_queries, now=now),
        dispatcher=dispatcher,
        pump=pump,
        web=_web(settings, database, bolt, installation, connections, connection_desk, cards),
        jobs=(
            Job("drive", engine.drive),
            Job("plan_goal", planning.plan_goal),
            Job("handle_event", dispatcher.handle_event),
            Job("post_cards", pump.post_cards),
        ),
    )


def _web(
    settings: Settings,
    database: Database,
    bolt: AsyncApp,
    installation: Installation,
    connections: Connections,
    desk: ConnectionDesk,
    cards: CardQueries,
) -> Starlette:
    intake = Intake(
        database=database,
        bolt=bolt,
        installation=installation,
        signing_secret=settings.slack_signing_secret.get_secret_value(),
    )
    pages = ConnectPages(
        flow=connections.flow,
        database=database,
        providers=connections.providers,
        on_connected=desk.connected,
        is_https=settings.countersign_url.startswith("https://"),
    )
    return build_web(
        database=database,
        cards=cards,
        routes=[*intake.routes(), *pages.routes()],
    )


def _loaders(
    cards: CardQueries,
    homes: HomeQueries,
    digests: DigestQueries,
    desk: ConnectionDesk,
    registry: Registry,
) -> Loaders:
    """Say where each card's content comes from."""
    examples = shown_examples(registry)

    async def welcome(_tx: Transaction, _card: OutboxCard) -> tuple[str, ...]:
        return examples

    return Loaders(
        goal=lambda tx, card: cards.goal(tx, card.team_id, int(card.subject)),
        approval=lambda tx, card: cards.approval(tx, card.team_id, int(card.subject)),
        answer=lambda tx, card: cards.answer(tx, card.team_id, int(card.subject)),
        unknown=lambda tx, card: cards.unknown(tx, card.team_id, int(card.subject)),
        connect=lambda tx, card: desk.card(tx, card.team_id, card.subject),
        digest=lambda tx, card: digests.load(tx, card.team_id, int(card.subject)),
        home=lambda tx, card: homes.read(tx, card.team_id, card.subject),
        examples=welcome,
    )
