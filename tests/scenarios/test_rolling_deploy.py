"""A new version of the code beside the old one, on one database, and then instead of it."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bot.cli.scene import DANA, MO
from bot.views import ids
from bot.workspace.client import has_button, shows
from tests.scenarios.next_version import write_next_version
from tests.scenarios.nursery import Nursery
from tests.scenarios.play import DONE, Play
from tests.scenarios.test_many_workers import begin, count, until
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario

_WAITS = "SELECT count(*) FROM waits"
_LOST_JOBS = "SELECT count(*) FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing')"
_ASKED_ANEW = (
    "SELECT count(*) FROM approval_items i JOIN calls c ON c.id = i.call_id "
    "WHERE c.body->'arguments'->>'name' = %s"
)


@pytest.fixture(scope="module")
def next_nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    tree = tmp_path_factory.mktemp("next")
    write_next_version(tree)
    with Nursery(tree) as nursery:
        yield nursery


def deal(name: str) -> str:
    return f"Create a deal for Acme worth $40 called {name}"


async def confirm(play: Play, name: str) -> None:
    """Approve what Dana was shown in the old version's form and the new one asks about."""
    card = await play.workspace.wait_for(
        DANA,
        lambda item: has_button(ids.APPROVAL_APPROVE)(item) and shows(name)(item),
        what=f"a question about {name}",
    )
    await play.workspace.click(DANA, card, ids.APPROVAL_APPROVE)


async def test_new_version_takes_over_the_goals_of_the_old_one(
    connected: World, play: Play, next_nursery: Nursery, tmp_path: Path
) -> None:
    """Whatever state goals are in when the old version goes, the new one ends them, once.

    A write that an approver saw, and one whose card Run was clicked on, would not be what was
    shown where the action changed with the version: the new one asks once more (S10).
    """
    connected.bot.kill()
    connected.bot.start(role="web")
    old = connected.bot.another(tmp_path / "old")
    old.start(role="worker")
    proposed, card = await play.plan(deal("Avocet"))
    late, late_card = await play.plan(deal("Bustard"))
    waiting, waiting_card = await play.plan(
        "Wait 3 hours, then create a deal for Acme worth $9 called Dunlin"
    )
    await play.workspace.click(DANA, waiting_card, ids.GOAL_RUN)
    await until(lambda: count(connected, _WAITS) == 1)
    asked, asked_card = await play.plan(
        "Book a 30 minute handover with jane.doe@acme.example next Tuesday at 10"
    )
    await play.workspace.click(DANA, asked_card, ids.GOAL_RUN)
    request = await play.asked("Handover")
    sending = await begin(connected, play, "Fulmar")

    new = connected.bot.another(tmp_path / "new", nursery=next_nursery)
    web = connected.bot.another(tmp_path / "web", nursery=next_nursery)
    try:
        new.start(role="worker")
        both, both_card = await play.plan(deal("Gannet"))
        await play.workspace.click(DANA, both_card, ids.GOAL_RUN)
        assert old.stop() == 0
        await play.workspace.click(DANA, late_card, ids.GOAL_RUN)  # The old web queues its job.
        connected.bot.kill()
        web.start(role="web")
        await play.workspace.click(DANA, card, ids.GOAL_RUN)
        await play.workspace.click(MO, request, ids.APPROVAL_APPROVE)
        with psycopg.connect(connected.database_url) as connection:
            connection.execute("UPDATE waits SET due_at = now()")
        for name in ("Avocet", "Bustard", "Dunlin"):
            await confirm(play, name)
        for thread in (proposed, late, waiting, asked, sending):
            await play.see(thread, DONE)
        await until(
            lambda: bool(count(connected, _ASKED_ANEW, "Gannet") or connected.deals("Gannet"))
        )
        if not connected.deals("Gannet"):  # The new version was first.
            await confirm(play, "Gannet")
        await play.see(both, DONE)
    finally:
        for process in (new, web):
            if process.is_running:
                process.kill()
        connected.bot.start()

    for name in ("Avocet", "Bustard", "Dunlin", "Fulmar", "Gannet"):
        assert len(connected.deals(name)) == 1, name
    assert len(connected.events("Handover")) == 1
    assert count(connected, _LOST_JOBS) == 0
