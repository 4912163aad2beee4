"""Where a provider is reached, and as which app: its manifest, changed by the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from connectors.manifest import Manifest

_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """One provider as this installation reaches it.

    Attributes:
        client_id: of our OAuth app there; empty when it is not set up.
        client_secret: never logged, never shown.
        api_url, web_url: base URLs without a slash at the end.
        issuer: what `iss` of an authorization response must be where one is given (RFC 9207);
            of a provider that publishes none, the origin of its consent page.
        hosts: the only host names that are ever contacted for it (S30).
        local: `host:port` that the configuration names on this machine; the only ones that may
            be reached without TLS or at an address that is not public.
    """

    manifest: Manifest
    client_id: str
    client_secret: str = field(repr=False)
    api_url: str
    web_url: str
    authorize_url: str
    token_url: str
    revoke_url: str
    account_url: str
    issuer: str
    hosts: frozenset[str]
    local: frozenset[str]

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        *,
        client_id: str = "",
        client_secret: str = "",
        api_url: str | None = None,
        auth_url: str | None = None,
        web_url: str | None = None,
    ) -> Self:
        """Return a manifest's end points with scheme and host replaced where given."""
        oauth = manifest.oauth
        urls: Mapping[str, str] = {
            "api_url": _moved(manifest.api_url, api_url),
            "web_url": _moved(manifest.web_url, web_url),
            "authorize_url": _moved(oauth.authorize_url, auth_url),
            "token_url": _moved(oauth.token_url, auth_url or api_url),
            "revoke_url": _moved(oauth.revoke_url, auth_url or api_url),
            "account_url": _moved(oauth.account_url, api_url),
            "issuer": _moved(oauth.issuer or _origin(oauth.authorize_url), auth_url),
        }
        named = [urlsplit(url) for url in urls.values()]
        return cls(
            manifest=manifest,
            client_id=client_id,
            client_secret=client_secret,
            hosts=frozenset(manifest.hosts) | {part.hostname or "" for part in named},
            local=frozenset(
                f"{part.hostname}:{part.port or _PORTS[part.scheme]}"
                for part in named
                if part.hostname in _LOCAL_HOSTS
            ),
            **urls,
        )

    @property
    def is_set_up(self) -> bool:
        """Whether this installation has an OAuth app at the provider."""
        return bool(self.client_id and self.client_secret)


def _moved(url: str, base: str | None) -> str:
    """Return `url` with the scheme, host and port of `base`."""
    if base is None:
        return url.rstrip("/")
    part, where = urlsplit(url), urlsplit(base)
    return urlunsplit((where.scheme, where.netloc, part.path, part.query, "")).rstrip("/")


def _origin(url: str) -> str:
    part = urlsplit(url)
    return f"{part.scheme}://{part.netloc}"
