"""build_web: the Starlette app of everything that is reached over HTTP."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from bot.engine.card_queries import CardQueries
from bot.web.errors import ErrorBoundary, show_http_error
from bot.web.goals import GoalPages
from bot.web.health import HealthPages
from bot.web.pages import STATIC, SecurityHeaders
from storage.database import Database


def build_web(
    *, database: Database, cards: CardQueries, routes: Sequence[BaseRoute] = ()
) -> Starlette:
    """Return the app: health, goal pages, and whatever else is given to mount.

    Args:
        database: what health looks at and pages read from.
        cards: loads what a goal's page shows.
        routes: the intake's and the connect pages'.
    """
    return Starlette(
        routes=[
            *HealthPages(database).routes(),
            *GoalPages(database=database, cards=cards).routes(),
            *routes,
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(ErrorBoundary)],
        exception_handlers={HTTPException: show_http_error},
    )
