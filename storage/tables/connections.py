"""Connections: one person's OAuth tokens at one provider, and the flows that make them."""

from enum import StrEnum

from sqlalchemy import ARRAY, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Big, CreatedAt, Id, Instant, Json


class ConnectionStatus(StrEnum):
    CONNECTED = "connected"
    RECONNECT = "reconnect"
    DISCONNECTED = "disconnected"


class Connection(Base):
    """`secret` is the envelope-encrypted token JSON (S28), or None once disconnected (S26)."""

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("team_id", "person_id", "provider"),)

    id: Mapped[Id]
    team_id: Mapped[str]
    person_id: Mapped[str]
    provider: Mapped[str]
    status: Mapped[ConnectionStatus]
    account: Mapped[str]
    """How the provider names the account, for example an e-mail address."""
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret: Mapped[bytes | None]
    expires_at: Mapped[Instant | None]
    version: Mapped[int] = mapped_column(default=1)
    """Rises with every stored token; a refresh wins its lease against the version it read."""
    resting_until: Mapped[Instant | None]
    """Until when its provider wants to hear nothing: what a 429 said, for every process."""
    lease_owner: Mapped[str | None]
    lease_until: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[CreatedAt]


class OAuthState(Base):
    """One authorization request on its way (S24); the state itself is stored hashed."""

    __tablename__ = "oauth_states"
    __table_args__ = (Index("ix_oauth_states_expires_at", "expires_at"),)

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    team_id: Mapped[str]
    person_id: Mapped[str]
    provider: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret: Mapped[bytes]
    """Encrypted: first the PKCE verifier, then, once fetched, the tokens to be confirmed."""
    browser_hash: Mapped[str]
    goal_id: Mapped[Big | None]
    expires_at: Mapped[Instant]
    used_at: Mapped[Instant | None]
    """When the provider's callback came: a second one is refused."""
    confirmed_at: Mapped[Instant | None]
    """When the person confirmed both identities, or declined them."""
    created_at: Mapped[CreatedAt]


class Link(Base):
    """A short-lived link that a person was given in Slack (connect, goal page); token hashed."""

    __tablename__ = "links"
    __table_args__ = (Index("ix_links_expires_at", "expires_at"),)

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    team_id: Mapped[str]
    person_id: Mapped[str]
    kind: Mapped[str]
    data: Mapped[Json]
    expires_at: Mapped[Instant]
    created_at: Mapped[CreatedAt]
