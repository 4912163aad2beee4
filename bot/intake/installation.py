"""Which workspace the bot token belongs to: one for now."""

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient


@dataclass(frozen=True, slots=True)
class Installation:
    """The app as it is installed in one workspace."""

    team_id: str
    team_name: str
    bot_user_id: str
    bot_id: str | None
    bot_token: str


async def read_installation(client: AsyncWebClient) -> Installation:
    """Ask Slack whose token the client holds.

    Source: https://docs.slack.dev/reference/methods/auth.test

    Raises:
        SlackApiError: the token is not valid.
    """
    identity = await client.auth_test()
    return Installation(
        team_id=str(identity["team_id"]),
        team_name=str(identity["team"]),
        bot_user_id=str(identity["user_id"]),
        bot_id=identity.get("bot_id"),
        bot_token=str(client.token),
    )
