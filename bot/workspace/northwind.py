"""Northwind: the people and channels that the local workspace starts with."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.workspace.config import Channel, Person, PostRate, Team, WorkspaceConfig
from bot.workspace.manifest import read_manifest

_TEAM = Team(id="T0NORTH", name="Northwind", domain="northwind")
_CHANNELS = (
    Channel(id="C0SALES", name="sales", members=("U0DANA", "U0MO", "U0ADA", "U0GUS", "U0BOT")),
    Channel(id="C0GENERAL", name="general", members=("U0DANA", "U0MO", "U0ADA")),
)


def default_config(
    *,
    data_dir: Path,
    base_url: str,
    bot_token: str,
    signing_secret: str,
    events_url: str,
    manifest_path: Path,
    interactivity_url: str = "",
    commands_url: str = "",
    retry_delays_s: tuple[float, ...] = (0.1, 60.0, 300.0),
    post_rate: PostRate | None = None,
) -> WorkspaceConfig:
    """Return the workspace of Northwind with the scopes, events and commands of a manifest.

    Args:
        data_dir: Holds the workspace's database; created when missing.
        base_url: Where the workspace itself is reached, without a trailing slash.
        bot_token: The only token that the Web API accepts.
        signing_secret: Signs every delivery.
        events_url: Where events are posted.
        manifest_path: The app's manifest.yml.
        interactivity_url: Where clicks and modals are posted; `events_url` when empty.
        commands_url: Where slash commands are posted; `events_url` when empty.
        retry_delays_s: See `WorkspaceConfig`.
        post_rate: See `PostRate`.

    Raises:
        ConfigError: The manifest is missing or has no scopes.
    """
    manifest = read_manifest(manifest_path)
    people = (*_northwind(), _bot_person(name=manifest.bot_name))
    return WorkspaceConfig(
        data_dir=data_dir,
        base_url=base_url.rstrip("/"),
        bot_token=bot_token,
        signing_secret=signing_secret,
        events_url=events_url,
        interactivity_url=interactivity_url or events_url,
        commands_url=commands_url or events_url,
        people=people,
        team=_TEAM,
        channels=_CHANNELS,
        bot_user_id="U0BOT",
        bot_id="B0BOT",
        app_id="A0COUNTER",
        scopes=manifest.scopes,
        commands=manifest.commands,
        events=manifest.events,
        retry_delays_s=retry_delays_s,
        post_rate=post_rate or PostRate(),
    )


def _northwind() -> tuple[Person, ...]:
    berlin, stockholm = "Europe/Berlin", "Europe/Stockholm"
    return (
        Person(
            id="U0DANA",
            name="dana",
            real_name="Dana Reyes",
            email="dana@northwind.example",
            title="Sales",
            tz=berlin,
            tz_offset=_offset_s(berlin),
        ),
        Person(
            id="U0MO",
            name="mo",
            real_name="Mo Haddad",
            email="mo@northwind.example",
            title="Sales manager",
            tz=berlin,
            tz_offset=_offset_s(berlin),
        ),
        Person(
            id="U0ADA",
            name="ada",
            real_name="Ada Lindqvist",
            email="ada@northwind.example",
            title="Workspace admin",
            tz=stockholm,
            tz_offset=_offset_s(stockholm),
            is_admin=True,
            is_owner=True,
        ),
        Person(
            id="U0GUS",
            name="gus",
            real_name="Gus Guest",
            email="gus@partner.example",
            title="Guest",
            tz=berlin,
            tz_offset=_offset_s(berlin),
            is_restricted=True,
        ),
    )


def _bot_person(*, name: str) -> Person:
    return Person(id="U0BOT", name=name.lower().replace(" ", ""), real_name=name, is_bot=True)


def _offset_s(zone: str) -> int:
    offset = datetime.now(UTC).astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
