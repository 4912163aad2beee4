"""Teams and people: a Slack workspace and its members."""

from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, CreatedAt, Instant


class Role(StrEnum):
    """What a person may do besides asking for goals."""

    MEMBER = "member"
    APPROVER = "approver"
    ADMIN = "admin"


class Team(Base):
    __tablename__ = "teams"

    team_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    bot_user_id: Mapped[str]
    created_at: Mapped[CreatedAt]


class Person(Base):
    """A member of a team as last read from Slack's `users.info`."""

    __tablename__ = "people"

    team_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None]
    zone: Mapped[str]
    role: Mapped[Role] = mapped_column(default=Role.MEMBER)
    is_guest: Mapped[bool]
    is_bot: Mapped[bool]
    is_active: Mapped[bool]
    dm_channel_id: Mapped[str | None]
    read_at: Mapped[Instant]
