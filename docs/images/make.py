# ruff: noqa: INP001 -- a script, not a package
"""Make the README's pictures of the plan's and the approval's card from the real page.

Run it from the repository's folder, with Debian's chromium installed:

    .venv/bin/python -m docs.images.make
"""

import asyncio
import tempfile
from pathlib import Path

from bot.cli.scene import REQUEST
from bot.cli.stage import Stage, open_stage
from bot.serve import serve
from storage.migrate import upgrade
from tests.browser.page import Visitor, find_chromium, visit
from tests.storage.pg import run_server

FOLDER = Path(__file__).parent
CARD = ".card"


def take(stage: Stage, executable: str) -> None:
    """Play the scene until Mo is asked, and keep both cards."""
    with visit(stage.workspace_url, executable, width=1500) as visitor:
        visitor.open("U0DANA")
        visitor.say(REQUEST)
        visitor.connect("HubSpot")
        visitor.thread.get_by_text("Nothing happens before you press Run.").wait_for()
        _keep(visitor, "#thread-messages", "plan-card.png")
        visitor.press(visitor.thread, "Run")
        visitor.connect("HubSpot")
        visitor.connect("Google Calendar")
        visitor.thread.get_by_text("Waiting for Mo Haddad to approve").wait_for()
        visitor.become("Mo")
        visitor.messages.get_by_text("asks you to countersign").wait_for()
        _keep(visitor, "#messages", "approval-card.png")


def _keep(visitor: Visitor, where: str, name: str) -> None:
    visitor.page.mouse.move(0, 0)
    message = visitor.page.locator(f"{where} .message", has=visitor.page.locator(CARD)).first
    body, card = message.bounding_box(), message.locator(CARD).bounding_box()
    assert body is not None
    assert card is not None
    width = card["x"] + card["width"] - body["x"] + 16
    visitor.page.screenshot(
        path=FOLDER / name,
        clip={"x": body["x"], "y": body["y"], "width": width, "height": body["height"]},
    )


async def main() -> None:
    """Serve the demo's stage and a bot, and take the pictures."""
    executable = find_chromium()
    if executable is None:
        raise SystemExit("There is no Chromium: apt-get install chromium")
    with run_server() as url, tempfile.TemporaryDirectory() as folder:
        upgrade(url)
        async with open_stage(Path(folder)) as stage:
            bot = asyncio.ensure_future(
                serve(stage.settings(), database_url=url, role="all", listening=stage.listening)
            )
            try:
                await asyncio.to_thread(take, stage, executable)
            finally:
                bot.cancel()
                await asyncio.gather(bot, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main())
