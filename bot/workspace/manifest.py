"""Reads from an app's manifest what the workspace grants and delivers."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from bot.workspace.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Manifest:
    bot_name: str
    scopes: frozenset[str]
    events: frozenset[str]
    commands: tuple[str, ...]


class _Display(BaseModel):
    name: str


class _BotUser(BaseModel):
    display_name: str = ""


class _Command(BaseModel):
    command: str


class _Features(BaseModel):
    bot_user: _BotUser = _BotUser()
    slash_commands: list[_Command] = []


class _Scopes(BaseModel):
    bot: list[str]
    bot_optional: list[str] = []


class _OAuth(BaseModel):
    scopes: _Scopes


class _Subscriptions(BaseModel):
    bot_events: list[str] = []


class _Settings(BaseModel):
    event_subscriptions: _Subscriptions = _Subscriptions()


class _File(BaseModel):
    display_information: _Display
    features: _Features = _Features()
    oauth_config: _OAuth
    settings: _Settings = _Settings()


def read_manifest(path: Path) -> Manifest:
    """Return the scopes, events and commands of the manifest at `path`.

    It reads the keys the workspace needs and does not check the others.

    Raises:
        ConfigError: The file is missing, is not YAML, or lacks a name or its bot scopes.
    """
    try:
        parsed = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as exc:
        msg = f"The manifest {path.name} cannot be used: {exc}"
        raise ConfigError(msg) from exc
    scopes = parsed.oauth_config.scopes
    return Manifest(
        bot_name=parsed.features.bot_user.display_name or parsed.display_information.name,
        scopes=frozenset(scopes.bot) | frozenset(scopes.bot_optional),
        events=frozenset(parsed.settings.event_subscriptions.bot_events),
        commands=tuple(entry.command for entry in parsed.features.slash_commands),
    )
