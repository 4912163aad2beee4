"""`countersign migrate`: bring the database up to date."""

import click

from bot.cli.setup import open_database, read_storage_settings
from storage.migrate import upgrade
from storage.revision import is_current


@click.command()
@click.option("--check", is_flag=True, help="Only tell whether it is up to date; exit 1 if not.")
def migrate(*, check: bool) -> None:
    """Bring the database up to date. Safe to repeat, and from several machines at once."""
    with open_database(read_storage_settings()) as url:
        if check:
            if not is_current(url):
                message = "The database is not up to date: run `countersign migrate`."
                raise click.ClickException(message)
        else:
            upgrade(url)
    click.echo("The database is up to date.")
