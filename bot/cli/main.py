"""`countersign`: one command, its parts loaded when they are asked for."""

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import click
import psycopg
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import OperationalError

from approvals.errors import ApprovalError
from bot.errors import CountersignError
from storage.errors import StorageError

_EXPECTED = (CountersignError, StorageError, ApprovalError)
"""Their messages are sentences with a remedy."""


@contextmanager
def _imports_only() -> Iterator[None]:
    """Import without looking for garbage: that took a fifth of the time and found nothing.

    What was imported lives as long as the process, so the collector never looks at it again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


class Commands(click.Group):
    """Imports a command's module only when it runs: `--help` and `doctor` stay quick."""

    PARTS: ClassVar[dict[str, tuple[str, str]]] = {
        "demo": ("bot.cli.demo", "See the main job done on this machine, without any account."),
        "serve": ("bot.cli.serve", "Run Countersign."),
        "migrate": ("bot.cli.migrate", "Bring the database up to date."),
        "doctor": ("bot.cli.doctor", "Check the set-up and say how to mend it."),
        "halt": ("bot.cli.halt", "Start no further write, and wait for those in flight."),
        "resume": ("bot.cli.halt", "End a halt."),
        "tidy": ("bot.cli.tidy", "Remove what is over: old jobs, events, notes of cards."),
        "audit": ("bot.cli.audit", "Verify the audit log."),
    }

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(self.PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- as above
        if cmd_name not in self.PARTS:
            return None
        with _imports_only():
            module = importlib.import_module(self.PARTS[cmd_name][0])
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- as above
        """List the commands from the table, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in self.PARTS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an error that somebody can mend becomes a sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except _EXPECTED as error:
            raise click.ClickException(str(error)) from error
        except (psycopg.OperationalError, OperationalError) as error:
            said = str(getattr(error, "orig", error)).strip().splitlines()
            message = f"The database cannot be reached: {said[0] if said else 'no answer'}"
            raise click.ClickException(f"{message}\nCheck DATABASE_URL.") from error
        except SlackApiError as error:
            message = f"Slack refused: {error.response['error']}. Run `countersign doctor`."
            raise click.ClickException(message) from error


@click.command(cls=Commands)
@click.version_option(package_name=None, version="0.1.0", prog_name="countersign")
def main() -> None:
    """Countersign finishes work, and asks before anything of high impact.

    Settings come from the environment and from .env in the working directory; .env.example
    explains each.
    """


if __name__ == "__main__":
    main(prog_name="countersign")
