"""Teams and people."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.errors import NotFoundError
from storage.repositories.direct import Direct, Row, Wish, selected
from storage.tables.people import Person, Role, Team

_FIND = selected(Person, "WHERE team_id = %(team)s AND person_id = %(person)s")
_ACTIVE = selected(Person, "WHERE team_id = %(team)s AND is_active ORDER BY person_id")
_REQUESTER = selected(
    Person,
    "WHERE team_id = %(team)s AND person_id = "
    "(SELECT requester_id FROM goals WHERE team_id = %(team)s AND id = %(goal)s)",
)


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What is known about a person, as just read."""

    name: str
    email: str | None
    zone: str
    role: Role
    is_guest: bool
    is_bot: bool
    is_active: bool


class PersonRepository:
    """Reads and keeps people; it never asks Slack."""

    def __init__(self, session: AsyncSession, direct: Direct) -> None:
        self._session = session
        self._direct = direct
        self._known: dict[tuple[str, str], Person] = {}

    async def upsert_team(self, *, team_id: str, name: str, bot_user_id: str) -> None:
        added = insert(Team).values(team_id=team_id, name=name, bot_user_id=bot_user_id)
        await self._session.execute(
            added.on_conflict_do_update(
                index_elements=["team_id"],
                set_={"name": added.excluded.name, "bot_user_id": added.excluded.bot_user_id},
            )
        )

    async def find_team(self, team_id: str) -> Team | None:
        return await self._session.scalar(select(Team).where(Team.team_id == team_id))

    async def list_teams(self) -> Sequence[str]:
        """Return the ids of every team."""
        rows = await self._session.scalars(select(Team.team_id).order_by(Team.team_id))
        return rows.all()

    async def upsert(self, team_id: str, person_id: str, facts: PersonFacts) -> Person:
        """Store what was just read and return the person; what we noted ourselves stays."""
        values = asdict(facts)
        rows = await self._session.scalars(
            insert(Person)
            .values(team_id=team_id, person_id=person_id, read_at=func.now(), **values)
            .on_conflict_do_update(
                index_elements=["team_id", "person_id"], set_={**values, "read_at": func.now()}
            )
            .returning(Person)
            .execution_options(populate_existing=True)
        )
        return rows.one()

    async def find(self, team_id: str, person_id: str) -> Person | None:
        """Return somebody as they were when this transaction first read them."""
        known = self._known.get((team_id, person_id))
        if known is None:
            wanted = {"team": team_id, "person": person_id}
            known = await self._direct.object(Person, _FIND, wanted)
            if known is not None:
                self._known[team_id, person_id] = known
        return known

    def asking_for(self, team_id: str, goal_id: int) -> Wish:
        """Return the statement that reads a goal's requester; `keep` takes what it returns."""
        return _REQUESTER, {"team": team_id, "goal": goal_id}

    def keep(self, rows: Sequence[Row]) -> None:
        """Note people who were read; `find` gives them from here on."""
        for person in self._direct.made(Person, rows):
            self._known.setdefault((person.team_id, person.person_id), person)

    async def get(self, team_id: str, person_id: str) -> Person:
        """Return a person.

        Raises:
            NotFoundError: when nobody of that id was ever read in this team.
        """
        person = await self.find(team_id, person_id)
        if person is None:
            raise NotFoundError("person", person_id)
        return person

    async def find_by_email(self, team_id: str, email: str) -> Person | None:
        """Return the active member with this address, in any case of letters."""
        return await self._session.scalar(
            select(Person)
            .where(
                Person.team_id == team_id,
                func.lower(Person.email) == email.strip().lower(),
                Person.is_active,
            )
            .limit(1)
        )

    async def list_active(self, team_id: str) -> Sequence[Person]:
        return await self._direct.objects(Person, _ACTIVE, {"team": team_id})

    async def list_by_role(self, team_id: str, role: Role) -> Sequence[Person]:
        rows = await self._session.scalars(
            select(Person)
            .where(Person.team_id == team_id, Person.is_active, Person.role == role)
            .order_by(Person.person_id)
        )
        return rows.all()

    async def set_dm_channel(self, team_id: str, person_id: str, channel_id: str) -> None:
        """Remember the direct-message channel that was opened with a person."""
        await self._session.execute(
            update(Person)
            .where(Person.team_id == team_id, Person.person_id == person_id)
            .values(dm_channel_id=channel_id)
            .execution_options(synchronize_session=False)
        )
