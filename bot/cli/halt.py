"""`countersign halt` and `countersign resume`: stop every write, and let them go on."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

from bot import loop
from bot.cli.setup import open_database, read_storage_settings
from bot.engine.halts import HaltService
from storage.database import Database
from storage.tables.halts import COMMAND_LINE, EVERY_TEAM

_POLL_S = 0.5


@click.command()
@click.option("--team", help="Only this team (its Slack id); else all of them.")
@click.option("--reason", default="", help="Why; it stands on the cards of held goals.")
def halt(*, team: str | None, reason: str) -> None:
    """Start no further write, and wait until those in flight have ended.

    Reads go on and people may still decide. It holds for every process, also for new ones, until
    `countersign resume`. Interrupting the wait leaves the halt in place.
    """
    settings = read_storage_settings()
    with open_database(settings) as url:
        loop.run(_halt(url, team, reason.strip(), settings.countersign_call_timeout_s))


@click.command()
@click.option("--team", help="End the halt of this team; else the one of all teams.")
def resume(*, team: str | None) -> None:
    """End a halt: what was held goes on."""
    settings = read_storage_settings()
    with open_database(settings) as url:
        loop.run(_resume(url, team, settings.countersign_call_timeout_s))


@asynccontextmanager
async def _service(url: str, team: str | None, grace_s: float) -> AsyncIterator[HaltService]:
    database = Database(url)
    try:
        async with database.transaction() as tx:
            if team is not None and await tx.people.find_team(team) is None:
                message = f"nobody of team {team} was ever seen; give its Slack id (T…)."
                raise click.BadParameter(message, param_hint="--team")
        yield HaltService(database=database, grace_s=grace_s)
    finally:
        await database.close()


async def _halt(url: str, team: str | None, reason: str, grace_s: float) -> None:
    async with _service(url, team, grace_s) as halts:
        whose = team or EVERY_TEAM
        added = await halts.halt(whose, by=COMMAND_LINE, reason=reason)
        begun = time.monotonic()
        click.echo("Halted: no further write starts." if added else "It was halted already.")
        said = -1
        while (standing := await halts.standing(whose)).in_flight:
            if standing.in_flight != said:
                said = standing.in_flight
                click.echo(f"Waiting for {_count(said, 'write')} in flight …")
            await asyncio.sleep(_POLL_S)
        passed = time.monotonic() - begun
        click.echo(f"No write is in flight after {passed:.1f} s.")
        verb = "is" if standing.held == 1 else "are"
        held = _count(standing.held, "goal")
        click.echo(f"{held} {verb} held. Go on with: countersign resume{_option(team)}")


async def _resume(url: str, team: str | None, grace_s: float) -> None:
    async with _service(url, team, grace_s) as halts:
        whose = team or EVERY_TEAM
        held = (await halts.standing(whose)).held
        if await halts.resume(whose, by=COMMAND_LINE):
            click.echo(f"Resumed: {_count(held, 'goal')} may go on.")
        else:
            click.echo("There was no such halt.")
        for other, name in await halts.list_():
            if team in (None, other.team_id) or other.team_id == EVERY_TEAM:
                wide = other.team_id == EVERY_TEAM
                which = "All teams are" if wide else f"Team {other.team_id} is"
                ends = _option(None if wide else other.team_id)
                click.echo(f"{which} still halted by {name}: countersign resume{ends}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _option(team: str | None) -> str:
    return f" --team {team}" if team else ""
