"""Doctor says what is wrong and how to mend it, and fails when there is something to mend."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import Result

from bot.cli.checks_slack import check_scopes
from bot.cli.findings import Grade
from bot.cli.stage import Stage, open_stage
from storage.database import Database
from storage.migrate import upgrade
from tests.bot.cli.conftest import SETTINGS, Run


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path / "stage", first_port=_free_port()) as opened:
        yield opened
        opened.listening.close()


async def _doctor(run: Run, settings: dict[str, str]) -> Result:
    return await asyncio.to_thread(run, "doctor", settings=settings)


def test_problem_is_named_with_its_remedy_and_fails(run: Run, empty_url: str) -> None:
    """Whatever is missing is one line, and one more on how to mend it."""
    result = run("doctor", settings=SETTINGS | {"DATABASE_URL": empty_url})

    assert result.exit_code == 1
    assert "→ Run `countersign migrate`." in result.output
    assert "No provider is set up" in result.output
    assert "Slack cannot be reached" in result.output
    assert "canary" not in result.output


def test_missing_settings_are_problems(run: Run) -> None:
    """Doctor works where nothing else does yet."""
    result = run("doctor", settings=dict.fromkeys(SETTINGS))

    assert result.exit_code == 1
    assert "SLACK_SIGNING_SECRET is missing." in result.output
    assert "→ Copy the Signing Secret" in result.output


def test_misspelt_variable_is_noticed(run: Run) -> None:
    """A setting that nobody reads is the hardest mistake to see."""
    result = run("doctor", settings={"COUNTERSIGN_ADMIN": "ada@northwind.example"})

    assert "COUNTERSIGN_ADMIN is read by nobody." in result.output
    assert "Did you mean COUNTERSIGN_ADMINS?" in result.output


async def test_set_up_that_is_right_passes(run: Run, stage: Stage, empty_url: str) -> None:
    """With everything in its place there is no problem, and exit code 0."""
    await asyncio.to_thread(upgrade, empty_url)
    stage.listening.close()

    result = await _doctor(run, stage.environment | {"DATABASE_URL": empty_url})

    assert result.exit_code == 0, result.output
    assert "Slack knows the bot in Northwind" in result.output
    assert "The token has every scope of manifest.yml." in result.output
    assert "HubSpot has an OAuth app." in result.output


async def test_address_for_webhooks_is_told_and_stays(
    run: Run, stage: Stage, empty_url: str
) -> None:
    """An admin enters it at the provider once; it holds nothing that could be guessed."""
    await asyncio.to_thread(upgrade, empty_url)
    database = Database(empty_url)
    async with database.transaction() as tx:
        await tx.people.upsert_team(team_id="T0NORTH", name="Northwind", bot_user_id="U0BOT")
    await database.close()
    stage.listening.close()
    settings = stage.environment | {"DATABASE_URL": empty_url}

    told = [
        re.findall(
            rf"{stage.bot_url}/hooks/hubspot/[\w-]{{32}}", (await _doctor(run, settings)).output
        )
        for _ in range(2)
    ]

    assert told[0] == told[1]
    assert len(told[0]) == 1


async def test_named_person_whom_slack_does_not_know_is_a_problem(
    run: Run, stage: Stage, empty_url: str
) -> None:
    """An approver who does not exist would be asked for nothing."""
    await asyncio.to_thread(upgrade, empty_url)
    stage.listening.close()
    settings = stage.environment | {
        "DATABASE_URL": empty_url,
        "COUNTERSIGN_APPROVERS": "nobody@northwind.example, U0GUS",
    }

    result = await _doctor(run, settings)

    assert result.exit_code == 1
    assert "Slack does not know nobody@northwind.example" in result.output
    assert "U0GUS is a guest, a bot or has left" in result.output


def test_token_that_lacks_a_scope_is_a_problem(tmp_path: Path) -> None:
    """The scopes of the installed app are compared with manifest.yml."""
    manifest = tmp_path / "manifest.yml"
    manifest.write_text("oauth_config: {scopes: {bot: [chat:write, im:write]}}", encoding="utf-8")

    finding = check_scopes({"X-OAuth-Scopes": "chat:write,commands"}, manifest)

    assert finding.grade is Grade.PROBLEM
    assert "im:write" in finding.text
