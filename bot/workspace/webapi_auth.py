"""auth.test, team.info and bots.info."""

from bot.workspace.errors import RefusedError
from bot.workspace.payloads import bot_profile
from bot.workspace.shapes import JsonObject
from bot.workspace.webapi_call import Call, Method


async def auth_test(call: Call) -> JsonObject:
    """Say whose token this is."""
    config = call.workspace.config
    return {
        "url": f"{config.base_url}/",
        "team": config.team.name,
        "user": config.bot.name,
        "team_id": config.team.id,
        "user_id": config.bot_user_id,
        "bot_id": config.bot_id,
        "is_enterprise_install": False,
    }


async def team_info(call: Call) -> JsonObject:
    """Return the workspace's name and domain."""
    team = call.workspace.config.team
    return {
        "team": {
            "id": team.id,
            "name": team.name,
            "domain": team.domain,
            "email_domain": "",
            "icon": {"image_default": True},
        }
    }


async def bots_info(call: Call) -> JsonObject:
    """Return the bot's profile."""
    config = call.workspace.config
    if call.text("bot", default=config.bot_id) != config.bot_id:
        raise RefusedError("bot_not_found")
    profile = bot_profile(config)
    profile.pop("team_id")
    return {"bot": profile}


METHODS = {
    "auth.test": Method(handler=auth_test, per_minute=600),
    "team.info": Method(handler=team_info, scope="team:read"),
    "bots.info": Method(handler=bots_info, scope="users:read"),
}
