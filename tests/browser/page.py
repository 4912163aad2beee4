"""The workspace's page as a person uses it, in headless Chromium."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, sync_playwright

PATIENCE_MS = 10_000
WIDTH, HEIGHT = 1280, 860


def find_chromium() -> str | None:
    """Return where Chromium is installed; in CI it must be."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None and os.environ.get("CI"):
        raise AssertionError("CI needs Chromium for the browser tests: apt-get install chromium")
    return found


@dataclass
class Visitor:
    """Somebody at the page. `complaints` is what the browser's console said besides chatter."""

    page: Page
    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)

    @property
    def thread(self) -> Locator:
        return self.page.locator("#thread-messages")

    @property
    def messages(self) -> Locator:
        return self.page.locator("#messages")

    def open(self, person_id: str) -> None:
        """Open the page as one person."""
        self.page.goto(f"{self.url}/?as={person_id}")
        self.page.locator(".person-me").wait_for()

    def become(self, name: str) -> None:
        """Switch to another person by the buttons at the top."""
        self.page.get_by_role("radio", name=name).click()

    def say(self, text: str) -> None:
        box = self.page.get_by_label("Message", exact=True)
        box.fill(text)
        box.press("Enter")

    def press(self, where: Locator, name: str) -> None:
        """Press the newest button of this name."""
        where.locator("button, a.button").filter(has_text=name).last.click()

    def connect(self, title: str) -> None:
        """Connect a provider from the card in the thread: both our pages and the provider's."""
        with self.context.expect_page() as opened:
            self.press(self.thread, f"Connect {title}")
        page = opened.value
        page.get_by_role("button", name=f"Continue to {title}").click()
        page.get_by_role("button", name="Allow").click()
        page.get_by_role("button", name="Yes, connect").click()
        page.get_by_role("heading", name="is connected").wait_for()
        page.close()
        # A card that still offered its link could be taken for the next one that asks.
        self.thread.get_by_text(f"{title} is connected as").wait_for()


@contextmanager
def visit(url: str, executable: str, *, width: int = WIDTH) -> Iterator[Visitor]:
    """Open a browser at the workspace's page until the end of the block."""
    with sync_playwright() as playwright:
        # Chromium refuses its own sandbox to root, whom containers run as.
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            timezone_id="Europe/Berlin",
            device_scale_factor=1.5,
        )
        context.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(context.new_page(), context, url)

        def listen(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                visitor.complaints.append(message.text)

        context.on("console", listen)
        context.on("weberror", lambda error: visitor.complaints.append(str(error.error)))
        try:
            yield visitor
        finally:
            browser.close()
