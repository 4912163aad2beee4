"""Bolt's app, set up so that a listener's failure is seen and nothing is verified twice."""

import logging

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.intake.errors import RefusedError
from bot.intake.installation import Installation


def build_bolt(client: AsyncWebClient, installation: Installation) -> AsyncApp:
    """Return an app for one installation, without listeners.

    It answers only after the listener has run, and does not verify signatures: the intake has
    (S19). Its `authorize` costs no request, where Bolt's own asks `auth.test` for every event.
    """

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # Raised rather than None: Bolt answers None with 200 and runs nothing.
        if team_id != installation.team_id:
            raise RefusedError(403, "This app is not installed there.")
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=installation.bot_token,
            bot_id=installation.bot_id,
            bot_user_id=installation.bot_user_id,
        )

    # Without a token: Bolt sets the one that `authorize` gives, and warns of any other.
    tokenless = AsyncWebClient(
        base_url=client.base_url,
        timeout=client.timeout,
        ssl=client.ssl,
        session=client.session,
        retry_handlers=client.retry_handlers,
    )
    return AsyncApp(
        # Without one Bolt looks for its caller's file through every loaded module: 60 ms.
        name="countersign",
        # Bolt's loggers take the root's level otherwise, and at debug they tell every answer.
        logger=logging.getLogger("slack_bolt"),
        client=tokenless,
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
    )
