from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from connectors.oauth import Begun, Fetched
from connectors.oauth_errors import (
    ConsentDeniedError,
    ExchangeFailedError,
    IssuerMismatchError,
    NotSetUpError,
    OAuthFlowError,
    OtherBrowserError,
    OtherPersonError,
    StateExpiredError,
    StateUnknownError,
    StateUsedError,
)
from connectors.settings import ProviderSettings
from storage.database import Database
from storage.tables.connections import Connection, ConnectionStatus
from tests.connectors.plumbing import (
    CONTACTS,
    DANA,
    DEALS,
    EMAIL,
    EVENTS,
    GOOGLE,
    HUBSPOT,
    MO,
    TEAM,
    Plumbing,
    add_people,
    settings_at,
)
from tests.connectors.standins import PUBLIC_URL, Running, decide, query_of

DANAS = "dana@northwind.example"


@pytest.fixture
async def plumbing(
    database: Database, hubspot: Running, google: Running
) -> AsyncIterator[Plumbing]:
    """Both providers' stand-ins, and Dana and Mo in one team."""
    await add_people(database)
    made = Plumbing(database, settings_at(hubspot.url), settings_at(google.url, GOOGLE))
    yield made
    await made.close()


async def begin(
    plumbing: Plumbing, *scopes: str, provider: str = "hubspot", person_id: str = DANA
) -> Begun:
    return await plumbing.flow.begin(
        team_id=TEAM,
        person_id=person_id,
        provider=provider,
        scopes=frozenset(scopes or (DEALS,)),
        goal_id=7,
    )


async def fetch(
    plumbing: Plumbing, begun: Begun, target: str, *, provider: str = "hubspot", **changes: str
) -> Fetched:
    query = query_of(target) | changes
    return await plumbing.flow.fetch(provider, query=query, browser_secret=begun.browser_secret)


async def connect(
    plumbing: Plumbing,
    *scopes: str,
    provider: str = "hubspot",
    person_id: str = DANA,
    account: str = DANAS,
) -> Fetched | None:
    """Go the whole way, as a person would."""
    begun = await begin(plumbing, *scopes, provider=provider, person_id=person_id)
    target = await decide(begun.url, account=account)
    await fetch(plumbing, begun, target, provider=provider)
    return await confirm(plumbing, begun, target, provider=provider)


async def confirm(
    plumbing: Plumbing,
    begun: Begun,
    target: str,
    *,
    provider: str = "hubspot",
    is_right: bool = True,
) -> Fetched | None:
    return await plumbing.flow.confirm(
        provider,
        state=query_of(target)["state"],
        browser_secret=begun.browser_secret,
        is_right=is_right,
    )


async def find(
    plumbing: Plumbing, *, person_id: str = DANA, provider: str = "hubspot"
) -> Connection | None:
    async with plumbing.database.transaction() as tx:
        return await tx.connections.find(TEAM, person_id, provider)


async def test_request_names_exact_redirect_pkce_and_least_scopes(plumbing: Plumbing) -> None:
    """We ask for a code with S256, our exact address, the least scopes, this person."""  # S23
    begun = await begin(plumbing, EVENTS, provider="google_calendar")
    asked = query_of(begun.url)
    assert asked["redirect_uri"] == f"{PUBLIC_URL}/oauth/google_calendar/callback"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert (len(asked["code_challenge"]), len(asked["state"])) == (43, 43)
    assert set(asked["scope"].split()) == {EVENTS, EMAIL, "openid"}
    assert (asked["access_type"], asked["login_hint"]) == ("offline", DANAS)
    assert urlsplit(begun.url).path == "/o/oauth2/v2/auth"


async def test_state_and_verifier_are_not_stored_readable(plumbing: Plumbing) -> None:
    """The database alone is not enough to finish somebody's flow."""  # S24
    begun = await begin(plumbing)
    async with plumbing.database.transaction() as tx:
        row = (await tx.session.execute(text("SELECT oauth_states::text FROM oauth_states"))).one()
    assert query_of(begun.url)["state"] not in row[0]
    assert begun.browser_secret not in row[0]


