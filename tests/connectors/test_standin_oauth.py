import pytest

from tests.connectors.standins import (
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT_URI,
    VERIFIER,
    Running,
    connect,
    decide,
    query_of,
)

AUTH = "https://www.googleapis.com/auth/"
OWNED = f"{AUTH}calendar.events.owned"
EVENTS = "/calendar/v3/calendars/primary/events"
DEALS = "/crm/objects/2026-09/deals"


async def _code_of(standin: Running, scope: str) -> str:
    async with standin.oauth_client(scope=scope) as client:
        url, _ = client.create_authorization_url(
            standin.url + standin.authorize_path, code_verifier=VERIFIER
        )
    return query_of(await decide(url))["code"]


def _form(**changes: str) -> dict[str, str]:
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    return form | changes


def _refresh_form(refresh_token: str) -> dict[str, str]:
    form = _form(grant_type="refresh_token", refresh_token=refresh_token)
    return {name: form[name] for name in form if name not in ("redirect_uri", "code_verifier")}


async def test_consent_allowed_gives_tokens_that_open_the_api(hubspot: Running) -> None:
    """A vendor-neutral client (Authlib) gets through the code flow with PKCE."""
    # S23
    token = await connect(hubspot, "oauth", "crm.objects.deals.read")
    assert token["scopes"] == ["oauth", "crm.objects.deals.read"]
    async with hubspot.client(token["access_token"]) as http:
        assert (await http.post(f"{DEALS}/search", json={})).status_code == 200


async def test_consent_denied_returns_the_error_and_state(hubspot: Running) -> None:
    """A denial goes back to the client with its state and without a code."""
    async with hubspot.oauth_client(scope="oauth") as client:
        url, state = client.create_authorization_url(
            hubspot.url + hubspot.authorize_path, code_verifier=VERIFIER
        )
    answer = query_of(await decide(url, decision="deny"))
    assert answer == {"error": "access_denied", "state": state}


async def test_google_consent_names_its_issuer(google: Running) -> None:
    """Google's answer carries `iss`, so that a mix-up can be noticed."""
    # S23
    async with google.oauth_client(scope=OWNED) as client:
        url, _ = client.create_authorization_url(
            google.url + google.authorize_path, code_verifier=VERIFIER
        )
    assert query_of(await decide(url))["iss"] == google.url


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("code_challenge_method=S256", "code_challenge_method=plain", id="plain"),
        pytest.param("code_challenge=", "ignored=", id="no challenge"),
        pytest.param("code_challenge=", "code_challenge=x", id="challenge of wrong length"),
        pytest.param("callback", "callback2", id="other redirect URI"),
        pytest.param("client_id=countersign", "client_id=other", id="other client"),
        pytest.param("scope=oauth", "scope=oauth+everything", id="unknown scope"),
        pytest.param("scope=oauth", "scope=", id="no scope"),
        pytest.param("response_type=code", "response_type=token", id="implicit flow"),
    ],
)
async def test_bad_authorization_request_is_refused_on_a_page(
    hubspot: Running, old: str, new: str
) -> None:
    """What is not exactly as registered is refused, and nobody is redirected."""
    # S23
    async with hubspot.oauth_client(scope="oauth") as client:
        url, _ = client.create_authorization_url(
            hubspot.url + hubspot.authorize_path, code_verifier=VERIFIER
        )
    assert old in url
    async with hubspot.client() as http:
        answer = await http.get(url.replace(old, new))
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_consent_form_answered_twice_or_forged_is_refused(hubspot: Running) -> None:
    """The hidden request id is good once; without it a form is nothing."""
    async with hubspot.oauth_client(scope="oauth") as client:
        url, _ = client.create_authorization_url(
            hubspot.url + hubspot.authorize_path, code_verifier=VERIFIER
        )
    form = {"account": "dana@northwind.example", "decision": "allow"}
    async with hubspot.client() as http:
        page = (await http.get(url)).text
        form["request"] = page.partition('name="request" value="')[2].partition('"')[0]
        answers = [
            await http.post(hubspot.authorize_path, data=form | changes)
            for changes in ({"account": "eve@x.example"}, {}, {}, {"request": "made-up"})
        ]
    assert [answer.status_code for answer in answers] == [400, 303, 400, 400]


