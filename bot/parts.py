"""The only place where everything is wired, by hand: each part is a property of `Parts`."""

from dataclasses import dataclass
from functools import cached_property

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from approvals.decisions import DecisionService
from bot.card_loaders import card_loaders
from bot.config import Settings
from bot.digests.delivery import DigestDelivery
from bot.digests.queries import DigestQueries
from bot.digests.service import DigestService
from bot.engine.answers import AnswerService
from bot.engine.awaits import CHECK_WAIT
from bot.engine.budgets import Budgets
from bot.engine.card_queries import CardQueries
from bot.engine.changes import ChangeService
from bot.engine.channels import Channels
from bot.engine.connections import ConnectionDesk
from bot.engine.desk import ApprovalDesk
from bot.engine.drive import Engine
from bot.engine.forecast import Forecaster
from bot.engine.gate import Gate
from bot.engine.goals import GoalService
from bot.engine.halts import NUDGE_JOB, HaltService
from bot.engine.handoff import HandoffService
from bot.engine.happenings import Happenings
from bot.engine.home_queries import HomeQueries
from bot.engine.newer import Newer
from bot.engine.overdue import Overdue
from bot.engine.pauses import PauseService
from bot.engine.planning_job import PlanningJob
from bot.engine.plans import PlanService
from bot.engine.prepare import Preparer
from bot.engine.proposal import Proposals
from bot.engine.reading_job import ReadingJob
from bot.engine.remarks import READ_JOB, RemarkService
from bot.engine.rounds import Rounds
from bot.engine.sweep import Sweeper
from bot.engine.threads import ThreadService
from bot.engine.tidy import Tidier
from bot.engine.undo import UndoService
from bot.engine.unknown import UnknownService
from bot.engine.wakes import Wakes
from bot.engine.wishes import Wishes
from bot.engine_settings import read_limits, read_policy, read_timing
from bot.goals.links import LinkService
from bot.intake.app import Intake
from bot.intake.bolt import build_bolt
from bot.intake.dispatch import EventDispatcher
from bot.intake.installation import Installation
from bot.listeners.registration import register_listeners
from bot.listeners.services import Services
from bot.notifier.pump import Pump
from bot.notifier.renderers import Renderers
from bot.notifier.slack import SlackCards
from bot.people.profiles import Named
from bot.people.service import PeopleService
from bot.planning.outcome import Planner
from bot.planning.reading import Reader
from bot.planning.schema import shown_examples
from bot.providers import Connections
from bot.web.app import build_web
from bot.web.hooks import Hooks
from bot.web.metrics import MetricsPage
from bot.web.oauth import ConnectPages
from bot.worker.jobs import Job
from storage.database import Database
from storage.instants import DatabaseClock


