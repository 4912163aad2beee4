import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from bot.web.oauth import COOKIE, LINK_KIND, ConnectPages
from bot.web.pages import SecurityHeaders
from connectors.google_calendar.standin import build_standin as build_google
from connectors.hubspot.standin import build_standin as build_hubspot
from connectors.oauth import Fetched
from storage.database import Database
from storage.tables.connections import Connection
from tests.connectors.plumbing import (
    DANA,
    DEALS,
    EVENTS,
    GOOGLE,
    TEAM,
    Plumbing,
    add_people,
    settings_at,
)
from tests.connectors.standins import (
    GOOGLE_PATHS,
    HUBSPOT_PATHS,
    PUBLIC_URL,
    Running,
    decide,
    query_of,
    run_standin,
)


@dataclass
class Site:
    """The pages, a browser that visits them, and what the bot was told."""

    app: Starlette
    browser: httpx2.AsyncClient
    plumbing: Plumbing
    told: list[Fetched] = field(default_factory=list)

    async def link(self, token: str = "t" * 43, *, provider: str = "hubspot") -> str:
        """Give Dana a link as Slack does."""
        scopes = {"hubspot": [DEALS], "google_calendar": [EVENTS]}[provider]
        async with self.plumbing.database.transaction() as tx:
            await tx.links.add(
                token_hash=hashlib.sha256(token.encode()).hexdigest(),
                team_id=TEAM,
                person_id=DANA,
                kind=LINK_KIND,
                data={"provider": provider, "scopes": scopes, "goal_id": 7},
                lives_s=600,
            )
        return f"/connect/{token}"

    async def begin(self, *, provider: str = "hubspot") -> str:
        """Press the button, and return where it leads."""
        path = await self.link(token=provider * 3, provider=provider)
        answer = await self.browser.post(path)
        assert answer.status_code == 303
        return str(answer.headers["location"])

    async def confirm(self, target: str, answer: str = "yes") -> httpx2.Response:
        data = {"state": query_of(target)["state"], "answer": answer}
        return await self.browser.post("/oauth/hubspot/confirm", data=data)

    async def connection(self, provider: str = "hubspot") -> Connection | None:
        async with self.plumbing.database.transaction() as tx:
            return await tx.connections.find(TEAM, DANA, provider)


@pytest.fixture(scope="module")
def standins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    folder = tmp_path_factory.mktemp("standins")
    with (
        run_standin(build_hubspot, data_dir=folder / "hubspot", paths=HUBSPOT_PATHS) as hubspot,
        run_standin(build_google, data_dir=folder / "google", paths=GOOGLE_PATHS) as google,
    ):
        yield hubspot, google


@pytest.fixture
async def site(database: Database, standins: tuple[Running, Running]) -> AsyncIterator[Site]:
    hubspot, google = standins
    await hubspot.control("reset")
    await google.control("reset")
    await add_people(database)
    plumbing = Plumbing(database, settings_at(hubspot.url), settings_at(google.url, GOOGLE))
    told: list[Fetched] = []

    async def on_connected(fetched: Fetched) -> None:
        told.append(fetched)

    pages = ConnectPages(
        flow=plumbing.flow,
        database=database,
        providers=plumbing.providers,
        on_connected=on_connected,
        is_https=False,
    )
    app = Starlette(routes=pages.routes(), middleware=[Middleware(SecurityHeaders)])
    async with new_browser(app) as browser:
        yield Site(app, browser, plumbing, told)
    await plumbing.close()


def new_browser(app: Starlette) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=PUBLIC_URL)


async def test_person_connects_in_four_steps(site: Site) -> None:
    """Link, consent at the provider, both identities, done: then the waiting goal goes on."""
    page = await site.browser.get(await site.link())
    assert page.status_code == 200
    for shown in ("Connect HubSpot", "Dana Reyes", "Northwind", "See deals"):
        assert shown in page.text
    target = await decide(await site.begin(), account="dana@northwind.example")
    asked = await site.browser.get(target)
    assert asked.status_code == 200
    assert "Dana Reyes" in asked.text
    assert "dana@northwind.example" in asked.text
    assert "Know which HubSpot account" not in asked.text
    assert (await site.connection(), site.told) == (None, [])
    done = await site.confirm(target)
    assert done.status_code == 200
    assert "HubSpot is connected" in done.text
    connection = await site.connection()
    assert connection is not None
    assert [(told.person_id, told.provider, told.goal_id) for told in site.told] == [
        (DANA, "hubspot", 7)
    ]


async def test_confirmation_shows_whose_account_it_is(site: Site) -> None:
    """Who consented with another account sees that before anything is stored."""  # S24
    target = await decide(await site.begin(), account="mo@northwind.example")
    page = await site.browser.get(target)
    assert "Dana Reyes" in page.text
    assert "mo@northwind.example" in page.text
    declined = await site.confirm(target, answer="no")
    assert "Nothing was stored" in declined.text
    assert (await site.connection(), site.told) == (None, [])


