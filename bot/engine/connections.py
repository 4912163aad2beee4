"""Connections as a person meets them: the card that asks, the link, and what follows."""

import hashlib
import secrets
from collections.abc import Mapping

from approvals.decisions import DecisionService
from bot.engine.cards import ConnectCard
from bot.engine.drive import defer_drive
from bot.goals.clicks import Answer, Click
from bot.goals.lifecycle import SETTLED, move_task
from connectors.actions import Effect
from connectors.oauth import Fetched, OAuthFlow
from connectors.settings import ProviderSettings
from storage import outbox
from storage.database import Database, Transaction
from storage.tables.approvals import ApprovalStatus
from storage.tables.connections import ConnectionStatus
from storage.tables.goals import TaskStatus

LINK_LIVES_S = 24 * 3600.0
"""A card is read hours later; the link works for its person only until the flow begins anew."""


class ConnectionDesk:
    """Connects and disconnects providers for one person at a time."""

    def __init__(
        self,
        *,
        database: Database,
        flow: OAuthFlow,
        decisions: DecisionService,
        providers: Mapping[str, ProviderSettings],
        public_url: str,
    ) -> None:
        self._database = database
        self._flow = flow
        self._decisions = decisions
        self._providers = providers
        self._public_url = public_url

    async def connect(self, click: Click, provider: str) -> Answer:
        """Return a link for this person to connect a provider; reading comes first (S27)."""
        settings = self._providers.get(provider)
        if settings is None or not settings.is_set_up:
            return Answer("That is not set up here yet; ask an admin.", ok=False)
        scopes = {
            scope
            for entry in settings.manifest.actions.values()
            if Effect.READ in entry.effects
            for scope in entry.scopes
        }
        async with self._database.transaction() as tx:
            url = await self._link(
                tx, click.team_id, click.person_id, provider, scopes=scopes, goal_id=None
            )
        return Answer(f"Connect {settings.manifest.title} here:", url=url)

    async def disconnect(self, click: Click, provider: str) -> Answer:
        """Revoke at the provider, delete the tokens, withdraw what is pending (S26)."""
        title = self._providers[provider].manifest.title if provider in self._providers else ""
        if not await self._flow.disconnect(
            team_id=click.team_id, person_id=click.person_id, provider=provider
        ):
            return Answer("That is not connected.", ok=False)
        async with self._database.transaction() as tx:
            await outbox.touch(
                tx, team_id=click.team_id, noun="home", subject=click.person_id, priority=1
            )
            for goal in await tx.goals.list_for(click.team_id, click.person_id, limit=200):
                if goal.status in SETTLED:
                    continue
                await tx.goals.lock(goal.team_id, goal.id)
                await self._withdraw(tx, goal.team_id, goal.id, provider)
        return Answer(f"{title} is disconnected and its tokens are deleted.")

    async def connected(self, fetched: Fetched) -> None:
        """Let everything of this person go on that waited for this provider."""
        async with self._database.transaction() as tx:
            waiting = await tx.tasks.list_needing_connection(fetched.team_id, fetched.person_id)
            await outbox.touch(
                tx, team_id=fetched.team_id, noun="home", subject=fetched.person_id, priority=1
            )
        goals = {
            goal_id for goal_id, task in waiting if task.action.startswith(f"{fetched.provider}.")
        }
        for goal_id in sorted(goals):
            await self._resume(fetched.team_id, fetched.person_id, fetched.provider, goal_id)

    async def sweep(self) -> None:
        """Resume what waits although its provider is connected; forget flows and links that ended.

        A process that dies between storing a connection and resuming its goals leaves such tasks;
        one that dies between ending a connection and withdrawing leaves an approver's card.
        What waits for a provider that an upgrade removed is resumed too: it ends with a sentence.
        """
        async with self._database.transaction() as tx:
            waiting = await tx.tasks.list_connected_waiting()
            asking = await tx.connections.list_asking_without()
            stranded = await tx.tasks.list_unconnectable(providers=list(self._providers))
            await tx.connections.delete_old_states()
            await tx.links.delete_old()
        for goal, task in stranded:
            provider = task.action.partition(".")[0]
            await self._resume(goal.team_id, goal.requester_id, provider, goal.id)
        for gone, goal_id in asking:
            async with self._database.transaction() as tx:
                await tx.goals.lock(gone.team_id, goal_id)
                await self._withdraw(tx, gone.team_id, goal_id, gone.provider)
        for connection, goal_id, task in waiting:
            if connection.provider not in self._providers:
                continue
            settings = self._providers[connection.provider]
            asked = (task.failure or {}).get("scopes", ())
            if not settings.manifest.missing(asked=asked, granted=connection.scopes):
                await self._resume(
                    connection.team_id, connection.person_id, connection.provider, goal_id
                )

    async def card(self, tx: Transaction, team_id: str, subject: str) -> ConnectCard | None:
        """Return the card that asks for a provider; `subject` is `goal id:provider`."""
        goal_id, _, provider = subject.partition(":")
        goal = await tx.goals.get(team_id, int(goal_id))
        settings = self._providers.get(provider)
        if settings is None:
            return None
        waiting = [
            task
            for task in await tx.tasks.list_(team_id, goal.id)
            if task.status is TaskStatus.NEEDS_CONNECTION and task.action.startswith(f"{provider}.")
        ]
        scopes = {scope for task in waiting for scope in (task.failure or {}).get("scopes", ())}
        connection = await tx.connections.find(team_id, goal.requester_id, provider)
        is_live = connection is not None and connection.status is ConnectionStatus.CONNECTED
        done = not waiting and is_live and connection is not None
        if not waiting and not done:
            return None
        url = ""
        if not done:
            url = await self._link(
                tx, team_id, goal.requester_id, provider, scopes=scopes, goal_id=goal.id
            )
        return ConnectCard(
            provider=provider,
            title=settings.manifest.title,
            scopes=tuple(
                settings.manifest.scopes[scope]
                for scope in sorted(scopes)
                if scope in settings.manifest.scopes
            ),
            why=goal.text,
            url=url,
            connected_as=connection.account if done and connection is not None else None,
        )

    async def _link(
        self,
        tx: Transaction,
        team_id: str,
        person_id: str,
        provider: str,
        *,
        scopes: set[str],
        goal_id: int | None,
    ) -> str:
        token = secrets.token_urlsafe(32)
        await tx.links.add(
            token_hash=hashlib.sha256(token.encode()).hexdigest(),
            team_id=team_id,
            person_id=person_id,
            kind="connect",
            data={"provider": provider, "scopes": sorted(scopes), "goal_id": goal_id},
            lives_s=LINK_LIVES_S,
        )
        return f"{self._public_url}/connect/{token}"

    async def _resume(self, team_id: str, person_id: str, provider: str, goal_id: int) -> None:
        async with self._database.transaction() as tx:
            goal = await tx.goals.lock(team_id, goal_id)
            for task in await tx.tasks.list_(team_id, goal_id):
                if task.status is TaskStatus.NEEDS_CONNECTION and task.action.startswith(
                    f"{provider}."
                ):
                    await move_task(
                        tx,
                        task,
                        to=TaskStatus.READY,
                        actor=person_id,
                        failure=None,
                        not_before=None,
                    )
            await defer_drive(tx, goal.team_id, goal.id)
            for noun, subject in (("goal", str(goal.id)), ("connect", f"{goal.id}:{provider}")):
                await outbox.touch(tx, team_id=team_id, noun=noun, subject=subject, priority=1)

    async def _withdraw(self, tx: Transaction, team_id: str, goal_id: int, provider: str) -> None:
        """Take back what people were asked about calls through this connection."""
        for task in await tx.tasks.list_(team_id, goal_id):
            if task.status is not TaskStatus.NEEDS_APPROVAL:
                continue
            item = await tx.approvals.latest_item(team_id, task.id)
            if item is None or not task.action.startswith(f"{provider}."):
                continue
            if item.status is ApprovalStatus.PENDING:
                await self._decisions.withdraw(
                    tx, item, reason="the requester disconnected the provider"
                )
            await move_task(tx, task, to=TaskStatus.READY)
            await outbox.touch(tx, team_id=team_id, noun="approval", subject=item.approval_id)
            await outbox.touch(tx, team_id=team_id, noun="goal", subject=goal_id)
        await defer_drive(tx, team_id, goal_id)
