"""Connections with their encrypted tokens, and the OAuth flows that make them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import NotFoundError
from storage.instants import from_now
from storage.repositories.direct import Direct, selected
from storage.repositories.tasks import seconds
from storage.tables.connections import Connection, ConnectionStatus, OAuthState
from storage.tables.goals import Goal, Task, TaskStatus

_OF_PERSON = selected(
    Connection, "WHERE team_id = %(team)s AND person_id = %(person)s ORDER BY provider"
)


class ConnectionRepository:
    """Holds ciphertext only: the token broker encrypts and decrypts."""

    def __init__(self, session: AsyncSession, direct: Direct) -> None:
        self._session = session
        self._direct = direct

    async def connect(
        self,
        *,
        team_id: str,
        person_id: str,
        provider: str,
        account: str,
        scopes: Sequence[str],
        secret: bytes,
        expires_at: datetime | None,
    ) -> Connection:
        """Store a connection, or replace the tokens of the one that is there."""
        values = {
            "status": ConnectionStatus.CONNECTED,
            "account": account,
            "scopes": sorted(scopes),
            "secret": secret,
            "expires_at": expires_at,
        }
        rows = await self._session.scalars(
            insert(Connection)
            .values(team_id=team_id, person_id=person_id, provider=provider, version=1, **values)
            .on_conflict_do_update(
                index_elements=["team_id", "person_id", "provider"],
                set_=values
                | {
                    "version": Connection.version + 1,
                    "lease_owner": None,
                    "lease_until": None,
                    "updated_at": func.now(),
                },
            )
            .returning(Connection)
            .execution_options(populate_existing=True)
        )
        return rows.one()

    async def find(self, team_id: str, person_id: str, provider: str) -> Connection | None:
        return await self._session.scalar(
            select(Connection)
            .where(
                Connection.team_id == team_id,
                Connection.person_id == person_id,
                Connection.provider == provider,
            )
            .execution_options(populate_existing=True)
        )

    async def get(self, team_id: str, connection_id: int) -> Connection:
        """Return a connection.

        Raises:
            NotFoundError: when this team has none of that id.
        """
        found = await self._session.scalar(
            select(Connection)
            .where(Connection.team_id == team_id, Connection.id == connection_id)
            .execution_options(populate_existing=True)
        )
        if found is None:
            raise NotFoundError("connection", connection_id)
        return found

    async def get_to_use(self, team_id: str, connection_id: int) -> tuple[Connection, float]:
        """Return a connection, and how many seconds it is still to rest (0: not at all).

        Raises:
            NotFoundError: when this team has none of that id.
        """
        left = func.extract("epoch", Connection.resting_until - func.clock_timestamp())
        rows = await self._session.execute(
            select(Connection, left)
            .where(Connection.team_id == team_id, Connection.id == connection_id)
            .execution_options(populate_existing=True)
        )
        found = rows.one_or_none()
        if found is None:
            raise NotFoundError("connection", connection_id)
        return found[0], max(0.0, float(found[1] or 0))

    async def rest(self, connection: Connection, *, for_s: float) -> None:
        """Let a connection rest; a longer rest that was asked for earlier stays."""
        until = func.greatest(Connection.resting_until, from_now(for_s))
        await self._session.execute(
            update(Connection)
            .where(Connection.team_id == connection.team_id, Connection.id == connection.id)
            .values(resting_until=until)
            .execution_options(synchronize_session=False)
        )

    async def list_(self, team_id: str, person_id: str) -> Sequence[Connection]:
        wanted = {"team": team_id, "person": person_id}
        return await self._direct.objects(Connection, _OF_PERSON, wanted)

    async def count_of_account(
        self, team_id: str, provider: str, account: str, *, without: str | None = None
    ) -> int:
        """Return how many people have this account of a provider connected.

        Args:
            team_id: whose people.
            provider: where the account is.
            account: as the provider names it, in any case of letters.
            without: a person who does not count.
        """
        same = select(func.count()).where(
            Connection.team_id == team_id,
            Connection.provider == provider,
            func.lower(Connection.account) == account.lower(),
            Connection.status != ConnectionStatus.DISCONNECTED,
        )
        if without is not None:
            same = same.where(Connection.person_id != without)
        return await self._session.scalar(same) or 0

    async def claim_refresh(self, connection: Connection, *, owner: str, lease_s: float) -> bool:
        """Win the right to refresh the version that was read; one process does (S25)."""
        claimed = await self._session.scalar(
            update(Connection)
            .where(
                Connection.team_id == connection.team_id,
                Connection.id == connection.id,
                Connection.version == connection.version,
                Connection.status == ConnectionStatus.CONNECTED,
                or_(Connection.lease_until.is_(None), Connection.lease_until < func.now()),
            )
            .values(lease_owner=owner, lease_until=func.now() + seconds(lease_s))
            .returning(Connection.id)
            .execution_options(synchronize_session=False)
        )
        return claimed is not None

    async def save_refresh(
        self,
        connection: Connection,
        *,
        owner: str,
        secret: bytes,
        expires_at: datetime | None,
    ) -> bool:
        """Store refreshed tokens, guarded by the lease; False when it was lost meanwhile."""
        saved = await self._session.scalar(
            update(Connection)
            .where(
                Connection.team_id == connection.team_id,
                Connection.id == connection.id,
                Connection.version == connection.version,
                Connection.lease_owner == owner,
            )
            .values(
                secret=secret,
                expires_at=expires_at,
                version=Connection.version + 1,
                lease_owner=None,
                lease_until=None,
                updated_at=func.now(),
            )
            .returning(Connection.id)
            .execution_options(synchronize_session=False)
        )
        return saved is not None

    async def release(self, connection: Connection, *, owner: str) -> None:
        """Give the lease back after a failure that may pass; the stored token stays as it is."""
        await self._session.execute(
            update(Connection)
            .where(
                Connection.team_id == connection.team_id,
                Connection.id == connection.id,
                Connection.lease_owner == owner,
            )
            .values(lease_owner=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )

    async def mark_reconnect(self, connection: Connection) -> bool:
        """Mark the version that was read as refused by the provider; False if it changed."""
        marked = await self._session.scalar(
            update(Connection)
            .where(
                Connection.team_id == connection.team_id,
                Connection.id == connection.id,
                Connection.version == connection.version,
                Connection.status == ConnectionStatus.CONNECTED,
            )
            .values(
                status=ConnectionStatus.RECONNECT,
                lease_owner=None,
                lease_until=None,
                updated_at=func.now(),
            )
            .returning(Connection.id)
            .execution_options(synchronize_session=False)
        )
        return marked is not None

    async def disconnect(self, connection: Connection) -> None:
        """Delete the tokens (S26)."""
        await self._session.execute(
            update(Connection)
            .where(Connection.team_id == connection.team_id, Connection.id == connection.id)
            .values(
                status=ConnectionStatus.DISCONNECTED,
                secret=None,
                expires_at=None,
                scopes=[],
                version=Connection.version + 1,
                lease_owner=None,
                lease_until=None,
                updated_at=func.now(),
            )
            .execution_options(synchronize_session=False)
        )

    async def list_asking_without(self, *, limit: int = 200) -> Sequence[tuple[Connection, int]]:
        """Return (connection, goal) where approvers are asked about a connection that has gone.

        Only connections that ended within a day are looked at: this is for a process that died
        between ending one and taking back what was asked.
        """
        rows = await self._session.execute(
            select(Connection, Goal.id)
            .join(
                Goal,
                (Goal.team_id == Connection.team_id) & (Goal.requester_id == Connection.person_id),
            )
            .join(Task, Task.goal_id == Goal.id)
            .where(
                Connection.status == ConnectionStatus.DISCONNECTED,
                Connection.updated_at > func.now() - seconds(86_400),
                Goal.settled_at.is_(None),
                Task.status == TaskStatus.NEEDS_APPROVAL,
                func.split_part(Task.action, ".", 1) == Connection.provider,
            )
            .limit(limit)
        )
        return [(row[0], row[1]) for row in rows]

    async def add_state(
        self,
        *,
        state_hash: str,
        team_id: str,
        person_id: str,
        provider: str,
        scopes: Sequence[str],
        secret: bytes,
        browser_hash: str,
        goal_id: int | None,
        lives_s: float,
    ) -> None:
        """Store an authorization request on its way (S24)."""
        await self._session.execute(
            insert(OAuthState).values(
                state_hash=state_hash,
                team_id=team_id,
                person_id=person_id,
                provider=provider,
                scopes=sorted(scopes),
                secret=secret,
                browser_hash=browser_hash,
                goal_id=goal_id,
                expires_at=func.now() + seconds(lives_s),
            )
        )

    async def consume_state(self, state_hash: str) -> OAuthState | None:
        """Spend an authorization request; None when it is unknown, spent or too old."""
        rows = await self._session.scalars(
            update(OAuthState)
            .where(
                OAuthState.state_hash == state_hash,
                OAuthState.used_at.is_(None),
                OAuthState.expires_at > func.now(),
            )
            .values(used_at=func.now())
            .returning(OAuthState)
            .execution_options(synchronize_session=False)
        )
        return rows.one_or_none()

    async def find_state(self, state_hash: str) -> OAuthState | None:
        """Return an authorization request whatever became of it, to say why it is refused."""
        return await self._session.get(OAuthState, state_hash)

    async def keep_fetched(self, state_hash: str, *, secret: bytes) -> None:
        """Keep fetched tokens, sealed, until the person confirms both identities."""
        await self._session.execute(
            update(OAuthState)
            .where(OAuthState.state_hash == state_hash, OAuthState.confirmed_at.is_(None))
            .values(secret=secret)
            .execution_options(synchronize_session=False)
        )

    async def confirm_state(self, state_hash: str) -> OAuthState | None:
        """Spend the confirmation of fetched tokens; None when there is none to be spent."""
        rows = await self._session.scalars(
            update(OAuthState)
            .where(
                OAuthState.state_hash == state_hash,
                OAuthState.used_at.is_not(None),
                OAuthState.confirmed_at.is_(None),
                OAuthState.expires_at > func.now(),
            )
            .values(confirmed_at=func.now())
            .returning(OAuthState)
            .execution_options(synchronize_session=False)
        )
        return rows.one_or_none()

    async def delete_old_states(self) -> None:
        """Forget authorization requests that ended a day ago."""
        await self._session.execute(
            delete(OAuthState)
            .where(OAuthState.expires_at < func.now() - seconds(86_400))
            .execution_options(synchronize_session=False)
        )
