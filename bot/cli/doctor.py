"""`countersign doctor`: check the whole set-up and say how to mend each part."""

from collections.abc import AsyncIterator

import click

from bot import loop
from bot.cli.checks_database import check_database, check_key
from bot.cli.checks_providers import check_apps, check_hooks, check_hubspot_keys
from bot.cli.checks_settings import check_names, check_settings, problems_of
from bot.cli.checks_slack import check_slack
from bot.cli.checks_web import check_web
from bot.cli.findings import Finding, Grade, problem, show
from bot.cli.setup import ENV_FILE, open_database, read_settings
from bot.config import Settings
from bot.errors import SettingsError
from bot.providers import build_connections
from storage.database import Database
from storage.diagnosis import list_team_ids
from storage.embedded import EmbeddedPostgresError


@click.command()
@click.option("--fix", is_flag=True, help="Mend what can be mended: HubSpot's key property.")
def doctor(*, fix: bool) -> None:
    """Check settings, database, key, Slack and providers; exit 1 if there is a problem."""
    problems = loop.run(_report(fix=fix))
    if problems:
        click.echo(f"\n{problems} {'problem' if problems == 1 else 'problems'} to mend.")
        raise SystemExit(1)
    click.echo("\nEverything that was checked is in order.")


async def _report(*, fix: bool) -> int:
    problems = 0
    async for finding in _findings(fix=fix):
        show(finding)
        problems += finding.grade is Grade.PROBLEM
    return problems


async def _findings(*, fix: bool) -> AsyncIterator[Finding]:
    for finding in check_names(ENV_FILE):
        yield finding
    try:
        settings = read_settings()
    except SettingsError as error:
        for finding in problems_of(error.problems):
            yield finding
        return
    for finding in check_settings(settings):
        yield finding
    try:
        with open_database(settings) as url:
            async for finding in _with_database(settings, url, fix=fix):
                yield finding
    except EmbeddedPostgresError as error:
        yield problem(str(error))
    async for finding in check_slack(settings):
        yield finding
    yield await check_web(settings)


async def _with_database(settings: Settings, url: str, *, fix: bool) -> AsyncIterator[Finding]:
    database = Database(url)
    connections = build_connections(settings, database)
    try:
        is_sick = False
        async for finding in check_database(database):
            is_sick = is_sick or finding.grade is Grade.PROBLEM
            yield finding
        for finding in check_apps(connections.providers, settings):
            yield finding
        if is_sick:
            return
        yield await check_key(database, settings)
        for team_id in await list_team_ids(database):
            async for finding in check_hooks(database, connections, settings, team_id=team_id):
                yield finding
            async for finding in check_hubspot_keys(
                database, connections, settings, team_id=team_id, fix=fix
            ):
                yield finding
    finally:
        await connections.egress.close()
        await database.close()
