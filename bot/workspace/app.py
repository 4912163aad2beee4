"""build_workspace(config): the Starlette app of the local Slack workspace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.workspace.config import Channel, Person, PostRate, Team, WorkspaceConfig
from bot.workspace.control import Control
from bot.workspace.control_reads import ControlReads
from bot.workspace.core import Workspace
from bot.workspace.faults import DropReplies
from bot.workspace.guard import LoopbackOnly
from bot.workspace.northwind import default_config
from bot.workspace.responses import Responses
from bot.workspace.webapi import WebApi

__all__ = [
    "Channel",
    "Person",
    "PostRate",
    "Team",
    "Workspace",
    "WorkspaceConfig",
    "build_workspace",
    "default_config",
]

_PAGE = Path(__file__).parent / "page"


def build_workspace(config: WorkspaceConfig) -> Starlette:
    """Return the app; its lifespan opens and closes the store and the delivery.

    `app.state.workspace` is the `Workspace`. Whoever stops the server calls
    `app.state.workspace.bus.close()` first: it ends the open pages' event streams, for which the
    server would otherwise wait.
    """
    workspace = Workspace(config)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await workspace.start()
        try:
            yield
        finally:
            await workspace.stop()

    app = Starlette(
        routes=[
            Route("/", _index),
            Route("/favicon.ico", _favicon),
            *ControlReads(workspace).routes(),
            *Control(workspace).routes(),
            *Responses(workspace).routes(),
            *WebApi(workspace).routes(),
            Mount("/page", StaticFiles(directory=_PAGE)),
        ],
        middleware=[
            Middleware(DropReplies),
            Middleware(LoopbackOnly, base_url=config.base_url),
        ],
        lifespan=lifespan,
    )
    app.state.workspace = workspace
    return app


async def _index(_request: Request) -> Response:
    return FileResponse(_PAGE / "index.html")


async def _favicon(_request: Request) -> Response:
    return FileResponse(_PAGE / "favicon.svg", media_type="image/svg+xml")
