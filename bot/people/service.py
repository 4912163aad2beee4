"""Who is who: people as Slack knows them, kept for an hour."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import stamina
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.people.profiles import Named, facts_of
from storage.database import Database
from storage.tables.people import Person, Role

FRESH_FOR = timedelta(hours=1)

START_S = 120.0
"""How long a start waits at most for Slack to answer again; its limits are by the minute."""

_UNKNOWN_PERSON = frozenset({"users_not_found", "user_not_found", "user_not_visible"})


class PeopleService:
    """Reads people from Slack when they are unknown or were read more than an hour ago."""

    def __init__(self, *, database: Database, client: AsyncWebClient, named: Named) -> None:
        self._database = database
        self._client = client
        self._named = named

    async def get(self, team_id: str, person_id: str) -> Person:
        """Return a person, freshly read if need be. Asks Slack outside any transaction.

        How fresh is judged by this machine's own clock: one that is minutes off reads a little
        more often or more rarely.

        Raises:
            SlackApiError: Slack does not know or show this person, or refuses to answer.
        """
        async with self._database.transaction() as tx:
            known = await tx.people.find(team_id, person_id)
        if known is not None and known.read_at > datetime.now(UTC) - FRESH_FOR:
            return known
        reply = await self._client.users_info(user=person_id)
        return await self._keep(team_id, reply["user"])

    async def refresh(self, team_id: str, user: Mapping[str, Any]) -> Person | None:
        """Keep a changed profile of somebody we know; None for everybody else."""
        async with self._database.transaction() as tx:
            known = await tx.people.find(team_id, str(user.get("id")))
        return None if known is None else await self._keep(team_id, user)

    async def prepare(self, team_id: str) -> None:
        """Read everybody whom the settings name, and the owner where they name no admin.

        A person has to be known before policy can ask them. Names that Slack does not know are
        skipped: `doctor` reports them. Where Slack asks to wait, this waits: many processes may
        start at once.

        Raises:
            SlackApiError: Slack refuses to answer, or still asks to wait after `START_S`.
        """
        for name in sorted(self._named.admins | self._named.approvers):
            async for attempt in _patiently():
                with attempt:
                    await self._read_named(team_id, name)
        if not self._named.has_admin:
            async for attempt in _patiently():
                with attempt:
                    await self._read_owner(team_id)

    async def list_by_role(self, team_id: str, role: Role) -> Sequence[Person]:
        """Return the active people of a role, as last read."""
        async with self._database.transaction() as tx:
            return await tx.people.list_by_role(team_id, role)

    async def find_by_email(self, team_id: str, email: str) -> Person | None:
        """Return the active member with this address, as last read."""
        async with self._database.transaction() as tx:
            return await tx.people.find_by_email(team_id, email)

    async def _read_owner(self, team_id: str) -> None:
        async for user in self._everybody():
            if user.get("is_primary_owner"):
                await self._keep(team_id, user)
                return

    async def _read_named(self, team_id: str, name: str) -> None:
        try:
            if "@" in name:
                reply = await self._client.users_lookupByEmail(email=name)
                await self._keep(team_id, reply["user"])
            else:
                await self.get(team_id, name)
        except SlackApiError as err:
            if err.response.get("error") not in _UNKNOWN_PERSON:
                raise

    async def _everybody(self) -> AsyncIterator[Mapping[str, Any]]:
        async for page in await self._client.users_list(limit=200):
            for user in page["members"]:
                yield user

    async def _keep(self, team_id: str, user: Mapping[str, Any]) -> Person:
        facts = facts_of(user, team_id=team_id, named=self._named)
        async with self._database.transaction() as tx:
            return await tx.people.upsert(team_id, str(user["id"]), facts)


def _patiently() -> AsyncIterator[stamina.Attempt]:
    return stamina.retry_context(on=_wait_s, attempts=None, timeout=START_S)


def _wait_s(error: Exception) -> float | bool:
    """Return how long Slack asks to wait, or False where waiting does not help."""
    if not isinstance(error, SlackApiError) or error.response.get("error") != "ratelimited":
        return False
    return float(error.response.headers.get("Retry-After", 1))