async def test_consent_page_preselects_the_hinted_account(hubspot: Running) -> None:
    """login_hint chooses the account that is preselected."""
    async with hubspot.oauth_client(scope="oauth") as client:
        url, _ = client.create_authorization_url(
            hubspot.url + hubspot.authorize_path,
            code_verifier=VERIFIER,
            login_hint="mo@northwind.example",
        )
    async with hubspot.client() as http:
        page = await http.get(url)
    assert 'value="mo@northwind.example" checked' in page.text
    assert page.text.count(" checked") == 1
    assert "local, no real account" in page.text


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"code_verifier": "w" * 43}, "BAD_CODE_VERIFIER", id="other verifier"),
        pytest.param({"code_verifier": ""}, "BAD_CODE_VERIFIER", id="no verifier"),
        pytest.param({"redirect_uri": "x"}, "MISMATCH_REDIRECT_URI_AUTH_CODE", id="redirect"),
        pytest.param({"client_secret": "x"}, "BAD_CLIENT_ID", id="secret"),
        pytest.param({"code": "x"}, "BAD_AUTH_CODE", id="code"),
        pytest.param({"grant_type": "password"}, "BAD_GRANT_TYPE", id="grant type"),
    ],
)
async def test_bad_code_exchange_is_refused_as_hubspot_does(
    hubspot: Running, changes: dict[str, str], status: str
) -> None:
    """HubSpot's token errors name the problem in `status`, with no `error`."""
    # S23
    code = await _code_of(hubspot, "oauth")
    async with hubspot.client() as http:
        answer = await http.post(hubspot.token_path, data=_form(code=code) | changes)
    assert answer.status_code == 400
    assert answer.json()["status"] == status
    assert "error" not in answer.json()


async def test_code_used_twice_ends_the_first_ones_tokens(hubspot: Running) -> None:
    """A code that turns up again was stolen; what came of it dies."""
    code = await _code_of(hubspot, "oauth")
    async with hubspot.client() as http:
        first = (await http.post(hubspot.token_path, data=_form(code=code))).json()
        second = await http.post(hubspot.token_path, data=_form(code=code))
        again = await http.post(hubspot.token_path, data=_refresh_form(first["refresh_token"]))
    assert second.json()["status"] == "BAD_AUTH_CODE"
    assert again.json()["status"] == "BAD_REFRESH_TOKEN"


