"""What `doctor` asks of the database besides its health."""

from collections.abc import Sequence

from sqlalchemy import select, text

from storage.database import Database
from storage.tables.connections import Connection, ConnectionStatus
from storage.tables.people import Person, Role, Team

_PER_MAJOR = 10_000


async def server_version(database: Database) -> int:
    """Return PostgreSQL's major version.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database does not let us in.
        OSError: it cannot be reached.
    """
    async with database.transaction() as tx:
        number = await tx.session.scalar(text("SHOW server_version_num"))
    return int(number) // _PER_MAJOR


async def find_sealed_connection(database: Database) -> Connection | None:
    """Return any connection with a stored secret."""
    async with database.transaction() as tx:
        return await tx.session.scalar(
            select(Connection).where(Connection.secret.is_not(None)).limit(1)
        )


async def find_admin_connection(
    database: Database, team_id: str, provider: str
) -> Connection | None:
    """Return a live connection of one of the team's admins."""
    async with database.transaction() as tx:
        return await tx.session.scalar(
            select(Connection)
            .join(
                Person,
                (Person.team_id == Connection.team_id) & (Person.person_id == Connection.person_id),
            )
            .where(
                Connection.team_id == team_id,
                Connection.provider == provider,
                Connection.status == ConnectionStatus.CONNECTED,
                Person.role == Role.ADMIN,
                Person.is_active,
            )
            .order_by(Connection.id)
            .limit(1)
        )


async def list_team_ids(database: Database) -> Sequence[str]:
    """Return the teams that have ever run here."""
    async with database.transaction() as tx:
        return (await tx.session.scalars(select(Team.team_id).order_by(Team.team_id))).all()
