"""Who is who: read from Slack, kept, and given a role by the settings."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.people.profiles import Named, facts_of
from bot.people.service import PeopleService
from storage.tables.people import Role
from tests.bot.slack_bot import TEAM, SlackBot


def user(**changes: Any) -> dict[str, Any]:
    """Return a user object of Slack's."""
    usual = {
        "id": "U0DANA",
        "team_id": TEAM,
        "name": "dana",
        "tz": "Europe/Berlin",
        "profile": {"real_name": "Dana Reyes", "email": "dana@northwind.example"},
    }
    return usual | changes


@pytest.mark.parametrize(
    ("changes", "is_guest"),
    [
        ({}, False),
        ({"is_restricted": True}, True),
        ({"is_ultra_restricted": True}, True),
        ({"is_stranger": True}, True),
        ({"team_id": "T0OTHER"}, True),
    ],
    ids=["member", "guest", "single-channel guest", "stranger", "other workspace"],
)
def test_only_full_members_are_no_guests(changes: dict[str, Any], is_guest: bool) -> None:  # noqa: FBT001 -- a table
    """Guests and people of other workspaces are guests, and have no role."""  # S13
    named = Named(admins=frozenset({"U0DANA"}))
    facts = facts_of(user(**changes), team_id=TEAM, named=named)
    assert facts.is_guest is is_guest
    assert (facts.role is Role.ADMIN) is not is_guest


@pytest.mark.parametrize(
    ("named", "role"),
    [
        (Named(admins=frozenset({"u0dana"})), Role.ADMIN),
        (Named(admins=frozenset({"Dana@Northwind.example"})), Role.ADMIN),
        (Named(approvers=frozenset({"U0DANA"}), admins=frozenset({"U0ADA"})), Role.APPROVER),
        (Named(admins=frozenset({"U0ADA"})), Role.MEMBER),
        (Named(), Role.MEMBER),
    ],
    ids=["id", "address", "approver", "member", "nobody named"],
)
def test_role_comes_from_the_settings(named: Named, role: Role) -> None:
    """Ids and addresses count in any case of letters; admin goes before approver."""  # S37
    assert facts_of(user(), team_id=TEAM, named=named).role is role


@pytest.mark.parametrize(
    ("named", "role"),
    [(Named(), Role.ADMIN), (Named(admins=frozenset({"U0ADA"})), Role.MEMBER)],
    ids=["nobody named", "somebody named"],
)
def test_owner_is_admin_where_nobody_is_named(named: Named, role: Role) -> None:
    """Somebody must be able to decide; whoever is named replaces the owner."""
    assert facts_of(user(is_primary_owner=True), team_id=TEAM, named=named).role is role


@pytest.mark.parametrize("zone", [None, "", "Nowhere/Land", "../etc/passwd", "\0"])
def test_unknown_zone_is_utc(zone: str | None) -> None:
    """A zone that does not exist here breaks nothing."""
    assert facts_of(user(tz=zone), team_id=TEAM, named=Named()).zone == "UTC"


async def test_person_is_read_once_an_hour(bot: SlackBot) -> None:
    """A person costs one request an hour; then they are read anew."""
    for _ in range(3):
        person = await bot.people.get(TEAM, "U0DANA")
    assert (person.name, person.email) == ("Dana Reyes", "dana@northwind.example")
    assert await requests(bot, "users.info") == 1
    async with bot.database.transaction() as tx:
        stored = await tx.people.get(TEAM, "U0DANA")
        stored.read_at = datetime.now(UTC) - timedelta(minutes=61)
    await bot.people.get(TEAM, "U0DANA")
    assert await requests(bot, "users.info") == 2


async def requests(bot: SlackBot, method: str) -> int:
    """Return how often the bot called a method."""
    log = await bot.workspace.read("log")
    return sum(entry.get("name") == method for entry in log["entries"])


async def test_named_people_are_known_before_they_write(bot: SlackBot) -> None:
    """Policy can ask an approver who never spoke to us; unknown names break nothing."""
    named = Named(
        admins=frozenset({"U0ADA"}),
        approvers=frozenset({"mo@northwind.example", "nobody@northwind.example", "U0NOBODY"}),
    )
    people = PeopleService(database=bot.database, client=bot.client, named=named)
    await people.prepare(TEAM)
    assert [p.person_id for p in await people.list_by_role(TEAM, Role.APPROVER)] == ["U0MO"]
    assert [p.person_id for p in await people.list_by_role(TEAM, Role.ADMIN)] == ["U0ADA"]
    found = await people.find_by_email(TEAM, " MO@northwind.example")
    assert found is not None
    assert found.person_id == "U0MO"


@pytest.mark.parametrize("named", [Named(), Named(admins=frozenset({"ada@northwind.example"}))])
async def test_start_waits_where_slack_asks_to(bot: SlackBot, named: Named) -> None:
    """Many processes that start in one minute meet Slack's limit; none of them dies of it."""
    people = PeopleService(database=bot.database, client=bot.client, named=named)
    await bot.workspace.do("faults", ratelimited=1)
    await people.prepare(TEAM)
    assert [p.person_id for p in await people.list_by_role(TEAM, Role.ADMIN)] == ["U0ADA"]


async def test_owner_is_read_where_nobody_is_named(bot: SlackBot) -> None:
    """Without any setting the workspace's owner is there to decide."""
    people = PeopleService(database=bot.database, client=bot.client, named=Named())
    await people.prepare(TEAM)
    assert [p.person_id for p in await people.list_by_role(TEAM, Role.ADMIN)] == ["U0ADA"]