async def test_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Site) -> None:
    """The browser's secret is HttpOnly, lax, short, and for its provider's pages only."""  # S24
    answer = await site.browser.post(await site.link())
    cookie = answer.headers["set-cookie"]
    for part in (f"{COOKIE}=", "HttpOnly", "SameSite=lax", "Max-Age=900", "Path=/oauth/hubspot"):
        assert part in cookie
    assert "Secure" not in cookie


async def test_two_providers_can_be_connected_side_by_side(site: Site) -> None:
    """Beginning the second does not break the first."""
    first = await decide(await site.begin())
    second = await decide(await site.begin(provider="google_calendar"))
    assert (await site.browser.get(first)).status_code == 200
    assert (await site.browser.get(second)).status_code == 200


async def test_callback_in_another_browser_is_refused(site: Site) -> None:
    """Somebody who was sent the address of a consent gets nowhere with it."""  # S24
    target = await decide(await site.begin())
    async with new_browser(site.app) as other:
        page = await other.get(target)
    assert page.status_code == 400
    assert "another browser" in page.text
    assert (await site.connection(), site.told) == (None, [])


async def test_reloaded_confirmation_connects_once(site: Site) -> None:
    """Pressing twice, or reloading, changes nothing more and says so."""
    target = await decide(await site.begin())
    await site.browser.get(target)
    assert (await site.confirm(target)).status_code == 200
    again = await site.confirm(target)
    assert again.status_code == 400
    assert "already used" in again.text
    assert len(site.told) == 1


@pytest.mark.parametrize("path", ["/connect/unknown", "/connect/" + "x" * 4000, "/connect/%00"])
async def test_link_that_ended_says_what_to_do(site: Site, path: str) -> None:
    """An old or forged link leads back to Slack, by GET and by POST."""  # S33
    for answer in (await site.browser.get(path), await site.browser.post(path)):
        assert answer.status_code == 410
        assert "Go back to Slack" in answer.text
        assert "set-cookie" not in answer.headers


async def test_link_of_another_kind_is_no_connect_link(site: Site) -> None:
    """A link to a goal's page cannot connect anything."""
    token = hashlib.sha256(b"goal").hexdigest()
    async with site.plumbing.database.transaction() as tx:
        await tx.links.add(
            token_hash=token,
            team_id=TEAM,
            person_id=DANA,
            kind="goal",
            data={"goal_id": 1},
            lives_s=60,
        )
    assert (await site.browser.get("/connect/goal")).status_code == 410


MALFORMED = {
    "no state": ("GET", "/oauth/hubspot/callback", ""),
    "forged": ("GET", "/oauth/hubspot/callback?state=x&code=y", ""),
    "unknown provider": ("GET", "/oauth/nobody/callback?state=x&code=y", ""),
    "markup": ("GET", "/oauth/hubspot/callback?error=<script>alert(1)</script>", ""),
    "empty form": ("POST", "/oauth/hubspot/confirm", ""),
    "no such state": ("POST", "/oauth/hubspot/confirm", "state=x&answer=yes"),
    "repeated": ("POST", "/oauth/hubspot/confirm", "state=x&state=y&answer=yes"),
    "not a form": ("POST", "/oauth/hubspot/confirm", "\x00\xff{"),
    "too many fields": ("POST", "/oauth/hubspot/confirm", "&".join(["a=b"] * 100)),
}


@pytest.mark.parametrize(("method", "path", "body"), MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_request_is_refused_calmly(
    site: Site, method: str, path: str, body: str
) -> None:
    """Bad input gets a 4xx page that repeats nothing of it."""  # S33
    headers = {"content-type": "application/x-www-form-urlencoded"} if body else {}
    answer = await site.browser.request(method, path, content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert "<script>" not in answer.text


async def test_pages_load_and_run_nothing_of_others(site: Site) -> None:
    """No script, no frame, no referrer; the form may lead to the provider and nowhere else."""
    page = await site.browser.get(await site.link())
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    authorize = site.plumbing.providers["hubspot"].authorize_url
    assert f"form-action 'self' {authorize.partition('/oauth')[0]} https:" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "<script" not in page.text


async def test_denied_consent_ends_on_a_calm_page(site: Site) -> None:
    """Who presses Deny by mistake reads how to go on."""
    target = await decide(await site.begin(), decision="deny")
    page = await site.browser.get(target)
    assert page.status_code == 400
    assert "press Connect in Slack again" in page.text


async def test_unticked_scope_is_named_before_confirming(site: Site) -> None:
    """The page says what will not work."""  # S27
    target = await decide(await site.begin(provider="google_calendar"), untick=(EVENTS,))
    page = await site.browser.get(target)
    assert "You did not allow" in page.text
