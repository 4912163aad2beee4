"""The Web API's front: arguments, tokens, scopes, rate limits, faults."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.workspace.app import WorkspaceConfig
from tests.bot.workspace.conftest import TOKEN, Running


async def test_auth_test_names_bot_and_scopes(workspace: Running) -> None:
    """auth.test says whose token it is; the granted scopes stand in a header."""
    answer = await workspace.slack.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == ("U0BOT", "B0BOT", "T0NORTH")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize("how", ["get-query", "post-form", "post-json", "body-token"])
async def test_arguments_are_read_in_every_way_slack_reads_them(
    workspace: Running, how: str
) -> None:
    """Query, form and JSON carry arguments alike; the token is a header or an argument."""
    url, arguments = "/api/users.info", {"user": "U0DANA"}
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    if how == "get-query":
        reply = await workspace.http.get(url, params=arguments, headers=bearer)
    elif how == "post-form":
        reply = await workspace.http.post(url, data=arguments, headers=bearer)
    elif how == "post-json":
        reply = await workspace.http.post(url, json=arguments, headers=bearer)
    else:
        reply = await workspace.http.post(url, data={**arguments, "token": TOKEN})
    assert reply.json()["user"]["profile"]["email"] == "dana@northwind.example"


@pytest.mark.parametrize(
    ("headers", "error"),
    [({}, "not_authed"), ({"Authorization": "Bearer xoxb-wrong"}, "invalid_auth")],
    ids=["no token", "wrong token"],
)
async def test_bad_token_is_refused(
    workspace: Running, headers: dict[str, str], error: str
) -> None:
    """Only the configured bot token is accepted."""
    reply = await workspace.http.post("/api/auth.test", headers=headers)
    assert reply.status_code == 200
    assert reply.json() == {"ok": False, "error": error}


async def test_unknown_method_is_named(workspace: Running) -> None:
    """A method that the workspace lacks is `unknown_method`, as at Slack."""
    answer = await workspace.api("files.upload")
    assert answer == {"ok": False, "error": "unknown_method", "req_method": "files.upload"}


@pytest.mark.parametrize(
    ("body", "error"),
    [("{", "invalid_json"), ("[]", "json_not_object"), ('{"text": "\\ud800"}', "invalid_json")],
    ids=["cut", "list", "half a surrogate pair"],
)
async def test_malformed_json_is_refused(workspace: Running, body: str, error: str) -> None:
    """A body that is no JSON object is refused by name and never a 500. S33."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    reply = await workspace.http.post("/api/auth.test", content=body, headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (200, error)


@pytest.mark.parametrize(
    ("scope", "method", "arguments"),
    [
        ("chat:write", "chat.postMessage", {"channel": "C0SALES", "text": "x"}),
        ("im:write", "conversations.open", {"users": "U0DANA"}),
        ("im:history", "conversations.history", {"channel": "D0DANA"}),
        ("channels:history", "conversations.history", {"channel": "C0SALES"}),
        ("users:read", "users.info", {"user": "U0DANA"}),
        ("users:read.email", "users.lookupByEmail", {"email": "mo@northwind.example"}),
        ("team:read", "team.info", {}),
    ],
)
async def test_call_without_its_scope_is_refused(
    config: WorkspaceConfig,
    run: Callable[[WorkspaceConfig], Any],
    scope: str,
    method: str,
    arguments: dict[str, str],
) -> None:
    """A method needs the scope that Slack asks for it, and says which one is missing."""
    async with run(replace(config, scopes=config.scopes - {scope})) as workspace:
        answer = await workspace.api(method, **arguments)
    assert (answer["error"], answer["needed"]) == ("missing_scope", scope)
    assert scope not in answer["provided"].split(",")


async def test_email_is_hidden_without_its_scope(
    config: WorkspaceConfig, run: Callable[[WorkspaceConfig], Any]
) -> None:
    """users.info omits the address where `users:read.email` was not granted."""
    scopes = config.scopes - {"users:read.email"}
    async with run(replace(config, scopes=scopes)) as workspace:
        answer = await workspace.api("users.info", user="U0DANA")
    assert "email" not in answer["user"]["profile"]


async def test_fourth_post_at_once_is_rate_limited(workspace: Running) -> None:
    """A channel takes a burst of three, then about one message a second; others are free."""
    for _ in range(3):
        await workspace.slack.chat_postMessage(channel="C0SALES", text="x")
    with pytest.raises(SlackApiError) as caught:
        await workspace.slack.chat_postMessage(channel="C0SALES", text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
    assert caught.value.response.headers["Retry-After"] == "1"
    await workspace.slack.chat_postMessage(channel="U0DANA", text="x")


async def test_more_than_fifty_updates_in_a_minute_are_rate_limited(workspace: Running) -> None:
    """chat.update is a tier 3 method: fifty a minute in a channel."""
    ts = (await workspace.api("chat.postMessage", channel="C0SALES", text="x"))["ts"]
    place = {"channel": "C0SALES", "ts": ts}
    answers = [await workspace.api("chat.update", **place, text=str(n)) for n in range(60)]
    assert all(answer["ok"] for answer in answers[:50])
    assert "ratelimited" in [answer.get("error") for answer in answers[50:]]


async def test_dropped_reply_leaves_the_message_posted(workspace: Running) -> None:
    """The fault closes the connection after the post took effect, so the caller cannot know."""
    await workspace.do("faults", drop_reply_after_post=1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await workspace.slack.chat_postMessage(channel="C0SALES", text="once")
    await workspace.slack.chat_postMessage(channel="C0SALES", text="twice")
    messages = (await workspace.read("messages/C0SALES"))["messages"]
    assert [m["text"] for m in messages] == ["once", "twice"]


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [("internal_error", 500, "internal_error"), ("ratelimited", 429, "ratelimited")],
)
async def test_injected_failure_takes_no_effect(
    workspace: Running, fault: str, status: int, error: str
) -> None:
    """These faults refuse the call before it does anything, as often as asked."""
    await workspace.do("faults", **{fault: 1})
    headers = {"Authorization": f"Bearer {TOKEN}"}
    body = {"channel": "C0SALES", "text": "x"}
    reply = await workspace.http.post("/api/chat.postMessage", json=body, headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert (await workspace.api("chat.postMessage", **body))["ok"]
    assert len((await workspace.read("messages/C0SALES"))["messages"]) == 1


async def test_unknown_fault_is_refused(workspace: Running) -> None:
    """A misspelt fault is an error rather than a test that tests nothing."""
    assert (await workspace.do("faults", drop_everything=1))["error"] == "invalid_arguments"


async def test_log_holds_calls_without_their_token(workspace: Running) -> None:
    """The log names method, status and time of each call and never the token."""
    await workspace.http.post("/api/auth.test", data={"token": TOKEN})
    log = (await workspace.read("log"))["entries"]
    (entry,) = [e for e in log if e["name"] == "auth.test"]
    assert (entry["kind"], entry["status"]) == ("api", 200)
    assert entry["at"] <= time.time()
    assert TOKEN not in str(log)
