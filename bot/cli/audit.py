"""`countersign audit verify`: prove that nobody changed the audit log."""

import click

from bot import loop
from bot.cli.setup import open_database, read_storage_settings
from storage.database import Database
from storage.sealer import TeamReport, VerifyReport
from storage.sealer import verify as verify_chains


@click.group()
def audit() -> None:
    """Verify the audit log."""


@audit.command()
@click.option("--team", help="Only this team's chain.")
def verify(*, team: str | None) -> None:
    """Check every team's chain; name the first bad row and exit 1 if one was tampered with."""
    with open_database(read_storage_settings()) as url:
        report = loop.run(_verify(url, team))
    for found in report.teams:
        click.echo(_words(found))
    if not report.teams:
        click.echo("There are no audit rows yet.")
    if any(found.first_bad_seq is not None for found in report.teams):
        raise SystemExit(1)


async def _verify(url: str, team: str | None) -> VerifyReport:
    database = Database(url)
    try:
        async with database.transaction() as tx:
            return await verify_chains(tx.session, team_id=team)
    finally:
        await database.close()


def _words(found: TeamReport) -> str:
    tail = f"; {found.unsealed} newer rows are not sealed yet" if found.unsealed else ""
    if found.first_bad_seq is None:
        return f"{found.team_id}: ok, {found.rows} rows{tail}"
    return f"{found.team_id}: BAD at row {found.first_bad_seq}: {found.problem}{tail}"
