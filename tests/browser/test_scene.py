"""The scene by hand in the page: Dana asks, Mo countersigns, both read how it ended."""

from collections.abc import Iterator

import pytest

from bot.cli.scene import REQUEST
from tests.browser.page import Visitor, find_chromium, visit
from tests.scenarios.world import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
def visitor(world: World) -> Iterator[Visitor]:
    """Return somebody at the page, with a console that stays clean."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("NO BROWSER TEST WAS RUN: install Chromium (apt-get install chromium)")
    with visit(world.stage.workspace_url, executable) as opened:
        yield opened
    assert opened.complaints == []


def test_scene_by_hand_ends_with_one_deal_and_one_invitation(
    visitor: Visitor, world: World
) -> None:
    """Connect, Run and Approve are clicks on real pages; each card says what is waited for."""
    visitor.open("U0DANA")
    visitor.say(REQUEST)
    visitor.connect("HubSpot")
    visitor.thread.get_by_text("Nothing happens before you press Run.").wait_for()
    _edit_amount(visitor)
    visitor.press(visitor.thread, "Run")
    visitor.connect("HubSpot")
    visitor.connect("Google Calendar")
    visitor.thread.get_by_text("Waiting for Mo Haddad to approve").wait_for()

    visitor.become("Mo")
    visitor.messages.get_by_text("asks you to countersign").wait_for()
    visitor.press(visitor.messages, "Approve")
    visitor.messages.get_by_text("Approved by Mo Haddad").wait_for()
    assert visitor.messages.get_by_role("button", name="Approve").count() == 0

    visitor.become("Dana")
    visitor.page.locator(".thread-link").last.click()
    visitor.thread.get_by_text("All done.").wait_for()
    (deal,) = world.deals("Acme")
    assert deal["properties"]["amount"] == "50000.00"
    assert [mail["to"] for mail in world.mails()] == ["jane.doe@acme.example"]


def _edit_amount(visitor: Visitor) -> None:
    """A value that does not fit is said at its input; one that does stands on the card."""
    visitor.press(visitor.thread, "Edit")
    modal = visitor.page.get_by_role("dialog")
    amount = modal.locator(".input", has_text="Amount").locator("input")
    amount.fill("a lot")
    modal.get_by_role("button", name="Save").click()
    modal.get_by_role("alert").wait_for()
    amount.fill("50000")
    modal.get_by_role("button", name="Save").click()
    visitor.thread.get_by_text("You changed the amount: 48000.00 → 50000.00.").wait_for()


def test_newcomer_and_guest_read_what_they_can_do(visitor: Visitor) -> None:
    """Nobody is left without a word: a greeting, a wish that cannot be met, a guest."""
    visitor.open("U0ADA")
    visitor.say("hi")
    visitor.messages.get_by_role("button", name="Which deals does Acme have?").wait_for()
    visitor.say("Order me a pizza with extra cheese")
    visitor.thread.get_by_text("I did not understand that.").wait_for()
    visitor.become("Gus")
    visitor.say("Which deals does Acme have?")
    visitor.thread.get_by_text("I work only for full members").wait_for()
