"""Who and what the local workspace holds, and how strict it is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    id: str
    name: str
    real_name: str
    email: str = ""
    tz: str = "Europe/Berlin"
    tz_offset: int = 3600
    title: str = ""
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_bot: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    id: str
    name: str
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    id: str
    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRate:
    """How often `chat.postMessage` may be called per channel.

    Source: https://docs.slack.dev/apis/web-api/rate-limits (one message per second per channel,
    short bursts allowed; the length of a burst is not published, 3 is our reading).
    """

    burst: int = 3
    per_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceConfig:
    """Everything `build_workspace` needs.

    `retry_delays_s` are the waits before the second, third and fourth delivery of an event.
    Source: https://docs.slack.dev/apis/events-api (at once, after a minute, after five minutes;
    an answer is due in 3 s; a trigger_id lives 3 s; a response_url lives 30 minutes, 5 uses).
    `method_limits` False lifts every rate limit but the one on posting; benchmarks need that.
    """

    data_dir: Path
    base_url: str
    bot_token: str
    signing_secret: str
    events_url: str
    interactivity_url: str
    commands_url: str
    people: tuple[Person, ...]
    team: Team
    channels: tuple[Channel, ...]
    bot_user_id: str
    bot_id: str
    app_id: str
    scopes: frozenset[str]
    commands: tuple[str, ...]
    events: frozenset[str]
    retry_delays_s: tuple[float, ...] = (0.1, 60.0, 300.0)
    post_rate: PostRate = PostRate()
    method_limits: bool = True
    ack_timeout_s: float = 3.0
    trigger_ttl_s: float = 3.0
    response_url_ttl_s: float = 1800.0

    def person(self, user_id: str) -> Person | None:
        """Return the member with this id, or None."""
        return next((p for p in self.people if p.id == user_id), None)

    @property
    def bot(self) -> Person:
        """Return the bot user."""
        person = self.person(self.bot_user_id)
        assert person is not None
        return person
