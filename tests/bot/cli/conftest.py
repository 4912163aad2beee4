"""Running the command line in this process, with settings of one's own."""

import base64
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from bot.cli.main import main
from tests.storage.empty import empty_url

__all__ = ["empty_url", "run"]

Run = Callable[..., Result]

SETTINGS = {
    "SLACK_BOT_TOKEN": "xoxb-canary-token",
    "SLACK_SIGNING_SECRET": "canary-signing-secret",
    "COUNTERSIGN_URL": "http://127.0.0.1:9",
    "COUNTERSIGN_ENCRYPTION_KEY": base64.b64encode(b"canary-key-of-32-bytes-in-length").decode(),
    "COUNTERSIGN_ADMINS": "ada@northwind.example",
    "SLACK_API_URL": "http://127.0.0.1:9/api",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return a function that runs a command with nothing but the given settings."""
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers, root.level

    def invoke(*arguments: str, settings: Mapping[str, str | None] = SETTINGS) -> Result:
        return CliRunner().invoke(main, list(arguments), env=dict(settings))

    yield invoke
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
