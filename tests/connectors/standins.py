"""Runs a stand-in over real HTTP, and walks its consent page as a person's browser would."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import uvicorn
from authlib.integrations.httpx_client import AsyncOAuth2Client
from starlette.applications import Starlette

from connectors.google_calendar.standin.vendor import GoogleVendor
from connectors.hubspot.standin.vendor import HubSpotVendor
from connectors.standin import StandinConfig
from connectors.standin.vendor import OAuthPaths

PUBLIC_URL = "http://127.0.0.1:9"
"""Where Countersign is, as far as the stand-ins know; nobody listens there."""

REDIRECT_URI = f"{PUBLIC_URL}/oauth/callback"
CLIENT_ID = "countersign-test"
CLIENT_SECRET = "a-made-up-secret"
VERIFIER = "v" * 43
TLS = ssl.create_default_context()
"""Shared, because each client would otherwise load all certificates again (20 ms)."""

HUBSPOT_PATHS = HubSpotVendor.oauth.paths
GOOGLE_PATHS = GoogleVendor.oauth.paths


@dataclass(frozen=True)
class Running:
    """A stand-in that serves, its configuration, and the vendor's OAuth paths."""

    config: StandinConfig
    paths: OAuthPaths

    @property
    def url(self) -> str:
        return self.config.base_url

    @property
    def authorize_path(self) -> str:
        return self.paths.authorize

    @property
    def token_path(self) -> str:
        return self.paths.token

    def client(self, access_token: str | None = None) -> httpx2.AsyncClient:
        headers = {} if access_token is None else {"Authorization": f"Bearer {access_token}"}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, trust_env=False, verify=TLS)

    def oauth_client(self, *, scope: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            CLIENT_ID,
            CLIENT_SECRET,
            scope=scope,
            redirect_uri=REDIRECT_URI,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_post",
            trust_env=False,
            verify=TLS,
        )

    async def control(self, action: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        async with self.client() as http:
            answer = await http.post(f"/_control/{action}", json=body or {})
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    async def look(self, what: str) -> dict[str, Any]:
        async with self.client() as http:
            content: dict[str, Any] = (await http.get(f"/_control/{what}")).json()
        return content


async def decide(
    authorization_url: str,
    *,
    account: str = "dana@northwind.example",
    decision: str = "allow",
    untick: tuple[str, ...] = (),
) -> str:
    """Open the consent page, fill its form and return where the browser is sent."""
    async with httpx2.AsyncClient(trust_env=False, verify=TLS) as browser:
        page = await browser.get(authorization_url)
        assert page.status_code == 200, page.text
        found = re.search(r'name="request" value="([^"]+)"', page.text)
        assert found is not None
        ticked = [
            name
            for name in re.findall(r'name="scope" value="([^"]+)"', page.text)
            if name not in untick
        ]
        parts = urlsplit(authorization_url)
        answer = await browser.post(
            f"{parts.scheme}://{parts.netloc}{parts.path}",
            data={
                "request": found[1],
                "account": account,
                "scope": ticked,
                "decision": decision,
            },
        )
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def connect(
    standin: Running,
    *scopes: str,
    account: str = "dana@northwind.example",
    untick: tuple[str, ...] = (),
    **extra: str,
) -> dict[str, Any]:
    """Return the tokens that a person's consent gives, by Authlib and the real form."""
    async with standin.oauth_client(scope=" ".join(scopes)) as client:
        url, state = client.create_authorization_url(
            standin.url + standin.authorize_path, code_verifier=VERIFIER, **extra
        )
        target = await decide(url, account=account, untick=untick)
        token: dict[str, Any] = await client.fetch_token(
            standin.url + standin.token_path,
            authorization_response=target,
            state=state,
            code_verifier=VERIFIER,
        )
    return token


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@contextmanager
def run_standin(
    build: Callable[[StandinConfig], Starlette],
    *,
    data_dir: Path,
    paths: OAuthPaths,
    **settings: Any,
) -> Iterator[Running]:
    """Serve the stand-in on a free loopback port, in a thread, until the block ends."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer waits
    # 40 ms for a delayed acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        config = StandinConfig(
            data_dir=data_dir,
            base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            redirect_uris=(
                REDIRECT_URI,
                f"{PUBLIC_URL}/oauth/hubspot/callback",
                f"{PUBLIC_URL}/oauth/google_calendar/callback",
            ),
            **settings,
        )
        server = uvicorn.Server(uvicorn.Config(build(config), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)
                assert thread.is_alive(), "the stand-in did not start"
            yield Running(config, paths)
        finally:
            server.should_exit = True
            thread.join(timeout=10)