@pytest.mark.parametrize(("provider", "scope"), [("hubspot", DEALS), ("google_calendar", EVENTS)])
async def test_person_connects_and_calls_work(
    plumbing: Plumbing, provider: str, scope: str
) -> None:
    """After consent and confirmation the connection is stored, audited and usable."""
    begun = await begin(plumbing, scope, provider=provider)
    target = await decide(begun.url, account=DANAS)
    fetched = await fetch(plumbing, begun, target, provider=provider)
    assert (fetched.person_id, fetched.account, fetched.goal_id) == (DANA, DANAS, 7)
    assert fetched.missing == frozenset()
    assert await find(plumbing, provider=provider) is None
    assert await confirm(plumbing, begun, target, provider=provider) == fetched
    connection = await find(plumbing, provider=provider)
    assert connection is not None
    assert (connection.status, connection.account) == (ConnectionStatus.CONNECTED, DANAS)
    assert scope in connection.scopes
    paths = {
        "hubspot": ("POST", "/crm/objects/2026-09/deals/search"),
        "google_calendar": ("GET", "/calendar/v3/calendars/primary/events"),
    }
    method, path = paths[provider]
    http = plumbing.http(connection)
    content: dict[str, str] | None = {} if method == "POST" else None
    answer = await http.request(method, path, json=content, reads=True)
    assert answer.status_code == 200
    row = (await plumbing.audit_rows())[-1]
    assert (row.tag, row.actor, row.goal_id) == ("web:connection:connect", DANA, 7)


async def test_second_callback_is_refused(plumbing: Plumbing) -> None:
    """A state is used once, also by whoever finds the address in a history."""  # S24
    begun = await begin(plumbing)
    target = await decide(begun.url)
    await fetch(plumbing, begun, target)
    with pytest.raises(StateUsedError):
        await fetch(plumbing, begun, target)


async def test_callback_in_another_browser_is_refused(plumbing: Plumbing) -> None:
    """A callback by somebody else is refused, and the state is spent."""  # S24
    begun = await begin(plumbing)
    target = await decide(begun.url)
    for secret, expected in (
        ("", OtherBrowserError),
        (begun.browser_secret, StateUsedError),
    ):
        with pytest.raises(expected):
            await plumbing.flow.fetch("hubspot", query=query_of(target), browser_secret=secret)
    assert await find(plumbing) is None


async def test_callback_after_ten_minutes_is_refused(plumbing: Plumbing) -> None:
    """A flow that took too long ends, and says so."""  # S24
    begun = await begin(plumbing)
    target = await decide(begun.url)
    async with plumbing.database.transaction() as tx:
        await tx.session.execute(text("UPDATE oauth_states SET expires_at = now()"))
    with pytest.raises(StateExpiredError):
        await fetch(plumbing, begun, target)


@pytest.mark.parametrize("state", ["", "forged", "x" * 5000, "\x00"])
async def test_state_that_nobody_gave_out_is_refused(plumbing: Plumbing, state: str) -> None:
    """A state that we never made begins nothing."""  # S24, S33
    with pytest.raises(StateUnknownError):
        await plumbing.flow.fetch("hubspot", query={"state": state, "code": "c"}, browser_secret="")


async def test_state_of_one_provider_is_no_state_of_another(plumbing: Plumbing) -> None:
    """A code never goes to another provider's token end point (mix-up)."""  # S24
    begun = await begin(plumbing)
    target = await decide(begun.url)
    with pytest.raises(StateUnknownError):
        await fetch(plumbing, begun, target, provider="google_calendar")


@pytest.mark.parametrize("provider", ["hubspot", "google_calendar"])
async def test_answer_of_another_issuer_is_refused(plumbing: Plumbing, provider: str) -> None:
    """`iss` is compared wherever one is given."""  # S23
    scope = DEALS if provider == "hubspot" else EVENTS
    begun = await begin(plumbing, scope, provider=provider)
    target = await decide(begun.url)
    with pytest.raises(IssuerMismatchError):
        await fetch(plumbing, begun, target, provider=provider, iss="https://evil.example")


