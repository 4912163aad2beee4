"""`countersign serve`: run the bot."""

import click

from bot import loop
from bot import serve as server
from bot.cli.setup import open_database, read_settings
from bot.errors import CountersignError
from storage.revision import is_current


class OutdatedDatabaseError(CountersignError):
    """The database is not at this version's schema: run `countersign migrate`, then serve."""

    def __init__(self) -> None:
        super().__init__(
            "The database is not at this version's schema: run `countersign migrate` first."
        )


@click.command()
@click.option(
    "--role",
    type=click.Choice(["all", "web", "worker"]),
    default="all",
    show_default=True,
    help="web answers Slack and browsers, worker runs goals and the clock, all does both.",
)
def serve(*, role: server.Role) -> None:
    """Run Countersign until SIGTERM or Ctrl-C; what is running is finished first.

    More machines are more of it. A database named by DATABASE_URL must have been migrated; the
    embedded one is brought up to date by itself.
    """
    settings = read_settings()
    with open_database(settings) as url:
        if not is_current(url):
            if settings.database_url is not None:
                raise OutdatedDatabaseError
            _upgrade(url)
        loop.run(server.serve(settings, database_url=url, role=role))


def _upgrade(url: str) -> None:
    # Once in a version's life; alembic would stay in the memory of every bot.
    from storage.migrate import upgrade  # noqa: PLC0415 -- as above

    upgrade(url)
