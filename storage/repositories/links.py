"""Links: short-lived pages that a person was given in Slack; only a token's hash is stored."""

from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.repositories.tasks import seconds
from storage.tables.connections import Link


class LinkRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        *,
        token_hash: str,
        team_id: str,
        person_id: str,
        kind: str,
        data: dict[str, Any],
        lives_s: float,
    ) -> None:
        await self._session.execute(
            insert(Link).values(
                token_hash=token_hash,
                team_id=team_id,
                person_id=person_id,
                kind=kind,
                data=data,
                expires_at=func.now() + seconds(lives_s),
            )
        )

    async def find(self, token_hash: str, *, kind: str) -> Link | None:
        """Return a link that still lives."""
        return await self._session.scalar(
            select(Link).where(
                Link.token_hash == token_hash, Link.kind == kind, Link.expires_at > func.now()
            )
        )

    async def delete_old(self) -> None:
        """Forget links that ended."""
        await self._session.execute(
            delete(Link)
            .where(Link.expires_at < func.now())
            .execution_options(synchronize_session=False)
        )
