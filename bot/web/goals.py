"""A goal's page: steps, values and where they came from, who decided what when, what happened."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.engine.card_queries import CardQueries
from bot.goals.links import find_goal_link, may_read
from bot.web.goal_view import GoalView, build_goal_view
from bot.web.pages import render_message, render_page
from bot.web.timeline import Happening
from storage.database import Database, Transaction
from storage.tables.goals import Goal
from storage.tables.people import Person

_GONE = 410


class GoalPages:
    """Shows goals to whoever holds a living link that was given to them in Slack."""

    def __init__(self, *, database: Database, cards: CardQueries) -> None:
        self._database = database
        self._cards = cards

    def routes(self) -> list[Route]:
        """Return the routes to mount."""
        return [Route("/goals/{token}", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Answer the page; a link that ended, or whose owner may not read it any more, is gone."""
        async with self._database.transaction() as tx:
            view = await self._view(tx, request.path_params["token"])
        if view is None:
            return render_message(
                "This link has ended",
                "Links to a goal's page work for 15 minutes, for the person who asked for one.",
                remedy="Ask for a new one in Slack, on the goal's card or by /countersign page.",
                status=_GONE,
            )
        return render_page("goal.html", goal=view)

    async def _view(self, tx: Transaction, token: str) -> GoalView | None:
        link = await find_goal_link(tx, token)
        if link is None:
            return None
        goal = await tx.goals.find(link.team_id, int(link.data["goal_id"]))
        reader = await tx.people.find(link.team_id, link.person_id)
        if goal is None or reader is None or not await may_read(tx, goal, reader):
            return None
        names = await _names(tx, goal)
        return build_goal_view(
            goal,
            await self._cards.goal(tx, goal.team_id, goal.id),
            reader_zone=reader.zone,
            names=names,
            approvals=await tx.approvals.list_for_goal(goal.team_id, goal.id),
            decisions=await tx.approvals.list_decisions(goal.team_id, goal.id),
            happenings=await _happenings(tx, goal),
        )


async def _names(tx: Transaction, goal: Goal) -> dict[str, str]:
    """Return the names of everybody in the team; a goal's page names a few of them."""
    people: list[Person] = list(await tx.people.list_active(goal.team_id))
    return {person.person_id: person.name for person in people}


async def _happenings(tx: Transaction, goal: Goal) -> list[Happening]:
    return [
        Happening(row.at, row.tag, row.actor, row.data)
        for row in await tx.audit.list_(goal.team_id, goal.id)
    ]