async def test_denied_consent_says_so(plumbing: Plumbing) -> None:
    """Who presses Deny reads that nothing was stored."""
    begun = await begin(plumbing)
    target = await decide(begun.url, decision="deny")
    with pytest.raises(ConsentDeniedError, match="Nothing was stored"):
        await fetch(plumbing, begun, target)


BAD_ANSWERS = {
    "other error": {"error": "server_error", "error_description": "<b>canary</b>"},
    "no code": {},
    "wrong code": {"code": "forged"},
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
async def test_failed_exchange_is_a_calm_sentence(
    plumbing: Plumbing, answer: dict[str, str]
) -> None:
    """Whatever a provider answers, its own words are not shown."""
    begun = await begin(plumbing)
    state = query_of(begun.url)["state"]
    with pytest.raises(ExchangeFailedError) as caught:
        await plumbing.flow.fetch(
            "hubspot", query=answer | {"state": state}, browser_secret=begun.browser_secret
        )
    assert "canary" not in caught.value.message


@pytest.mark.parametrize("kind", ["500", "429", "reset_before", "401"])
@pytest.mark.parametrize("path", ["/oauth/2026-09/token", "/oauth/2026-09/token/introspect"])
async def test_provider_that_fails_midway_stores_nothing(
    plumbing: Plumbing, hubspot: Running, kind: str, path: str
) -> None:
    """Without a token and a name for the account there is no connection."""
    begun = await begin(plumbing)
    target = await decide(begun.url)
    await hubspot.control("faults", {"match": {"path_prefix": path}, "kind": kind})
    with pytest.raises(ExchangeFailedError):
        await fetch(plumbing, begun, target)
    with pytest.raises(StateUsedError):
        await confirm(plumbing, begun, target)
    assert await find(plumbing) is None


async def test_unticked_scope_is_stored_as_not_granted(plumbing: Plumbing, google: Running) -> None:
    """Only what was granted counts; what is missing is named."""  # S27
    begun = await begin(plumbing, EVENTS, provider="google_calendar")
    target = await decide(begun.url, untick=(EVENTS,))
    fetched = await fetch(plumbing, begun, target, provider="google_calendar")
    assert fetched.missing == {EVENTS}
    await confirm(plumbing, begun, target, provider="google_calendar")
    connection = await find(plumbing, provider="google_calendar")
    assert connection is not None
    assert EVENTS not in connection.scopes


async def test_scopes_only_grow(plumbing: Plumbing) -> None:
    """Connecting for one thing more keeps what was granted before."""  # S27
    await connect(plumbing, DEALS)
    await connect(plumbing, CONTACTS)
    connection = await find(plumbing)
    assert connection is not None
    assert {DEALS, CONTACTS} <= set(connection.scopes)
    assert connection.version == 2


async def test_confirmation_counts_once_and_in_the_same_browser(plumbing: Plumbing) -> None:
    """Who did not begin it cannot confirm it, and nobody can twice."""  # S24
    begun = await begin(plumbing)
    target = await decide(begun.url)
    await fetch(plumbing, begun, target)
    with pytest.raises(OtherBrowserError):
        await confirm(plumbing, Begun(begun.url, "other"), target)
    with pytest.raises(StateUsedError):
        await confirm(plumbing, begun, target)
    assert await find(plumbing) is None


async def test_confirmation_without_a_callback_is_refused(plumbing: Plumbing) -> None:
    """There is nothing to confirm before the provider has answered."""
    begun = await begin(plumbing)
    with pytest.raises(OAuthFlowError):
        await confirm(plumbing, begun, begun.url)


async def test_declined_identity_is_given_back(plumbing: Plumbing, hubspot: Running) -> None:
    """Saying that it is not me stores nothing and revokes what was fetched."""
    begun = await begin(plumbing)
    target = await decide(begun.url)
    await fetch(plumbing, begun, target)
    assert await confirm(plumbing, begun, target, is_right=False) is None
    assert await find(plumbing) is None
    log = (await hubspot.look("log"))["requests"]
    assert log[-1]["path"] == "/oauth/2026-09/token/revoke"


async def test_declining_leaves_a_live_connection_of_the_account_alone(
    plumbing: Plumbing, google: Running
) -> None:
    """Google ends all grants of an account at once, so a live one must not go along."""
    await connect(plumbing, EVENTS, provider="google_calendar")
    begun = await begin(plumbing, EVENTS, provider="google_calendar")
    target = await decide(begun.url)
    await fetch(plumbing, begun, target, provider="google_calendar")
    await confirm(plumbing, begun, target, provider="google_calendar", is_right=False)
    connection = await find(plumbing, provider="google_calendar")
    assert connection is not None
    path = "/calendar/v3/calendars/primary/events"
    assert (await plumbing.http(connection).request("GET", path)).status_code == 200


async def test_colleagues_account_is_refused(plumbing: Plumbing) -> None:
    """Nobody can act through an account that a colleague connected as theirs."""  # S24, S37
    await connect(plumbing)
    with pytest.raises(OtherPersonError, match="your own"):
        await connect(plumbing, person_id=MO, account=DANAS)
    assert await find(plumbing, person_id=MO) is None
    assert await connect(plumbing, person_id=MO, account="mo@northwind.example") is not None


async def test_disconnecting_revokes_there_and_deletes_here(
    plumbing: Plumbing, hubspot: Running
) -> None:
    """After disconnecting neither side can use the tokens."""  # S26
    await connect(plumbing)
    before = await find(plumbing)
    assert before is not None
    tokens = plumbing.broker.open(before)
    flow = plumbing.flow
    assert await flow.disconnect(team_id=TEAM, person_id=DANA, provider="hubspot")
    after = await find(plumbing)
    assert after is not None
    assert (after.status, after.secret) == (ConnectionStatus.DISCONNECTED, None)
    async with hubspot.client() as http:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh,
            "client_id": hubspot.config.client_id,
            "client_secret": hubspot.config.client_secret,
        }
        assert (await http.post("/oauth/2026-09/token", data=form)).status_code == 400
    row = (await plumbing.audit_rows())[-1]
    assert (row.tag, row.data["is_revoked"]) == ("slack:connection:disconnect", True)
    assert not await flow.disconnect(team_id=TEAM, person_id=DANA, provider="hubspot")


