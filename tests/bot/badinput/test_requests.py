"""Whatever is sent to the web app over HTTP gets an answer below 500, and stores nothing bad."""

import asyncio
import json
import secrets
import string
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.intake.app import MAX_BODY_BYTES, PATHS
from tests.bot.badinput.whole_bot import DANA, TEAM, WholeBot
from tests.bot.slack_bot import signed

BOUNDED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FORM = "application/x-www-form-urlencoded"
PAGES = (
    "/connect/{}",
    "/goals/{}",
    "/oauth/{}/callback",
    "/oauth/hubspot/callback?state={}&code={}",
    "/oauth/google_calendar/callback?state={}&error={}&iss={}",
    "/static/{}",
    "/{}",
    "/slack/{}",
    "/healthz?{}",
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from([TEAM, DANA, "U0MO", "block_actions", "message", "button", "1", "\0", "💥"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
header_text = st.text(string.printable.strip() + " ", max_size=40).map(str.strip)


def event_of(inner: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": TEAM, "event_id": "EvFuzz", "event": inner}


def objects(**parts: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with some of these parts, each as Slack sends it or anything at all."""
    return st.fixed_dictionaries(
        {}, optional={name: st.just(usual) | json_values for name, usual in parts.items()}
    )


events = objects(
    type="message",
    channel="D0DANA",
    channel_type="im",
    user=DANA,
    ts="1.0",
    text="Which deals does Acme have?",
    subtype="message_changed",
    message={"user": DANA, "ts": "1.0", "text": "x"},
    thread_ts="1.0",
    tab="home",
    files=[{}],
    bot_id="B1",
    edited={},
).map(event_of)
interactions = objects(
    type="block_actions",
    team={"id": TEAM},
    user={"id": DANA, "team_id": TEAM},
    trigger_id="1.1.a",
    actions=[{"action_id": "goal_run", "type": "button", "value": "1.1", "block_id": "b"}],
    view={"id": "V1", "callback_id": "plan_edit", "private_metadata": "{}", "state": {}},
    container={"type": "message", "channel_id": "D0DANA", "message_ts": "1.0"},
    channel={"id": "D0DANA"},
    message={"ts": "1.0"},
    response_url="http://127.0.0.1:9/x",
    callback_id="goal",
)


def is_calm(answer: httpx2.Response) -> bool:
    return answer.status_code < 500 and "Traceback" not in answer.text


@BOUNDED
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=200), kind=header_text)
async def test_any_signed_body_is_answered(
    bot: WholeBot, path: str, body: bytes, kind: str
) -> None:
    """Bytes of any kind under any content type: below 500."""  # S33
    assert is_calm(await bot.http.post(path, **signed(body, kind=kind)))


@BOUNDED
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "x-slack-signature",
                "x-slack-request-timestamp",
                "x-slack-retry-num",
                "content-type",
                "content-encoding",
                "expect",
                "host",
                "cookie",
            ]
        ),
        header_text,
    )
)
async def test_any_header_of_an_unsigned_request_is_refused(
    bot: WholeBot, headers: dict[str, str]
) -> None:
    """Nothing gets in, nothing is stored, and no header breaks the server."""  # S19, S33
    status = await raw_post(bot.url, "/slack/events", headers, b'{"type":"event_callback"}')
    assert 400 <= status < 500
    assert bot.rows("SELECT id FROM inbox") == []


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "abc"},
        {"content-length": "-1"},
        {"content-length": "1, 2"},
        {"content-length": "9" * 30},
        {"transfer-encoding": "gzip"},
        {"transfer-encoding": "chunked"},
        {"content-length": str(MAX_BODY_BYTES + 1)},
        {"x-slack-signature": "v0=" + "é" * 64},
        {"content-type": "application/json; charset=utf-7"},
    ],
    ids=str,
)
async def test_misleading_header_is_refused(bot: WholeBot, headers: dict[str, str]) -> None:
    """What the headers say about the body is not believed."""  # S33
    assert 400 <= await raw_post(bot.url, "/slack/events", headers, b"zz\r\n{}") < 500
    assert bot.rows("SELECT id FROM inbox") == []


@BOUNDED
@given(body=json_values | events)
async def test_any_signed_event_is_stored_or_refused(bot: WholeBot, body: Any) -> None:
    """An event of any shape is taken or a 400; none is half taken."""  # S33
    answer = await bot.http.post("/slack/events", **signed(body))
    assert answer.status_code in {200, 400}


@BOUNDED
@example(
    body={
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": DANA},
        "actions": [{"action_id": "goal_run", "type": "button", "value": "1.1"}],
        "container": [],
    }
)
@given(body=interactions)
async def test_any_signed_interaction_is_answered(bot: WholeBot, body: dict[str, Any]) -> None:
    """A click or modal of any shape is answered: nobody sees Slack's warning sign."""  # S15, S33
    # A trigger that came before is not handled again.
    if isinstance(body.get("trigger_id"), str):
        body = body | {"trigger_id": secrets.token_hex(8)}
    raw = urlencode({"payload": json.dumps(body)}).encode()
    assert is_calm(await bot.http.post("/slack/interactivity", **signed(raw, kind=FORM)))


@BOUNDED
@given(
    fields=st.dictionaries(
        st.sampled_from(
            ["command", "text", "team_id", "user_id", "channel_id", "trigger_id", "response_url"]
        ),
        st.sampled_from([TEAM, DANA, "/countersign", "digest", "page 1", "C0SALES", "t.1"])
        | st.text(max_size=30),
    )
)
async def test_any_signed_command_is_answered(bot: WholeBot, fields: dict[str, str]) -> None:
    """A slash command of any content is answered below 500."""  # S33
    raw = urlencode(fields, errors="replace").encode()
    assert is_calm(await bot.http.post("/slack/commands", **signed(raw, kind=FORM)))


@BOUNDED
@given(
    page=st.sampled_from(PAGES),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"]),
    part=st.text(max_size=30),
    is_raw=st.booleans(),
    cookie=header_text,
    body=st.binary(max_size=100),
    kind=st.sampled_from([FORM, "multipart/form-data", "multipart/form-data; boundary=x", "x/y"]),
)
async def test_any_request_to_a_page_is_answered_calmly(
    bot: WholeBot,
    page: str,
    method: str,
    part: str,
    is_raw: bool,  # noqa: FBT001 -- hypothesis names it
    cookie: str,
    body: bytes,
    kind: str,
) -> None:
    """Addresses, queries, cookies and forms of any kind are answered below 500."""  # S33
    escaped = urlencode({"": part}, errors="replace")[1:]
    filling = part.encode("ascii", "ignore").decode() if is_raw else escaped
    visible = "".join(character for character in filling if character in _TARGET)
    head = {"content-type": kind, "cookie": f"countersign_connect={cookie}"}
    status = await raw_post(bot.url, page.replace("{}", visible), head, body, method=method)
    assert 200 <= status < 500


_TARGET = string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@/?%[]\"<>\\^`{|}"

MARKUP = "<script>alert(1)"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/connect/{MARKUP}", 410),
        ("POST", f"/connect/{MARKUP}", 410),
        ("GET", f"/goals/{MARKUP}", 410),
        ("GET", f"/oauth/hubspot/callback?state={MARKUP}&code={MARKUP}", 400),
        ("GET", f"/oauth/hubspot/callback?error={MARKUP}&error_description={MARKUP}", 400),
        ("GET", f"/oauth/{MARKUP}/callback?state=x&code=y", 400),
        ("GET", "/oauth/hubspot/callback", 400),
        ("GET", "/oauth/hubspot/callback?state=%00&code=%00", 400),
        ("GET", "/oauth/hubspot/callback?state=%ff&code=%ff", 400),
        ("GET", "/connect/%00", 410),
        ("GET", "/goals/%ff%00", 410),
        ("POST", "/oauth/hubspot/confirm", 400),
        ("POST", "/oauth/nobody/confirm", 400),
        ("GET", "/oauth/hubspot/confirm", 405),
        ("GET", f"/{MARKUP}", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/%2e%2e/%2e%2e/app.py", 404),
        ("GET", "/static/", 404),
    ],
)
async def test_bad_address_is_a_calm_page(
    bot: WholeBot, method: str, path: str, status: int
) -> None:
    """A 4xx page with our headers that repeats nothing of the request."""  # S33
    answer = await bot.http.request(method, path)
    assert answer.status_code == status
    assert "<script" not in answer.text
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"state=" + b"x" * 100_000),
        (FORM, b"&".join([b"a=1"] * 5_000)),
        (FORM, b"state=%ff%fe&answer=yes"),
        (FORM, b"state=\xff"),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data", b"--b\r\n\r\n"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="state"; filename="x"\r\n\r\nx\r\n--b--',
        ),
        ("application/json", b"{"),
        ("", b"state=x"),
    ],
    ids=["long", "many", "escapes", "bytes", "part", "empty", "unbound", "file", "json", "untyped"],
)
async def test_bad_form_is_a_calm_page(bot: WholeBot, kind: str, body: bytes) -> None:
    """A form that no page of ours sends is a 4xx page."""  # S33
    answer = await bot.http.post(
        "/oauth/hubspot/confirm", content=body, headers={"content-type": kind}
    )
    assert answer.status_code in {400, 413}
    assert "<h1>" in answer.text


async def test_oversized_form_is_not_read_to_its_end(bot: WholeBot) -> None:
    """Nobody can fill the memory through a page."""  # S33
    answer = await bot.http.post(
        "/oauth/hubspot/confirm",
        content=b"state=" + b"x" * (8 * MAX_BODY_BYTES),
        headers={"content-type": FORM},
    )
    assert answer.status_code == 413


async def raw_post(
    url: str, path: str, headers: dict[str, str], body: bytes, *, method: str = "POST"
) -> int:
    """Send bytes that a careful client would not, and return the status."""
    place = urlsplit(url)
    given = {"host": "x", "content-length": str(len(body)), "connection": "close"} | headers
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write("\r\n".join([*head, "", ""]).encode("latin-1", "replace") + body)
        async with asyncio.timeout(10):
            answer = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    return int(answer.split(b" ", 2)[1])
