"""The control API, persistence, and who may call it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.workspace.app import WorkspaceConfig, default_config
from bot.workspace.errors import ConfigError
from tests.bot.workspace.conftest import Bot, Running

DANA = {"as": "U0DANA"}


async def test_second_start_finds_yesterdays_messages(
    config: WorkspaceConfig, run: Callable[[WorkspaceConfig], Any]
) -> None:
    """Messages and Home survive a restart; ephemerals and modals do not; time goes on."""
    home = {"type": "home", "blocks": []}
    async with run(config) as workspace:
        first = await workspace.do("message", **DANA, dm=True, text="yesterday")
        await workspace.api("chat.postEphemeral", channel="D0DANA", user="U0DANA", text="x")
        await workspace.api("views.publish", user_id="U0DANA", view=home)
        await workspace.settle()
    async with run(config) as workspace:
        messages = (await workspace.read("messages/dm:U0DANA"))["messages"]
        views = await workspace.read("views", **DANA)
        second = await workspace.do("message", **DANA, dm=True, text="today")
        await workspace.settle()
    assert [m["text"] for m in messages] == ["yesterday"]
    assert views["home"]["type"] == "home"
    assert second["ts"] > first["ts"]


async def test_reset_forgets_messages_and_keeps_people(workspace: Running) -> None:
    """After a reset the workspace is as new."""
    await workspace.do("message", **DANA, dm=True, text="x")
    await workspace.settle()
    await workspace.do("reset")
    assert (await workspace.read("messages/dm:U0DANA"))["messages"] == []
    state = await workspace.read("state")
    assert [p["id"] for p in state["people"]] == ["U0DANA", "U0MO", "U0ADA", "U0GUS"]
    assert {c["name"] for c in state["channels"] if not c["im_user"]} == {"general", "sales"}


async def test_file_share_is_delivered_with_its_subtype(workspace: Running, bot: Bot) -> None:
    """An attachment arrives as `file_share` with the file's name and type."""
    files = [{"name": "plan.pdf", "mimetype": "application/pdf", "size": 9}]
    await workspace.do("message", **DANA, dm=True, files=files)
    (received,) = await bot.wait_for(1)
    assert received.event["subtype"] == "file_share"
    assert received.event["files"][0]["name"] == "plan.pdf"


@pytest.mark.parametrize(
    ("deed", "body", "error"),
    [
        ("message", {"as": "U0NOBODY", "dm": True, "text": "x"}, "user_not_found"),
        ("message", {"as": "U0BOT", "dm": True, "text": "x"}, "user_not_found"),
        ("message", {"as": "U0GUS", "channel": "C0GENERAL", "text": "x"}, "not_in_channel"),
        ("message", {"as": "U0MO", "channel": "C0SALES"}, "no_text"),
        ("message", {"dm": True, "text": "x"}, "invalid_arguments"),
        ("interact", {"as": "U0MO", "channel": "C0SALES", "ts": "1.0", "action_id": "x"}, "mess"),
        ("interact", {"as": "U0MO", "view_id": "V1", "action_id": "x"}, "view_not_found"),
        ("submit-view", {"as": "U0MO"}, "view_not_found"),
        ("submit-view", {"as": "U0MO", "values": {"a": 1}}, "invalid_arguments"),
        ("deliver", {"to": "nowhere"}, "invalid_arguments"),
        ("juggle", {}, "unknown_deed"),
    ],
)
async def test_impossible_deed_is_refused(
    workspace: Running, deed: str, body: dict[str, object], error: str
) -> None:
    """What no client could do is 400 with a name for it."""
    reply = await workspace.http.post(f"/_control/{deed}", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"].startswith(error)


async def test_malformed_control_body_is_refused(workspace: Running) -> None:
    """A body that is no JSON object is 400. S33."""
    reply = await workspace.http.post("/_control/message", content=b"{")
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_json")


async def test_only_own_messages_can_be_edited(workspace: Running) -> None:
    """Mo cannot edit what Dana wrote."""
    posted = await workspace.do("message", **DANA, channel="C0SALES", text="x")
    place = {"as": "U0MO", "channel": "C0SALES", "ts": posted["ts"]}
    assert (await workspace.do("edit-message", **place, text="y"))["error"] == "not_your_message"


async def test_others_direct_messages_are_not_shown(workspace: Running) -> None:
    """`as` shows what that person sees: not somebody else's direct messages."""
    await workspace.do("message", **DANA, dm=True, text="x")
    answer = await workspace.read("messages/D0DANA", **{"as": "U0MO"})
    assert (answer["error"], answer["im_user"]) == ("not_in_channel", "U0DANA")


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Host": "rebound.example"}, {"Origin": "null"}],
    ids=["other site", "rebound name", "opaque origin"],
)
@pytest.mark.parametrize("path", ["/", "/_control/state"])
async def test_other_sites_cannot_reach_the_workspace(
    workspace: Running, headers: dict[str, str], path: str
) -> None:
    """The workspace knows no login, so it answers only its own page and local programs."""
    assert (await workspace.http.get(path, headers=headers)).status_code == 403


async def test_page_has_a_strict_policy(workspace: Running) -> None:
    """The page's scripts and styles come from the workspace alone; nothing is inline."""
    reply = await workspace.http.get("/")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert '<script type="module" src="/page/app.js"></script>' in reply.text
    assert (await workspace.http.get("/favicon.ico")).status_code == 200


async def test_change_is_streamed_to_open_pages(workspace: Running) -> None:
    """A page is told at once which conversation changed."""
    async with workspace.http.stream("GET", "/_control/events") as stream:
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith("retry")
        await workspace.api("chat.postMessage", channel="C0SALES", text="x")
        async with asyncio.timeout(2):
            while not (line := await anext(lines)).startswith("data: "):
                continue
        assert json.loads(line.removeprefix("data: "))["channel"] == "C0SALES"
        workspace.app.state.workspace.bus.close()
        async with asyncio.timeout(2):
            assert [line async for line in lines][-1:] in ([], [""], [line])


def test_missing_manifest_is_a_clear_error(tmp_path: Path) -> None:
    """Without a usable manifest no workspace is made, and the message names the file."""
    with pytest.raises(ConfigError, match=r"manifest\.yml"):
        default_config(
            data_dir=tmp_path,
            base_url="http://127.0.0.1:1",
            bot_token="x",
            signing_secret="x",
            events_url="http://127.0.0.1:2",
            manifest_path=tmp_path / "manifest.yml",
        )
