"""The command line says what it can do, and errors as sentences with a remedy."""

import tomllib
from pathlib import Path

import psycopg

from storage.migrate import upgrade
from tests.bot.cli.conftest import SETTINGS, Run


def test_help_names_every_command(run: Run) -> None:
    """A person finds out what there is without reading anything else."""
    result = run("--help")

    assert result.exit_code == 0
    for name in ("demo", "serve", "migrate", "doctor", "audit"):
        assert f"\n  {name} " in result.output


def test_version_is_that_of_the_project(run: Run) -> None:
    """One version everywhere."""
    pyproject = Path(__file__).parents[3] / "pyproject.toml"
    version = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["version"]

    assert version in run("--version").output


def test_missing_settings_are_named_with_remedies(run: Run) -> None:
    """Every missing variable at once, each with what to do, and no traceback."""
    result = run("serve", settings=dict.fromkeys(SETTINGS))

    assert result.exit_code == 1
    assert "SLACK_BOT_TOKEN is missing. Copy the Bot User OAuth Token" in result.output
    assert "COUNTERSIGN_ENCRYPTION_KEY is missing. Make one with" in result.output


def test_wrong_secret_is_named_but_not_shown(run: Run) -> None:
    """An error about a secret never quotes it (S35)."""
    settings = SETTINGS | {"COUNTERSIGN_ENCRYPTION_KEY": "canary-too-short"}

    result = run("serve", settings=settings)

    assert "COUNTERSIGN_ENCRYPTION_KEY is not 32 bytes" in result.output
    assert "canary" not in result.output


def test_env_file_of_the_working_directory_is_read(run: Run) -> None:
    """What the environment leaves open comes from .env."""
    Path(".env").write_text("SLACK_BOT_TOKEN=xapp-wrong-kind\n", encoding="utf-8")

    result = run("serve", settings=SETTINGS | {"SLACK_BOT_TOKEN": None})

    assert "SLACK_BOT_TOKEN is not a bot token" in result.output


def test_unreachable_database_is_said_without_its_password(run: Run) -> None:
    """A person reads what to check; the password stays out (S35)."""
    url = "postgresql://u:canary-password@127.0.0.1:9/x"

    result = run("migrate", settings={"DATABASE_URL": url})

    assert result.exit_code == 1
    assert "The database cannot be reached" in result.output
    assert "canary" not in result.output


def test_serve_refuses_a_database_that_is_not_migrated(run: Run, empty_url: str) -> None:
    """A replica that starts before the migration must not run on the old schema."""
    result = run("serve", settings=SETTINGS | {"DATABASE_URL": empty_url})

    assert result.exit_code == 1
    assert "run `countersign migrate` first" in result.output


def test_migrate_brings_a_database_up_to_date(run: Run, empty_url: str) -> None:
    """`migrate --check` fails before and passes after."""
    settings = {"DATABASE_URL": empty_url}

    assert run("migrate", "--check", settings=settings).exit_code == 1
    assert run("migrate", settings=settings).exit_code == 0
    assert run("migrate", "--check", settings=settings).exit_code == 0


def test_audit_verify_names_the_first_bad_row(run: Run, empty_url: str) -> None:
    """A tampered log fails the command (S34)."""
    upgrade(empty_url)
    settings = {"DATABASE_URL": empty_url}
    assert "There are no audit rows yet." in run("audit", "verify", settings=settings).output
    with psycopg.connect(empty_url) as connection:
        connection.execute(
            "INSERT INTO audit (team_id, tag, actor, data, seq, previous_hash, hash) "
            "VALUES ('T0NORTH', 'slack:goal:receive', 'U0DANA', '{}', 1, 'x', 'x')"
        )

    result = run("audit", "verify", settings=settings)

    assert result.exit_code == 1
    assert "T0NORTH: BAD at row 1" in result.output