async def test_code_expired_is_refused(google: Running) -> None:
    """A code lives for a minute; the control call lets the minute pass."""
    code = await _code_of(google, OWNED)
    await google.control("expire-tokens")
    async with google.client() as http:
        answer = await http.post(google.token_path, data=_form(code=code))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_token_request_as_json_is_refused(google: Running) -> None:
    """The token endpoint reads a form and nothing else."""
    async with google.client() as http:
        answer = await http.post(google.token_path, json=_form(code="x"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_rotated_refresh_token_used_again_revokes_the_family(hubspot: Running) -> None:
    """Reuse of a rotated refresh token ends the new tokens too."""
    # S25
    token = await connect(hubspot, "oauth", "crm.objects.deals.read")
    async with hubspot.client() as http:
        form = _refresh_form(token["refresh_token"])
        rotated = (await http.post(hubspot.token_path, data=form)).json()
        assert rotated["refresh_token"] != token["refresh_token"]
        reused = await http.post(hubspot.token_path, data=form)
        later = await http.post(hubspot.token_path, data=_refresh_form(rotated["refresh_token"]))
    assert reused.json()["status"] == later.json()["status"] == "BAD_REFRESH_TOKEN"
    async with hubspot.client(rotated["access_token"]) as http:
        assert (await http.post(f"{DEALS}/search", json={})).status_code == 401


async def test_google_refresh_keeps_the_refresh_token(google: Running) -> None:
    """Google does not rotate: the answer has no refresh token, and the old one stays good."""
    token = await connect(google, OWNED, access_type="offline", prompt="consent")
    async with google.client() as http:
        for _ in range(2):
            form = _refresh_form(token["refresh_token"])
            answer = await http.post(google.token_path, data=form)
            assert answer.status_code == 200
            assert "refresh_token" not in answer.json()


async def test_google_gives_a_refresh_token_only_when_asked_as_google_wants(
    google: Running,
) -> None:
    """Without access_type=offline, and on a repeated consent without prompt, there is none."""
    assert "refresh_token" not in await connect(google, OWNED)
    assert "refresh_token" not in await connect(google, OWNED, access_type="offline")
    token = await connect(google, OWNED, access_type="offline", prompt="consent")
    assert "refresh_token" in token


async def test_access_token_expired_is_401_until_refreshed(hubspot: Running) -> None:
    """An expired access token is told apart from a bad one."""
    token = await connect(hubspot, "oauth", "crm.objects.deals.read")
    await hubspot.control("expire-tokens")
    async with hubspot.client(token["access_token"]) as http:
        late = await http.post(f"{DEALS}/search", json={})
        fresh = await http.post(hubspot.token_path, data=_refresh_form(token["refresh_token"]))
        http.headers["Authorization"] = f"Bearer {fresh.json()['access_token']}"
        again = await http.post(f"{DEALS}/search", json={})
    assert (late.status_code, late.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert again.status_code == 200


async def test_scope_unticked_is_not_granted(google: Running) -> None:
    """A person may grant less than was asked; `scope` in the answer says so."""
    # S27
    token = await connect(google, "openid", "email", OWNED, untick=(OWNED, "email"))
    assert token["scope"] == f"openid {AUTH}userinfo.email"
    async with google.client(token["access_token"]) as http:
        refused = await http.get(EVENTS)
        who = await http.get("/oauth2/v3/userinfo")
    assert refused.status_code == 403
    assert refused.json()["error"]["errors"][0]["reason"] == "insufficientPermissions"
    assert who.json()["email"] == "dana@northwind.example"


async def test_everything_unticked_is_a_denial(google: Running) -> None:
    """Who ticks nothing has denied."""
    async with google.oauth_client(scope=OWNED) as client:
        url, _ = client.create_authorization_url(
            google.url + google.authorize_path, code_verifier=VERIFIER
        )
    assert query_of(await decide(url, untick=(OWNED,)))["error"] == "access_denied"


async def test_earlier_scopes_are_included_when_asked(google: Running) -> None:
    """Google's incremental authorization adds what was granted before."""
    # S27
    await connect(google, "openid", "email")
    token = await connect(google, OWNED, include_granted_scopes="true")
    assert set(token["scope"].split()) == {OWNED, "openid", f"{AUTH}userinfo.email"}


async def test_scope_not_held_is_403_in_hubspots_words(hubspot: Running) -> None:
    """A missing scope is named, so that the person can be asked for it."""
    # S27
    token = await connect(hubspot, "oauth", "crm.objects.deals.read")
    async with hubspot.client(token["access_token"]) as http:
        answer = await http.post(DEALS, json={"properties": {}})
    body = answer.json()
    assert (answer.status_code, body["category"]) == (403, "MISSING_SCOPES")
    wanted = body["errors"][0]["context"]["requiredGranularScopes"]
    assert wanted == ["crm.objects.deals.write"]


async def test_hubspot_revocation_leaves_the_access_token(hubspot: Running) -> None:
    """At HubSpot a revoked refresh token is dead, its access token lives on."""
    # S26
    token = await connect(hubspot, "oauth", "crm.objects.deals.read")
    form = _refresh_form(token["refresh_token"])
    async with hubspot.client(token["access_token"]) as http:
        revoke = f"{hubspot.token_path}/revoke"
        assert (await http.post(revoke, data={"token": form["refresh_token"]})).status_code == 400
        done = await http.post(revoke, data=form | {"token": form["refresh_token"]})
        refreshed = await http.post(hubspot.token_path, data=form)
        used = await http.post(f"{DEALS}/search", json={})
    assert (done.status_code, refreshed.status_code, used.status_code) == (200, 400, 200)


async def test_google_revocation_ends_everything(google: Running) -> None:
    """At Google revoking any token ends all that the person granted."""
    # S26
    token = await connect(google, OWNED)
    other = await connect(google, OWNED)
    async with google.client(other["access_token"]) as http:
        done = await http.post("/revoke", data={"token": token["access_token"]})
        unknown = await http.post("/revoke", data={"token": "made-up"})
        used = await http.get(EVENTS)
    assert (done.status_code, unknown.status_code, used.status_code) == (200, 400, 401)


async def test_grants_revoked_by_the_person_make_every_token_401(hubspot: Running) -> None:
    """Removing the app at the vendor ends access and refresh at once, for that person only."""
    dana = await connect(hubspot, "oauth", "crm.objects.deals.read")
    mo = await connect(hubspot, "oauth", "crm.objects.deals.read", account="mo@northwind.example")
    await hubspot.control("revoke-grants", {"email": "dana@northwind.example"})
    statuses = []
    for token in (dana, mo):
        async with hubspot.client(token["access_token"]) as http:
            statuses.append((await http.post(f"{DEALS}/search", json={})).status_code)
    assert statuses == [401, 200]


async def test_introspection_names_the_person_and_the_account(hubspot: Running) -> None:
    """The connect page can show which HubSpot user and account a token belongs to."""
    # S24
    token = await connect(hubspot, "oauth", account="mo@northwind.example")
    form = _refresh_form("") | {"token": token["access_token"]}
    async with hubspot.client() as http:
        answer = (await http.post(f"{hubspot.token_path}/introspect", data=form)).json()
        dead = await http.post(f"{hubspot.token_path}/introspect", data=form | {"token": "x"})
    assert (answer["active"], answer["user"]) == (True, "mo@northwind.example")
    assert answer["hub_id"] == token["hub_id"]
    assert dead.json() == {"active": False}
