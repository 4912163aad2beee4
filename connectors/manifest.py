"""A connector's manifest: hosts, OAuth end points, scopes and effects, in `manifest.toml`."""

import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from connectors.actions import Effect


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OAuth(_Model):
    """How a person connects. Paths are joined to the base URLs, which settings may replace."""

    authorize_url: str
    token_url: str
    revoke_url: str
    account_url: str
    """Where the name of the connected account is read: an end point of userinfo, or one of
    introspection (RFC 7662), which is known by its path's end, `/introspect`."""
    issuer: str | None = None
    authorize_parameters: dict[str, str] = {}
    base_scopes: tuple[str, ...] = ()
    """Asked for with every connection, for example to name the account."""


class ActionEntry(_Model):
    """What an action may do at most; a test compares it with the code."""

    scopes: tuple[str, ...]
    effects: tuple[Effect, ...]


class RateLimit(_Model):
    requests: int
    per_s: float
    refusals: tuple[str, ...] = ()
    """Codes that say "too many requests" in the body of a 403."""


class Quality(_Model):
    """One line of the quality list: done, todo or exempt, with a reason where not done."""

    status: str
    reason: str = ""


class Manifest(_Model):
    """`manifest.toml` of a connector."""

    name: str
    title: str
    api_url: str
    web_url: str
    """Where its own pages live, for links in results."""
    hosts: tuple[str, ...]
    oauth: OAuth
    scopes: dict[str, str]
    """Scope → what it allows, in plain words."""
    scope_implies: dict[str, tuple[str, ...]] = {}
    """Scope → the weaker scopes that it includes."""
    actions: dict[str, ActionEntry]
    rate_limit: RateLimit
    quality: dict[str, Quality]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the manifest in a TOML file.

        Raises:
            pydantic.ValidationError: names what is missing or unknown.
        """
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))

    def missing(self, *, asked: Iterable[str], granted: Collection[str]) -> frozenset[str]:
        """Return the asked scopes that the granted ones neither are nor include."""
        have = set(granted)
        for scope in granted:
            have.update(self.scope_implies.get(scope, ()))
        return frozenset(asked) - have
