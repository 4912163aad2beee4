"""Settings are complete and right, or nothing starts."""

import base64
import re
from pathlib import Path

import pytest

from bot.config import Settings, load_settings, load_storage_settings
from bot.errors import SettingsError

ROOT = Path(__file__).parents[2]
KEY = base64.b64encode(b"canary-key-of-32-bytes-in-length").decode()
_STATED = re.compile(
    r"# COUNTERSIGN_(PORT|HOST|MODEL_(LARGE|SMALL)|BUDGET_\w+|LOG_\w+|MAX_TRIES|\w+_S)="
)
RIGHT = {
    "SLACK_BOT_TOKEN": "xoxb-canary",
    "SLACK_SIGNING_SECRET": "canary-secret",
    "COUNTERSIGN_URL": "https://countersign.example.com/",
    "COUNTERSIGN_ENCRYPTION_KEY": KEY,
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return an environment in which only the right settings are set."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in RIGHT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_right_settings_are_read(environment: pytest.MonkeyPatch) -> None:
    """Names are split, URLs lose their last slash, an empty value is none."""
    environment.setenv("COUNTERSIGN_ADMINS", "U0ADA, mo@northwind.example,")
    environment.setenv("OPENAI_API_KEY", "")

    settings = load_settings()

    assert settings.countersign_admins == ("U0ADA", "mo@northwind.example")
    assert settings.countersign_url == "https://countersign.example.com"
    assert not settings.has_model


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SLACK_BOT_TOKEN", "xapp-1", "must begin with xoxb-"),
        ("COUNTERSIGN_URL", "countersign.example.com", "is not a URL"),
        ("COUNTERSIGN_ENCRYPTION_KEY", "c2hvcnQ=", "is not 32 bytes in base64"),
        ("COUNTERSIGN_ENCRYPTION_KEY", "*", "is not 32 bytes in base64"),
        ("DATABASE_URL", "mysql://localhost/x", "is not a PostgreSQL URL"),
        ("COUNTERSIGN_PORT", "eighty", "valid integer"),
        ("COUNTERSIGN_LEASE_S", "10", "must be longer than COUNTERSIGN_CALL_TIMEOUT_S"),
    ],
)
def test_wrong_setting_is_named_with_a_remedy(
    environment: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """One sentence says which variable is wrong and why, another what to do."""
    environment.setenv(name, value)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    (problem,) = caught.value.problems
    assert name in problem
    assert said in problem


def test_all_missing_settings_are_named_at_once(environment: pytest.MonkeyPatch) -> None:
    """Nobody has to start four times to learn of four variables."""
    for name in RIGHT:
        environment.delenv(name)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert [problem.split(" ")[0] for problem in caught.value.problems] == list(RIGHT)


def test_secrets_do_not_show(environment: pytest.MonkeyPatch) -> None:
    """Settings may end up in a log or a traceback; secrets must not (S35)."""
    environment.setenv("DATABASE_URL", "postgresql://u:canary@localhost/x")

    settings = load_settings()

    assert "canary" not in repr(settings)
    assert KEY not in str(settings)
    assert set(settings.secrets()) == {
        "xoxb-canary",
        "canary-secret",
        KEY,
        "postgresql://u:canary@localhost/x",
    }


def test_database_alone_is_enough_to_migrate(environment: pytest.MonkeyPatch) -> None:
    """`migrate` and `audit verify` need neither Slack nor a key."""
    for name in RIGHT:
        environment.delenv(name)

    assert load_storage_settings().database_url is None


def test_env_example_explains_every_variable() -> None:
    """A variable that is not in .env.example does not exist for whoever sets Countersign up."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    explained = {
        line.lstrip("# ").partition("=")[0] for line in example.splitlines() if "=" in line
    }

    assert explained >= {name.upper() for name in Settings.model_fields}


def test_env_example_states_the_defaults(environment: pytest.MonkeyPatch) -> None:
    """Numbers that are explained are the ones that hold."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    stated = dict(line[2:].split("=", 1) for line in example.splitlines() if _STATED.match(line))

    settings = load_settings()

    assert {name: str(getattr(settings, name.lower())).removesuffix(".0") for name in stated} == (
        stated
    )


def test_env_example_filled_in_is_valid(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Copying the example and filling in what it asks for gives settings that are right."""
    copied = tmp_path / ".env"
    copied.write_text((ROOT / ".env.example").read_text(encoding="utf-8"), encoding="utf-8")

    assert load_settings(env_file=copied).countersign_port == 8080


def test_prices_of_models_are_read_and_a_wrong_list_names_its_form(
    environment: pytest.MonkeyPatch,
) -> None:
    """Prices are `model=prompt/completion`; anything else says how they are written."""
    environment.setenv("COUNTERSIGN_MODEL_PRICES", "large=1.25/10, small=0.25/2")
    assert load_settings().countersign_model_prices == {"large": (1.25, 10), "small": (0.25, 2)}
    environment.setenv("COUNTERSIGN_MODEL_PRICES", "large:3")
    with pytest.raises(SettingsError, match=r"gpt-5\.1=1\.25/10"):
        load_settings()
