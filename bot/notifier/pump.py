"""The outbox pump: shows due cards, one channel at a time, each message once."""

import asyncio
import secrets

import structlog

from bot.notifier.errors import (
    ChannelParkedError,
    NotifierError,
    Refusal,
    RefusedError,
    TryLaterError,
)
from bot.notifier.renderers import Rendered, Renderers
from bot.notifier.slack import SlackCards
from storage.database import Database
from storage.outbox import JOB
from storage.repositories.outbox import HOME, is_person
from storage.tables.slack import OutboxCard

LEASE_S = 30.0
"""How long a worker holds a card; after that another may take it over."""

CALM_S = 0.15
"""How long a redraw that nobody waits for is held back, for what changes next to join it."""

_DELIVERY_SHARE = 5 / 6
"""A delivery ends before its lease: whoever takes over finds what was posted."""

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 600.0

_LINKED = frozenset({"goal", "approval", "unknown", "connect", "question"})
"""Nouns that digests and Home link to."""

_log = structlog.get_logger(__name__)


class Pump:
    """Claims, renders and shows cards. Several pumps share the work without posting twice.

    A card's first try posts at once; every later one first looks for the message that an earlier
    try may have posted. So a lost reply or a killed worker makes no second message.
    """

    def __init__(
        self,
        *,
        database: Database,
        renderers: Renderers,
        slack: SlackCards,
        lease_s: float = LEASE_S,
        calm_s: float = CALM_S,
    ) -> None:
        self._database = database
        self._renderers = renderers
        self._slack = slack
        self._lease_s = lease_s
        self._owner = secrets.token_hex(8)
        self._calm_s = calm_s
        self._calm: set[tuple[str, str, float]] = set()
        self._hinted: set[tuple[str, str]] = set()
        self._busy: set[tuple[str, str]] = set()
        self._again: set[tuple[str, str]] = set()

    async def post_cards(
        self, team_id: str, channel_id: str, *, calm: bool | float = False
    ) -> None:
        """Show what is due in one channel; return when nothing is, or when it must wait.

        A wake-up of a channel that this process is busy with returns at once: whoever is busy
        looks once more, so what changed meanwhile is drawn together.

        Args:
            team_id: whose channel it is.
            channel_id: where.
            calm: True where nobody waits for it: it is held back for `CALM_S`. Otherwise so many
                seconds, no longer than that. One that is held back already does for all.
        """
        channel = (team_id, channel_id)
        if calm:
            held = (*channel, calm)
            if held in self._calm:
                return
            self._calm.add(held)
            try:
                await asyncio.sleep(self._calm_s if calm is True else min(calm, self._calm_s))
            finally:
                self._calm.discard(held)
        if channel in self._busy:
            self._again.add(channel)
            return
        self._busy.add(channel)
        self._again.add(channel)
        try:
            while channel in self._again:
                self._again.discard(channel)
                await self._drain(team_id, channel_id)
        finally:
            self._busy.discard(channel)
            self._again.discard(channel)

    def hint(self, team_id: str, channel_id: str) -> None:
        """Note a redraw that nobody waits for; `post_hinted` draws it, or else the sweep."""
        self._hinted.add((team_id, channel_id))

    async def post_hinted(self) -> None:
        """Show what is due where this process itself changed something that nobody waits for."""
        hinted, self._hinted = self._hinted, set()
        async with asyncio.TaskGroup() as group:
            for team_id, channel_id in hinted:
                group.create_task(self.post_cards(team_id, channel_id))

    async def _drain(self, team_id: str, channel_id: str) -> None:
        while True:
            # From before the claim, so that it is over well before the lease is.
            until = asyncio.get_running_loop().time() + self._lease_s * _DELIVERY_SHARE
            async with self._database.transaction() as tx:
                card = await tx.outbox.claim(
                    team_id, channel_id, owner=self._owner, lease_s=self._lease_s
                )
            if card is None or not await self._handle(card, until):
                return

    async def sweep(self) -> None:
        """Wake the channels where something is due: their job was lost or their parking ended.

        Called every second; a channel with a waiting job gets no second one.
        """
        async with self._database.transaction() as tx:
            for team_id, channel_id in await tx.outbox.list_due():
                once = f"{team_id}:{channel_id}"
                await tx.defer(JOB, once=once, team_id=team_id, channel_id=channel_id)

    async def _handle(self, card: OutboxCard, until: float) -> bool:
        """Show one card; whether the channel may go on."""
        is_settled = False
        try:
            goes_on = await self._try(card, until)
            is_settled = True
        finally:
            if not is_settled:
                await self._retry(card, "interrupted")
        return goes_on

    async def _try(self, card: OutboxCard, until: float) -> bool:
        rendered: Rendered | None = None
        try:
            if is_person(card.channel_id) and card.noun != HOME:
                await self._move_to_dm(card)
                return True
            async with self._database.reading() as tx:
                rendered = await self._renderers.render(tx, card)
            async with asyncio.timeout_at(until):
                await self._deliver(card, rendered, until)
        except ChannelParkedError as err:
            await self._park(card, err.retry_after_s)
            return False
        except RefusedError as err:
            await self._refused(card, rendered, err)
        except (TryLaterError, TimeoutError) as err:
            await self._retry(card, str(err) or "No answer in time.")
            return False
        return True

    async def _deliver(self, card: OutboxCard, rendered: Rendered | None, until: float) -> None:
        message_ts = card.message_ts
        if rendered is None:
            pass  # There is nothing to show any more; what was shown stays.
        elif rendered.view is not None:
            await self._slack.publish(card, rendered)
        elif card.recipient_id is not None:
            message_ts = message_ts or await self._slack.post_ephemeral(card, rendered)
        else:
            message_ts = await self._post_or_update(card, rendered, until)
        async with self._database.transaction() as tx:
            await tx.outbox.sent(
                card, owner=self._owner, wanted_seen=card.wanted, message_ts=message_ts
            )
        if card.noun in _LINKED and card.message_ts is None and message_ts is not None:
            await self._keep_permalink(card, message_ts)

    async def _post_or_update(self, card: OutboxCard, rendered: Rendered, until: float) -> str:
        """Show the card in its message, or in a new one if there is time left to post it.

        A process that was stopped for a while (a laptop that slept, a paused container) goes on
        with what it was about to do before its time-out can tell it that its time is over.
        """
        message_ts = card.message_ts
        if message_ts is None and card.tries > 1:
            message_ts = await self._slack.find_posted(card)
        if message_ts is None:
            if asyncio.get_running_loop().time() > until:
                raise TryLaterError("There was not enough time left to post it safely.")
            return await self._slack.post(card, rendered)
        await self._slack.update(card, rendered, message_ts=message_ts)
        return message_ts

    async def _keep_permalink(self, card: OutboxCard, message_ts: str) -> None:
        """Remember the message's link for digests and Home; they do without if there is none."""
        try:
            permalink = await self._slack.permalink(card, message_ts=message_ts)
        except NotifierError as err:
            _log.info("permalink_missing", card=card.id, error=str(err))
            return
        async with self._database.transaction() as tx:
            await tx.outbox.set_permalink(card, permalink)

    async def _move_to_dm(self, card: OutboxCard) -> None:
        """Open the direct messages that a person's cards go to, and show them there."""
        person_id = card.channel_id
        channel_id = await self._slack.open_dm(person_id)
        async with self._database.transaction() as tx:
            await tx.outbox.release(card, owner=self._owner)
            await tx.people.set_dm_channel(card.team_id, person_id, channel_id)
            await tx.outbox.move_to_dm(card.team_id, person_id, channel_id)
            await tx.defer(JOB, team_id=card.team_id, channel_id=channel_id)

    async def _park(self, card: OutboxCard, retry_after_s: float) -> None:
        _log.info("channel_parked", channel=card.channel_id, retry_after_s=retry_after_s)
        async with self._database.transaction() as tx:
            await tx.outbox.park(card.team_id, card.channel_id, for_s=retry_after_s)
            await tx.outbox.release(card, owner=self._owner)

    async def _retry(self, card: OutboxCard, error: str) -> None:
        wait_s = min(_FIRST_WAIT_S * 2.0 ** (card.tries - 1), _LONGEST_WAIT_S)
        _log.warning("card_delayed", card=card.id, noun=card.noun, error=error, wait_s=wait_s)
        async with self._database.transaction() as tx:
            await tx.outbox.retry(card, owner=self._owner, error=error, wait_s=wait_s)

    async def _refused(
        self, card: OutboxCard, rendered: Rendered | None, err: RefusedError
    ) -> None:
        """Post anew what was deleted, tell the owner what a channel refuses, or give up."""
        async with self._database.transaction() as tx:
            if err.refusal is Refusal.MESSAGE_GONE and card.message_ts is not None:
                await tx.outbox.forget_message(card, owner=self._owner)
                return
            owner_id = rendered.owner_id if rendered is not None else None
            may_move = err.refusal is Refusal.UNREACHABLE and "redirected" not in card.data
            if (
                may_move
                and owner_id is not None
                and await tx.outbox.redirect(
                    card, owner=self._owner, channel_id=owner_id, error=err.code
                )
            ):
                await tx.defer(JOB, team_id=card.team_id, channel_id=owner_id)
                return
            await tx.outbox.give_up(card, owner=self._owner, error=err.code)
        _log.error("card_given_up", card=card.id, noun=card.noun, code=err.code)
