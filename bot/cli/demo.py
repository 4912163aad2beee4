"""`countersign demo`: everything on this machine, with a page to take over."""

import asyncio
import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import click
import httpx2

from bot import loop
from bot.cli.scene import Scene
from bot.cli.stage import FIRST_PORT, Stage, forget, open_stage
from bot.serve import serve
from bot.telemetry.logs import configure_logging
from bot.workspace.client import NotSeenError, WorkspaceClient
from storage.database import Database
from storage.embedded import EmbeddedPostgres, default_data_dir
from storage.migrate import upgrade

_READY_S = 30.0
_POLL_S = 0.1


@click.command()
@click.option("--once", is_flag=True, help="Play the opening scene in a fresh world and end.")
@click.option("--fresh", is_flag=True, help="Forget what earlier demos left.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the demo keeps its world.",
)
def demo(*, once: bool, fresh: bool, data_dir: Path | None) -> None:
    """Play the main job with a local Slack and stand-ins of HubSpot and Google Calendar."""
    folder = (data_dir or default_data_dir()) / ("demo-once" if once else "demo")
    configure_logging(level="warning")
    postgres = EmbeddedPostgres(data_dir=folder / "database")
    with _only_one(folder.with_suffix(".lock")):
        if (once or fresh) and folder.exists():
            # A server that outlived a kill -9 is adopted and stopped before its folder goes.
            postgres.start()
            postgres.stop()
            forget(folder)
        is_first = not (folder / "stage.json").exists()
        click.echo("Countersign demo: starting the database …")
        try:
            url = postgres.start()
            upgrade(url)
            problems = loop.run(_run(folder, url, once=once, is_first=is_first))
        finally:
            postgres.stop()
    for problem in problems:
        click.secho(f"  ✗ {problem}", fg="red", err=True)
    raise SystemExit(1 if problems else 0)


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Hold the lock of this demo's world; the kernel frees it even at kill -9."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = "This demo is running already; stop it first, or give another --data-dir."
            raise click.ClickException(message) from error
        yield


async def _run(folder: Path, database_url: str, *, once: bool, is_first: bool) -> list[str]:
    """Serve the demo until it is stopped; with `once`, until the scene was played."""
    async with open_stage(folder) as stage, WorkspaceClient(stage.workspace_url) as workspace:
        bot = asyncio.ensure_future(
            serve(
                stage.settings(),
                database_url=database_url,
                role="all",
                listening=stage.listening,
            )
        )
        try:
            if not await _is_ready(stage, bot):
                return ["the bot did not get ready; its last words are above"]
            await _subscribe(stage, database_url)
            problems = await _play(stage, workspace, bot, is_first=is_first)
            if once or problems:
                return problems
            _invite(stage)
            await bot
            return []
        finally:
            bot.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await bot


async def _play(
    stage: Stage,
    workspace: WorkspaceClient,
    bot: asyncio.Future[None],
    *,
    is_first: bool,
) -> list[str]:
    """Play the scene in a new world; a known one is only greeted."""
    if not is_first:
        click.echo("  Welcome back: yesterday's goals and connections are still here.")
        return []
    click.echo("  The main job, in Northwind's Slack:")
    scene = Scene(stage=stage, workspace=workspace, say=click.echo)
    playing = asyncio.ensure_future(scene.play())
    await asyncio.wait({playing, bot}, return_when=asyncio.FIRST_COMPLETED)
    if not playing.done():
        playing.cancel()
        return []
    try:
        playing.result()
    except NotSeenError as error:
        return [str(error)]
    problems = await scene.check()
    if not problems:
        click.secho(
            "  ✓ Both providers hold exactly what was approved: one deal, two events, one mail.",
            fg="green",
        )
    return problems


async def _is_ready(stage: Stage, bot: asyncio.Future[None]) -> bool:
    async with httpx2.AsyncClient(trust_env=False) as http, asyncio.timeout(_READY_S):
        while not bot.done():
            with contextlib.suppress(httpx2.TransportError):
                if (await http.get(f"{stage.bot_url}/readyz")).is_success:
                    return True
            await asyncio.sleep(_POLL_S)
    return False


async def _subscribe(stage: Stage, database_url: str) -> None:
    """Let HubSpot's stand-in send webhooks, as an admin does in an app's settings."""
    database = Database(database_url)
    try:
        async with database.reading() as tx:
            paths = await tx.hooks.list_paths("hubspot")
    finally:
        await database.close()
    async with httpx2.AsyncClient(trust_env=False) as http:
        for path in paths:
            target = {"url": f"{stage.bot_url}{path}"}
            answer = await http.post(f"{stage.hubspot_url}/_control/webhooks", json=target)
            answer.raise_for_status()


def _invite(stage: Stage) -> None:
    click.echo()
    if not stage.workspace_url.endswith(f":{FIRST_PORT}"):
        click.echo(f"  Port {FIRST_PORT} is taken, so the next free one is used.")
    click.secho(f"  Take over at {stage.workspace_url}/?as=U0DANA", bold=True)
    click.echo("  You are Dana; switch to Mo at the top left to countersign.")
    click.echo(f"  HubSpot stand-in {stage.hubspot_url} · Google stand-in {stage.google_url}")
    click.echo("  Ctrl-C stops everything; `countersign demo --fresh` begins anew.")
