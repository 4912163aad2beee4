import pytest

from connectors.settings import ProviderSettings
from tests.connectors.plumbing import GOOGLE, HUBSPOT

HERE = "http://127.0.0.1:9001"


def test_manifest_alone_gives_the_vendor_and_nothing_local() -> None:
    """Without overrides only the vendor is reached, over TLS."""  # S30
    settings = ProviderSettings.of(GOOGLE)
    assert settings.token_url == "https://oauth2.googleapis.com/token"
    assert (settings.issuer, settings.local) == ("https://accounts.google.com", frozenset())
    assert not settings.is_set_up


def test_overrides_replace_scheme_and_host_and_keep_paths() -> None:
    """A base URL moves every end point of its part, path and all."""
    settings = ProviderSettings.of(GOOGLE, api_url=HERE, auth_url="http://127.0.0.1:9002")
    assert settings.authorize_url == "http://127.0.0.1:9002/o/oauth2/v2/auth"
    assert settings.token_url == "http://127.0.0.1:9002/token"
    assert settings.account_url == f"{HERE}/oauth2/v3/userinfo"
    assert settings.issuer == "http://127.0.0.1:9002"
    assert settings.local == {"127.0.0.1:9001", "127.0.0.1:9002"}


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost", "localhost:80"),
        ("https://localhost", "localhost:443"),
        ("http://[::1]:7000", "::1:7000"),
    ],
)
def test_this_machine_is_local_under_each_of_its_names(url: str, local: str) -> None:
    """Loopback counts as local, with the port that its scheme implies."""
    settings = ProviderSettings.of(HUBSPOT, api_url=url, auth_url=url, web_url=url)
    assert settings.local == {local}


def test_other_hosts_are_never_local() -> None:
    """Only this machine is excused from TLS."""  # S30
    settings = ProviderSettings.of(HUBSPOT, api_url="http://10.0.0.5:9001")
    assert settings.local == frozenset()


def test_issuer_of_a_provider_that_publishes_none_is_its_consent_page() -> None:
    """`iss` is checked even where the manifest names no issuer."""  # S23
    assert ProviderSettings.of(HUBSPOT).issuer == "https://app.hubspot.com"


def test_client_secret_is_not_shown() -> None:
    """Settings can be logged without giving the secret away."""  # S35
    settings = ProviderSettings.of(HUBSPOT, client_id="id", client_secret="canary-secret")
    assert "canary-secret" not in repr(settings)
