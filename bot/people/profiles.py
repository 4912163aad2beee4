"""Slack's user objects → what we keep of a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict

from storage.repositories.people import PersonFacts
from storage.tables.people import Role

DEFAULT_ZONE = "UTC"


@dataclass(frozen=True, slots=True)
class Named:
    """Who the settings name, by person id or e-mail address."""

    admins: frozenset[str] = frozenset()
    approvers: frozenset[str] = frozenset()

    @property
    def has_admin(self) -> bool:
        return bool(self.admins)


class _Vendor(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Profile(_Vendor):
    real_name: str = ""
    display_name: str = ""
    email: str | None = None


class SlackUser(_Vendor):
    """The part of a user object that we read.

    Source: https://docs.slack.dev/reference/objects/user-object
    """

    id: str
    team_id: str | None = None
    name: str = ""
    real_name: str = ""
    deleted: bool = False
    tz: str | None = None
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_primary_owner: bool = False
    profile: _Profile = _Profile()


def facts_of(user: Mapping[str, Any], *, team_id: str, named: Named) -> PersonFacts:
    """Return what to keep of a user; somebody of another workspace counts as a guest (S13)."""
    read = SlackUser.model_validate(user)
    is_external = read.is_stranger or read.team_id not in {None, team_id}
    is_guest = read.is_restricted or read.is_ultra_restricted or is_external
    is_own = not is_guest and not read.is_bot and read.id != "USLACKBOT"
    profile = read.profile
    return PersonFacts(
        name=profile.real_name or read.real_name or profile.display_name or read.name or read.id,
        email=profile.email,
        zone=_zone(read.tz),
        role=_role(read, named) if is_own else Role.MEMBER,
        is_guest=is_guest,
        is_bot=read.is_bot or read.id == "USLACKBOT",
        is_active=not read.deleted,
    )


def _role(user: SlackUser, named: Named) -> Role:
    """Return the role that the settings give; where they name no admin, the owner is one."""
    keys = {user.id.casefold(), (user.profile.email or "").casefold()} - {""}
    if keys & {name.casefold() for name in named.admins}:
        return Role.ADMIN
    if not named.has_admin and user.is_primary_owner:
        return Role.ADMIN
    return Role.APPROVER if keys & {name.casefold() for name in named.approvers} else Role.MEMBER


def _zone(name: str | None) -> str:
    """Return an IANA zone that exists here; people without one get UTC."""
    try:
        return ZoneInfo(name or DEFAULT_ZONE).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return DEFAULT_ZONE
