"""Fixtures of browser tests: the scenarios' world, and the page in headless Chromium."""

from tests.scenarios.conftest import bot_folder, extra_environment, nursery, stage, world

__all__ = ["bot_folder", "extra_environment", "nursery", "stage", "world"]
