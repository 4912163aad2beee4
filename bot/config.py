"""The settings: every variable Countersign reads, checked once, when a process starts."""

import base64
import binascii
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import SettingsError
from bot.settings_help import REMEDIES
from storage.retention import Keep


def _names(value: object) -> object:
    return _parts(value) if isinstance(value, str) else value


def _parts(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _prices(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = {}
    for part in _parts(value):
        name, _, prices = part.rpartition("=")
        prompt, _, completion = prices.partition("/")
        if not name or not completion:
            message = "is not a list like gpt-5.1=1.25/10,gpt-5-mini=0.25/2"
            raise ValueError(message)
        found[name] = (prompt, completion)
    return found


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        message = "is not a URL that begins with https:// or http://"
        raise ValueError(message)
    return value.rstrip("/")


_KEY_BYTES = 32
_DAY_S = 86_400

Names: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
"""Slack user ids or e-mail addresses, separated by commas."""

Prices: TypeAlias = Annotated[dict[str, tuple[float, float]], NoDecode, BeforeValidator(_prices)]
"""`model=prompt/completion`, separated by commas; prices of a million tokens."""

BaseUrl: TypeAlias = Annotated[str, AfterValidator(_base_url)]
"""An http(s) URL without a slash at its end."""


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)


class StorageSettings(_Settings):
    """What is needed to reach the database: enough for `migrate` and `audit verify`."""

    database_url: SecretStr | None = None
    """Unset: the embedded PostgreSQL in `countersign_data_dir`."""
    countersign_data_dir: Path | None = None
    countersign_log_level: Literal["debug", "info", "warning", "error"] = "info"
    countersign_log_format: Literal["auto", "json", "text"] = "auto"
    """`auto`: text on a terminal, JSON elsewhere."""

    countersign_call_timeout_s: float = Field(default=20, gt=0)
    """How long one call may last; `halt` waits as long for one that a dead process sent."""

    countersign_keep_jobs_days: float = Field(default=7, ge=0)
    """How long finished jobs of the queue stay, for whoever looks into a failure."""
    countersign_keep_events_days: float = Field(default=30, ge=2)
    """How long handled events stay where a repeated one is noticed; Slack repeats within a day."""
    countersign_keep_archive_days: float = Field(default=365, ge=0)
    """How long events stay in the archive after that."""
    countersign_keep_cards_days: float = Field(default=180, ge=1)
    """How long after a goal ended its messages can still be redrawn."""

    @property
    def keep_s(self) -> dict[Keep, float]:
        """Return the retention settings in seconds."""
        days = {
            Keep.JOBS: self.countersign_keep_jobs_days,
            Keep.EVENTS: self.countersign_keep_events_days,
            Keep.ARCHIVE: self.countersign_keep_archive_days,
            Keep.CARDS: self.countersign_keep_cards_days,
        }
        return {keep: amount * _DAY_S for keep, amount in days.items()}

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        scheme = urlsplit(value.get_secret_value()).scheme if value is not None else "postgres"
        if scheme.partition("+")[0] not in {"postgres", "postgresql"}:
            message = "is not a PostgreSQL URL"
            raise ValueError(message)
        return value

    def secrets(self) -> tuple[str, ...]:
        """Return every secret value, for the log to mask (S35)."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return tuple(v.get_secret_value() for v in values if isinstance(v, SecretStr))


class Settings(StorageSettings):
    """What a running bot needs. Field names are the variables' names in lower case."""

    slack_bot_token: SecretStr
    slack_signing_secret: SecretStr
    slack_api_url: BaseUrl = "https://slack.com/api"

    countersign_url: BaseUrl
    """Where Slack and browsers reach us: links and OAuth redirects begin with it."""
    countersign_encryption_key: SecretStr
    """The key-encryption key (S28): 32 bytes in base64."""
    countersign_admins: Names = ()
    countersign_approvers: Names = ()
    countersign_policy: Path | None = None
    """Unset: the tiers of docs/approvals.md decide by themselves."""

    countersign_host: str = "127.0.0.1"
    countersign_port: int = Field(default=8080, ge=0, le=65535)

    hubspot_client_id: str | None = None
    hubspot_client_secret: SecretStr | None = None
    hubspot_api_url: BaseUrl | None = None
    hubspot_auth_url: BaseUrl | None = None
    hubspot_web_url: BaseUrl | None = None
    google_client_id: str | None = None
    google_client_secret: SecretStr | None = None
    google_api_url: BaseUrl | None = None
    google_auth_url: BaseUrl | None = None
    google_web_url: BaseUrl | None = None

    openai_api_key: SecretStr | None = None
    """Unset, with `openai_base_url` unset too: the offline planner."""
    openai_base_url: BaseUrl | None = None
    countersign_model_large: str = "gpt-5.1"
    countersign_model_small: str = "gpt-5-mini"

    countersign_lease_s: float = Field(default=25, gt=0)
    """How long an attempt may send; whoever takes over waits for it and the time-out of a call."""
    countersign_retry_base_s: float = Field(default=2, gt=0)
    """The first pause after a failure that may pass; it doubles."""
    countersign_max_tries: int = Field(default=5, ge=1)
    """How often a step is tried before it counts as failed."""
    countersign_metrics_token: SecretStr | None = None
    """Who sends it as a bearer reads `/metrics`; unset, there is no such page."""
    countersign_provider_down_s: float = Field(default=86_400, gt=0)
    """How long steps wait for a provider that does not answer before they end as failed."""
    countersign_worker_jobs: int = Field(default=20, ge=1)
    """How many jobs a worker runs at once: they wait for the network most of the time."""
    countersign_max_replans: int = Field(default=1, ge=0, le=2)
    """How often what did not go as planned goes to the model for another plan, a goal."""
    countersign_max_rounds: int = Field(default=2, ge=1, le=2)
    """How often the model plans one goal: with 2 it may see what it read and plan the rest."""
    countersign_budget_steps: int = Field(default=40, ge=1)
    """The most steps of one goal, in all versions of its plan."""
    countersign_budget_calls: int = Field(default=1000, ge=1)
    """The most calls to providers of one goal, repeats included."""
    countersign_budget_writes: int = Field(default=200, ge=1)
    """The most changes at providers that one goal makes."""
    countersign_budget_recipients: int = Field(default=100, ge=1)
    """The most different addresses that one goal's changes notify."""
    countersign_budget_requests: int = Field(default=25, ge=1)
    """The most requests to a model for one goal."""
    countersign_budget_tokens: int = Field(default=300_000, ge=1)
    """The most tokens of those requests."""
    countersign_budget_money: float = Field(default=1, gt=0)
    """The most that they cost; counts where there are prices."""
    countersign_model_prices: Prices = Field(default_factory=dict)
    """Beginning of a model's name → (prompt, completion): the price of a million tokens."""
    countersign_budget_days: float = Field(default=30, gt=0)
    """How long one goal may take besides what it waits for by its plan."""
    countersign_heartbeat_s: float = Field(default=10, gt=0, le=10)
    """How often a worker says that it lives; after three silent ones `/readyz` says it is gone."""
    countersign_sweep_s: float = Field(default=5, gt=0)
    """How often the tick looks for what was left behind."""
    countersign_stale_s: float = Field(default=45, gt=0)
    """How long a goal that ought to move may rest before the sweeper nudges it."""
    countersign_event_lease_s: float = Field(default=45, gt=0)
    """How long a worker may handle an event of Slack's before another takes it over."""
    countersign_card_lease_s: float = Field(default=30, gt=0)
    """How long a worker may post a card before another looks for it and posts it."""
    countersign_seal_s: float = Field(default=1, gt=0)

    @field_validator("slack_bot_token")
    @classmethod
    def _is_bot_token(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith("xoxb-"):
            message = "is not a bot token: it must begin with xoxb-"
            raise ValueError(message)
        return value

    @field_validator("countersign_encryption_key")
    @classmethod
    def _is_key(cls, value: SecretStr) -> SecretStr:
        try:
            key = base64.b64decode(value.get_secret_value(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != _KEY_BYTES:
            message = "is not 32 bytes in base64"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _is_lease_longer_than_a_call(self) -> Self:
        if self.countersign_lease_s <= self.countersign_call_timeout_s:
            message = "COUNTERSIGN_LEASE_S must be longer than COUNTERSIGN_CALL_TIMEOUT_S"
            raise ValueError(message)
        return self

    @property
    def has_model(self) -> bool:
        """Whether plans come from a model; otherwise from the offline planner."""
        return self.openai_api_key is not None or self.openai_base_url is not None


def load_settings(*, env_file: Path | None = None) -> Settings:
    """Return the settings from the environment, and from a file for what it leaves open.

    Raises:
        SettingsError: names every variable that is missing or wrong, and how to mend it.
    """
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        raise SettingsError(_problems(error)) from None


def load_storage_settings(*, env_file: Path | None = None) -> StorageSettings:
    """Return what is needed to reach the database.

    Raises:
        SettingsError: as `load_settings`.
    """
    try:
        return StorageSettings(_env_file=env_file)
    except ValidationError as error:
        raise SettingsError(_problems(error)) from None


def _problems(error: ValidationError) -> tuple[str, ...]:
    """Say each problem without the value it is about, which may be a secret (S35)."""
    problems = []
    for item in error.errors(include_input=False, include_url=False):
        variable = str(item["loc"][0]).upper() if item["loc"] else ""
        said = "is missing" if item["type"] == "missing" else _said(item["msg"])
        remedy = REMEDIES.get(variable, "See .env.example.")
        problems.append(f"{variable} {said}. {remedy}".strip())
    return tuple(problems)


def _said(message: str) -> str:
    message = message.removeprefix("Value error, ").rstrip(".")
    return message if message.startswith(("is ", "COUNTERSIGN_")) else f"is wrong: {message}"
