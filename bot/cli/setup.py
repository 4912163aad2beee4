"""What several commands begin with: settings, log, database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.config import Settings, StorageSettings, load_settings, load_storage_settings
from bot.telemetry.logs import configure_logging
from storage.embedded import EmbeddedPostgres, default_data_dir

ENV_FILE = Path(".env")


def read_settings() -> Settings:
    """Return all settings and set up the log.

    Raises:
        SettingsError: names what is missing or wrong.
    """
    settings = load_settings(env_file=ENV_FILE)
    _configure(settings)
    return settings


def read_storage_settings() -> StorageSettings:
    """Return what is needed to reach the database, and set up the log.

    Raises:
        SettingsError: as `read_settings`.
    """
    settings = load_storage_settings(env_file=ENV_FILE)
    _configure(settings)
    return settings


@contextmanager
def open_database(settings: StorageSettings) -> Iterator[str]:
    """Give the URL of the database; the embedded one runs as long as the block.

    Raises:
        EmbeddedPostgresError: it cannot run here; the message says what to do.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    postgres = EmbeddedPostgres(data_dir=settings.countersign_data_dir or default_data_dir())
    try:
        yield postgres.start()
    finally:
        postgres.stop()


def _configure(settings: StorageSettings) -> None:
    configure_logging(
        level=settings.countersign_log_level,
        form=settings.countersign_log_format,
        secrets=settings.secrets(),
    )
