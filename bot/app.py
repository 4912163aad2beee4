"""The running bot: its parts, opened around one database and one Slack workspace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.intake.installation import read_installation
from bot.parts import Parts
from bot.planners import open_planners
from bot.providers import build_connections
from bot.web.hooks import ensure_hooks
from storage.database import Database
from storage.instants import DatabaseClock


@asynccontextmanager
async def open_parts(settings: Settings, database: Database) -> AsyncIterator[Parts]:
    """Yield everything wired together; close what was opened at the end.

    Raises:
        SlackApiError: Slack does not accept the bot token.
        PolicyError: the policy file is wrong.
    """
    connections = build_connections(settings, database)
    session = aiohttp.ClientSession()
    try:
        client = _slack_client(settings, session)
        installation = await read_installation(client)
        async with database.transaction() as tx:
            await tx.people.upsert_team(
                team_id=installation.team_id,
                name=installation.team_name,
                bot_user_id=installation.bot_user_id,
            )
            await ensure_hooks(tx, connections.registry, installation.team_id)
            clock = DatabaseClock()
            await clock.read(tx.session)
        async with open_planners(settings, connections.registry, database) as planners:
            yield Parts(
                settings=settings,
                database=database,
                connections=connections,
                client=client,
                installation=installation,
                planner=planners.planner,
                reader=planners.reader,
                clock=clock,
            )
    finally:
        await session.close()
        await connections.close()


def _slack_client(settings: Settings, session: aiohttp.ClientSession) -> AsyncWebClient:
    return AsyncWebClient(
        token=settings.slack_bot_token.get_secret_value(),
        base_url=f"{settings.slack_api_url}/",
        # One session, or every call would open a connection of its own.
        session=session,
        # A lost reply is looked up by the pump; a blind repeat would post twice.
        retry_handlers=[],
    )