@dataclass(kw_only=True)
class Parts:
    """What a running process is made of; `bot.serve` starts the ones of its role.

    Each part is made when it is first asked for, and once.
    """

    settings: Settings
    database: Database
    connections: Connections
    client: AsyncWebClient
    installation: Installation
    planner: Planner
    clock: DatabaseClock
    reader: Reader | None = None
    """Reads what is written in a goal's thread; None where no model is configured."""

    def __post_init__(self) -> None:
        self.registry = self.connections.registry
        self.timing = read_timing(self.settings)
        self.policy = read_policy(self.settings)
        self.decisions = DecisionService(policy_version=self.policy.version)
        self.forecaster = Forecaster(registry=self.registry, policy=self.policy)
        self.rounds = Rounds(
            registry=self.registry,
            can_replan=self.planner.can_replan,
            max_replans=self.settings.countersign_max_replans,
            max_rounds=self.settings.countersign_max_rounds,
        )
        self.budgets = Budgets(
            limits=read_limits(self.settings),
            registry=self.registry,
            decisions=self.decisions,
            rounds=self.rounds,
        )

    async def read_clock(self) -> None:
        """Set this process's clock by the database's."""
        async with self.database.reading() as tx:
            await self.clock.read(tx.session)

    @cached_property
    def people(self) -> PeopleService:
        named = Named(
            admins=frozenset(self.settings.countersign_admins),
            approvers=frozenset(self.settings.countersign_approvers),
        )
        return PeopleService(database=self.database, client=self.client, named=named)

    @cached_property
    def newer(self) -> Newer:
        return Newer(registry=self.registry, now=self.clock.now)

    @cached_property
    def engine(self) -> Engine:
        executor, registry = self.connections.executor, self.registry
        return Engine(
            database=self.database,
            registry=registry,
            executor=executor,
            preparer=Preparer(registry=registry, executor=executor, database=self.database),
            gate=Gate(policy=self.policy, decisions=self.decisions, lease_s=self.timing.lease_s),
            proposals=Proposals(forecaster=self.forecaster, registry=registry, rounds=self.rounds),
            rounds=self.rounds,
            budgets=self.budgets,
            timing=self.timing,
            newer=self.newer,
        )

    @cached_property
    def planning(self) -> PlanningJob:
        return PlanningJob(
            database=self.database,
            planner=self.planner,
            registry=self.registry,
            decisions=self.decisions,
            rounds=self.rounds,
            budgets=self.budgets,
            now=self.clock.now,
            stale_s=self.timing.stale_s,
        )

    @cached_property
    def reading(self) -> ReadingJob:
        return ReadingJob(
            database=self.database,
            reader=self.reader,
            registry=self.registry,
            wishes=self.wishes,
            changes=self.changes,
            rounds=self.rounds,
            budgets=self.budgets,
            now=self.clock.now,
        )

    @cached_property
    def handoffs(self) -> HandoffService:
        return HandoffService(
            database=self.database,
            registry=self.registry,
            decisions=self.decisions,
            grace_s=self.timing.call_timeout_s,
        )

    @cached_property
    def halts(self) -> HaltService:
        return HaltService(database=self.database, grace_s=self.timing.call_timeout_s)

    @cached_property
    def sweeper(self) -> Sweeper:
        return Sweeper(database=self.database, timing=self.timing, registry=self.registry)

    @cached_property
    def overdue(self) -> Overdue:
        days = self.settings.countersign_budget_days
        return Overdue(database=self.database, budgets=self.budgets, days=days)

    @cached_property
    def happenings(self) -> Happenings:
        return Happenings(
            database=self.database,
            registry=self.registry,
            executor=self.connections.executor,
            channels=Channels(
                database=self.database,
                executor=self.connections.executor,
                providers=self.connections.providers,
                public_url=self.settings.countersign_url,
            ),
            newer=self.newer,
        )

    @cached_property
    def wakes(self) -> Wakes:
        return Wakes(database=self.database)

    @cached_property
    def tidier(self) -> Tidier:
        return Tidier(database=self.database, keep_s=self.settings.keep_s)

    @cached_property
    def desk(self) -> ApprovalDesk:
        return ApprovalDesk(
            database=self.database,
            decisions=self.decisions,
            registry=self.registry,
            rounds=self.rounds,
        )

    @cached_property
    def connection_desk(self) -> ConnectionDesk:
        return ConnectionDesk(
            database=self.database,
            flow=self.connections.flow,
            decisions=self.decisions,
            providers=self.connections.providers,
            public_url=self.settings.countersign_url,
        )

    @cached_property
    def digests(self) -> DigestQueries:
        return DigestQueries(registry=self.registry)

    @cached_property
    def delivery(self) -> DigestDelivery:
        return DigestDelivery(database=self.database, queries=self.digests, now=self.clock.now)

    @cached_property
    def homes(self) -> HomeQueries:
        return HomeQueries(
            database=self.database,
            registry=self.registry,
            examples=shown_examples(self.registry),
            now=self.clock.now,
        )

    @cached_property
    def cards(self) -> CardQueries:
        return CardQueries(registry=self.registry, forecaster=self.forecaster)

    @cached_property
    def undos(self) -> UndoService:
        return UndoService(database=self.database, registry=self.registry)

    @cached_property
    def pauses(self) -> PauseService:
        return PauseService(database=self.database)

    @cached_property
    def wishes(self) -> Wishes:
        return Wishes(registry=self.registry, forecaster=self.forecaster, decisions=self.decisions)

    @cached_property
    def changes(self) -> ChangeService:
        return ChangeService(registry=self.registry, wishes=self.wishes, now=self.clock.now)

    @cached_property
    def goals(self) -> GoalService:
        threads = ThreadService(
            pauses=self.pauses,
            undos=self.undos,
            changes=self.changes,
            answers=self.answers,
            can_read=self.reader is not None,
        )
        return GoalService(database=self.database, decisions=self.decisions, threads=threads)

    @cached_property
    def answers(self) -> AnswerService:
        return AnswerService(
            database=self.database,
            registry=self.registry,
            decisions=self.decisions,
            now=self.clock.now,
        )

    @cached_property
    def services(self) -> Services:
        """Return what listeners call."""
        database, registry = self.database, self.registry
        return Services(
            database=database,
            people=self.people,
            goals=self.goals,
            pauses=self.pauses,
            plans=PlanService(
                database=database,
                registry=registry,
                forecaster=self.forecaster,
                decisions=self.decisions,
            ),
            approvals=self.desk,
            undos=self.undos,
            answers=self.answers,
            unknowns=UnknownService(database=database),
            handoffs=self.handoffs,
            remarks=RemarkService(
                database=database, wishes=self.wishes, rounds=self.rounds, budgets=self.budgets
            ),
            halts=self.halts,
            connections=self.connection_desk,
            digests=DigestService(database=database, queries=self.digests, now=self.clock.now),
            links=LinkService(database=database, public_url=self.settings.countersign_url),
            homes=self.homes,
        )

    @cached_property
    def bolt(self) -> AsyncApp:
        bolt = build_bolt(self.client, self.installation)
        register_listeners(bolt, self.services)
        return bolt

    @cached_property
    def dispatcher(self) -> EventDispatcher:
        return EventDispatcher(
            database=self.database,
            bolt=self.bolt,
            lease_s=self.settings.countersign_event_lease_s,
        )

    @cached_property
    def pump(self) -> Pump:
        loaders = card_loaders(
            cards=self.cards,
            connects=self.connection_desk,
            handoffs=self.handoffs,
            digests=self.digests,
            homes=self.homes,
            registry=self.registry,
        )
        return Pump(
            database=self.database,
            renderers=Renderers(loaders),
            slack=SlackCards(self.client),
            lease_s=self.settings.countersign_card_lease_s,
        )

    @cached_property
    def web(self) -> Starlette:
        intake = Intake(
            database=self.database,
            bolt=self.bolt,
            installation=self.installation,
            signing_secret=self.settings.slack_signing_secret.get_secret_value(),
            clock=lambda: self.clock.now().timestamp(),
        )
        hooks = Hooks(
            database=self.database,
            registry=self.registry,
            providers=self.connections.providers,
            public_url=self.settings.countersign_url,
            now=self.clock.now,
        )
        pages = ConnectPages(
            flow=self.connections.flow,
            database=self.database,
            providers=self.connections.providers,
            on_connected=self.connection_desk.connected,
            is_https=self.settings.countersign_url.startswith("https://"),
        )
        token = self.settings.countersign_metrics_token
        metrics = MetricsPage(
            database=self.database, token=token.get_secret_value() if token else None
        )
        return build_web(
            database=self.database,
            cards=self.cards,
            routes=[*intake.routes(), *hooks.routes(), *pages.routes(), *metrics.routes()],
        )

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        return (
            Job("drive", self.engine.drive, gave_up=self.handoffs.stop_goal),
            Job("plan_goal", self.planning.plan_goal, gave_up=self.handoffs.stop_goal),
            Job(READ_JOB, self.reading.read_remark, gave_up=self.reading.gave_up),
            Job(CHECK_WAIT, self.happenings.check_wait),
            Job(NUDGE_JOB, self.halts.nudge_held),
            Job("handle_event", self.dispatcher.handle_event),
            Job("post_cards", self.pump.post_cards),
        )
