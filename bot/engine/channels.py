"""Channels: where a provider tells each connection by itself that something changed.

A channel spares minutes, never a poll: what it tells only lets its stream be polled now. It is
opened when somebody waits, renewed before it expires and closed when nobody waits any more. Where
a provider refuses it (an address without TLS), polling stays.
"""

import secrets
from collections.abc import Mapping

import structlog

from connectors.errors import ConnectorError, ReconnectRequiredError
from connectors.events import ChannelWanted, Stream
from connectors.execute import Executor, ReadPermit
from connectors.settings import ProviderSettings
from storage.database import Database
from storage.tables.hooks import Poll

RENEW_BEFORE_S = 86_400.0
"""A day before its end the next channel is opened; both tell until the old one is closed."""

AT_MOST_EVERY_S = 3_600.0
"""How often at most a channel is asked for, after a refusal too."""

_ID_BYTES = 24

_log = structlog.get_logger(__name__)


class Channels:
    """Opens, renews and closes the channels of polled streams."""

    def __init__(
        self,
        *,
        database: Database,
        executor: Executor,
        providers: Mapping[str, ProviderSettings],
        public_url: str,
    ) -> None:
        self._database = database
        self._executor = executor
        self._providers = providers
        self._public_url = public_url

    async def keep(self, poll: Poll, stream: Stream, permit: ReadPermit) -> bool:
        """Open a claimed stream's channel if it needs one; True where it has one.

        What changed before is not told, so the stream is polled after this.
        """
        if stream.watch is None:
            return False
        async with self._database.reading() as tx:
            now = await tx.waits.now()
            path = await tx.hooks.find_path(poll.team_id, poll.connector)
        if path is None or (poll.watch_at is not None and poll.watch_at > now):
            return poll.channel_id is not None
        wanted = ChannelWanted(
            id=secrets.token_urlsafe(_ID_BYTES),
            address=f"{self._public_url}{path}",
            secret=self._providers[poll.connector].client_secret,
        )
        try:
            channel = await self._executor.open_channel(
                permit, poll.connector, stream.watch, wanted, scopes=stream.scopes
            )
        except ReconnectRequiredError:
            return False  # The poll that follows finds out, and its requester is asked.
        except ConnectorError as error:
            _log.info("channel_refused", connector=poll.connector, code=error.code)
            async with self._database.transaction() as tx:
                await tx.hooks.ask_later(poll, again_in_s=AT_MOST_EVERY_S)
            return False
        async with self._database.transaction() as tx:
            await tx.hooks.keep_channel(
                poll,
                channel_id=wanted.id,
                handle=channel.handle,
                expires_at=channel.expires_at,
                renew_before_s=RENEW_BEFORE_S,
                at_most_every_s=AT_MOST_EVERY_S,
            )
        await self.close(poll, stream, permit)
        return True

    async def close(self, poll: Poll, stream: Stream, permit: ReadPermit) -> None:
        """Close the channel that a stream had when it was claimed; one that stays open expires."""
        if poll.channel_handle is None or stream.unwatch is None:
            return
        try:
            await self._executor.close_channel(
                permit, poll.connector, stream.unwatch, poll.channel_handle, scopes=stream.scopes
            )
        except ConnectorError as error:
            _log.info("channel_not_closed", connector=poll.connector, code=error.code)
