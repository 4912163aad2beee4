"""The page in a real browser: what Dana and Mo do by hand."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.bot.workspace.conftest import Bot, Running
from tests.bot.workspace.test_interactions import BLOCKS, plain

pytestmark = pytest.mark.browser

MODAL = {
    "type": "modal",
    "title": plain("Edit the plan"),
    "submit": plain("Save"),
    "blocks": [BLOCKS[0]],
}


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page in headless Chromium that fails the test when its console is not clean."""
    chromium = shutil.which("chromium")
    if chromium is None:
        assert os.environ.get("CI") != "true", "CI must have Debian's chromium"
        pytest.skip("chromium is not installed, so the workspace's page was NOT tested")
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = await browser.new_page(viewport={"width": 1200, "height": 800})
        opened.set_default_timeout(5_000)
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        await browser.close()
    assert complaints == []


async def test_message_card_modal_and_act_as_work_by_hand(
    workspace: Running, bot: Bot, page: Page
) -> None:
    """A person writes, clicks a card, fills a modal by keyboard, and becomes somebody else."""
    await page.goto(f"{workspace.config.base_url}/?as=U0DANA")
    await page.get_by_label("Message", exact=True).fill("<b>Hi</b> & *you*")
    await page.keyboard.press("Enter")
    await expect(page.locator("#messages .text")).to_have_text("<b>Hi</b> & you")
    await expect(page.locator("#messages .text strong")).to_have_text("you")

    await workspace.api("chat.postMessage", channel="U0DANA", text="x", blocks=BLOCKS)
    await page.get_by_label("Why").fill("because")
    await page.get_by_role("button", name="Go").click()
    await expect(page.get_by_role("button", name="Go")).not_to_have_attribute("aria-busy", "true")
    (click,) = [r.payload for r in bot.received if "payload=" in r.body]
    assert click["state"]["values"]["why"]["text"]["value"] == "because"

    await workspace.api("views.open", trigger_id=click["trigger_id"], view=MODAL)
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await expect(dialog.get_by_label("Why")).to_be_focused()
    bot.answer_json({"response_action": "errors", "errors": {"why": "Say more."}})
    await page.keyboard.type("!")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("alert")).to_have_text("Say more.")
    await expect(dialog.get_by_label("Why")).to_have_value("none!")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)

    await page.get_by_role("radio", name="Mo").click()
    await expect(page.locator("#messages")).to_have_class("messages empty")
    await workspace.api("chat.postMessage", channel="U0DANA", text="news")
    await expect(page.get_by_role("radio", name="Dana")).to_contain_text("has something new")
    assert "as=U0MO" in page.url


async def test_permalink_opens_the_thread_of_its_owner(workspace: Running, page: Page) -> None:
    """A deep link shows its message in its thread, as the person whose conversation it is."""
    posted = await workspace.do("message", **{"as": "U0DANA"}, dm=True, text="plan it")
    reply = await workspace.api(
        "chat.postMessage", channel="D0DANA", text="On it", thread_ts=posted["ts"]
    )
    link = await workspace.api("chat.getPermalink", channel="D0DANA", message_ts=reply["ts"])
    await page.goto(link["permalink"].replace("/#/", "/?as=U0MO#/"))
    await expect(page.locator("#thread .revealed")).to_contain_text("On it")
    await expect(page.get_by_role("radio", name="Dana")).to_have_attribute("aria-checked", "true")
    await page.get_by_label("Reply", exact=True).fill("thanks")
    await page.keyboard.press("Enter")
    await expect(page.locator("#thread-messages")).to_contain_text("thanks")
    await page.keyboard.press("Escape")
    await expect(page.locator("#thread")).to_be_hidden()


async def test_command_answer_and_home_are_shown(workspace: Running, bot: Bot, page: Page) -> None:
    """A slash command completes and shows its private answer; Home shows what is published."""
    home = {"type": "home", "blocks": [{"type": "header", "text": plain("Waiting for you")}]}
    await workspace.api("views.publish", user_id="U0DANA", view=home)
    await page.goto(workspace.config.base_url)
    await page.get_by_label("Message", exact=True).fill("/co")
    await page.keyboard.press("Tab")
    await page.keyboard.type("digest")
    await page.wait_for_timeout(50)
    bot.answers = []
    bot.answer_json({"text": "Your digest"})
    await page.keyboard.press("Enter")
    await expect(page.locator(".ephemeral")).to_contain_text("Only visible to you")
    await expect(page.locator(".ephemeral")).to_contain_text("Your digest")
    await page.get_by_role("tab", name="Home").click()
    await expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    await page.get_by_role("button", name="Inspector").first.click()
    await expect(page.locator("#log li").first).to_be_visible()