async def test_disconnecting_deletes_even_if_the_provider_is_away(
    plumbing: Plumbing, hubspot: Running
) -> None:
    """A person's wish to disconnect does not wait for the provider."""  # S26
    await connect(plumbing)
    await hubspot.control("faults", {"kind": "500", "times": 5})
    assert await plumbing.flow.disconnect(team_id=TEAM, person_id=DANA, provider="hubspot")
    after = await find(plumbing)
    assert after is not None
    assert after.secret is None
    assert (await plumbing.audit_rows())[-1].data["is_revoked"] is False


async def test_unreadable_secret_can_still_be_disconnected(
    plumbing: Plumbing, database: Database
) -> None:
    """A lost encryption key does not keep anybody connected."""
    await connect(plumbing)
    other = Plumbing(database, *plumbing.providers.values())
    assert await other.flow.disconnect(team_id=TEAM, person_id=DANA, provider="hubspot")
    await other.close()


async def test_provider_without_an_app_says_who_can_help(database: Database) -> None:
    """Nothing begins where this installation has no OAuth app."""
    plumbing = Plumbing(database, ProviderSettings.of(HUBSPOT))
    for provider in ("hubspot", "unknown"):
        with pytest.raises(NotSetUpError, match="ask an admin"):
            await begin(plumbing, provider=provider)
    await plumbing.close()
