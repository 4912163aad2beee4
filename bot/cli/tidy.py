"""`countersign tidy`: remove what is over, as the running bot does by itself."""

from collections.abc import Mapping

import click

from bot import loop
from bot.cli.setup import open_database, read_storage_settings
from bot.engine.tidy import Tidier
from storage.database import Database
from storage.retention import Keep


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def tidy(*, dry_run: bool) -> None:
    """Remove finished jobs, old events and notes of old cards; never audit rows.

    How long each stays is set by COUNTERSIGN_KEEP_…_DAYS. Safe while Countersign runs.
    """
    settings = read_storage_settings()
    with open_database(settings) as url:
        counts = loop.run(_tidy(url, settings.keep_s, dry_run=dry_run))
    verb = "would go" if dry_run else "removed"
    for what, count in counts.items():
        click.echo(f"{what}: {count} {verb}")


async def _tidy(url: str, keep_s: Mapping[Keep, float], *, dry_run: bool) -> dict[str, int]:
    database = Database(url)
    try:
        tidier = Tidier(database=database, keep_s=keep_s)
        return await (tidier.count() if dry_run else tidier.tidy())
    finally:
        await database.close()
