"""Links to a goal's page: given in Slack, for one person, for a quarter of an hour."""

import hashlib
import secrets

from approvals.askees import may_decide
from bot.goals.clicks import Answer, Click
from storage.database import Database, Transaction
from storage.tables.connections import Link
from storage.tables.goals import Goal
from storage.tables.people import Person, Role

KIND = "goal"
LIVES_S = 15 * 60
_TOKEN_BYTES = 32


class LinkService:
    """Gives links to goal pages to those who may read them."""

    def __init__(self, *, database: Database, public_url: str) -> None:
        self._database = database
        self._public_url = public_url

    async def goal_page(self, click: Click, goal_id: int) -> Answer:
        """Answer with a fresh link; only the goal's people get one, see `may_read`."""
        async with self._database.transaction() as tx:
            goal = await tx.goals.find(click.team_id, goal_id)
            if goal is None:
                return Answer("I cannot find that goal any more.", ok=False)
            person = await tx.people.find(click.team_id, click.person_id)
            if not await may_read(tx, goal, person):
                return Answer(
                    "Only the person who asked for it, those who are asked to approve it, and "
                    "admins can open this goal's page.",
                    ok=False,
                )
            token = await self._add(tx, click, goal)
        return Answer(
            "Here is the goal's page. The link is yours alone and works for 15 minutes.",
            url=f"{self._public_url}/goals/{token}",
        )

    async def _add(self, tx: Transaction, click: Click, goal: Goal) -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await tx.links.add(
            token_hash=hash_token(token),
            team_id=click.team_id,
            person_id=click.person_id,
            kind=KIND,
            data={"goal_id": goal.id},
            lives_s=LIVES_S,
        )
        await tx.audit.record(
            team_id=click.team_id,
            tag="slack:page:link",
            actor=click.person_id,
            goal_id=goal.id,
            data={"lives_s": LIVES_S},
        )
        return token


async def find_goal_link(tx: Transaction, token: str) -> Link | None:
    """Return the living link of a token, or None."""
    return await tx.links.find(hash_token(token), kind=KIND)


async def may_read(tx: Transaction, goal: Goal, person: Person | None) -> bool:
    """Whether somebody may read a goal's page: its requester, its approvers, and admins (S13)."""
    if person is None or not may_decide(person):
        return False
    if person.person_id == goal.requester_id or person.role is Role.ADMIN:
        return True
    asked = await tx.approvals.list_for_goal(goal.team_id, goal.id)
    return any(person.person_id in approval.ask["people"] for approval, _ in asked)


def hash_token(token: str) -> str:
    """Return what is stored of a token: whoever reads the database gets no link from it."""
    return hashlib.sha256(token.encode()).hexdigest()
