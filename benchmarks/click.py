"""How long after a click the provider hears of the call."""

import asyncio
import time
from collections.abc import Callable

from benchmarks.figures import Table, percentile
from benchmarks.play import REQUEST, Played, deal_plan, invitation_plan, play
from benchmarks.tap import Tap
from benchmarks.world import World, serve_bot
from bot.cli.scene import DANA, MO
from bot.views import ids
from bot.workspace.shapes import JsonObject
from tests.support.openai_server import ScriptedModel, serve_model

CLICKS = 20
"""With four requests a deal, more would meet the limit that we keep for HubSpot."""
_PAUSE_S = 0.3
"""What a click sets off is over by then; the next one finds an idle bot."""

_SETTLES_S = 2.0
"""After many clicks; then no late card of theirs is taken for one of the next goals."""

_IS_WRITE = r"^(POST|PUT|PATCH) (?!\S*(search|batch/read))"
_ANYTHING = r"^[A-Z]+ /"


async def measure(world: World) -> Table:
    """Prepare goals up to the click, then click one after the other."""
    async with (
        serve_model(ScriptedModel()) as model,
        serve_bot(world, role="all", model_url=model.url),
    ):
        asked = await prepare(world, model, invitation_plan, until=ids.APPROVAL_APPROVE)
        approve = [
            await press(world, world.google, MO, ids.APPROVAL_APPROVE, item.approve_value)
            for item in asked
        ]
        await asyncio.sleep(_SETTLES_S)
        shown = await prepare(world, model, deal_plan, until=ids.GOAL_RUN)
        run = [
            await press(world, world.hubspot, DANA, ids.GOAL_RUN, item.run_value) for item in shown
        ]
    return Table(
        "Click to the provider (ms)",
        ("", "median", "p99", "worst"),
        (
            _row("Approve → invitation sent", [write for _, _, write in approve]),
            _row("Run → first read at HubSpot", [first for _, first, _ in run]),
            _row("Run → deal sent", [write for _, _, write in run]),
            _row("click acknowledged", [answered for answered, _, _ in (*approve, *run)]),
        ),
        (
            (
                f"{CLICKS} clicks of each kind, one at a time: from sending the signed "
                "`block_actions` to the first byte of the provider's request. The decision is "
                "committed before the click is acknowledged; the job starts by NOTIFY."
            ),
            (
                "With so few clicks the p99 is the worst. A deal takes two reads before it is "
                "frozen: its company and the account's idempotency property."
            ),
        ),
    )


async def prepare(
    world: World,
    model: ScriptedModel,
    plan: Callable[[], JsonObject],
    *,
    until: str,
    count: int = CLICKS,
) -> list[Played]:
    """Bring goals to where one click is missing; the first one goes to its end, and connects."""
    model.answers.append(plan())
    await play(world, REQUEST)
    prepared = []
    for _ in range(count):
        model.answers.append(plan())
        prepared.append(await play(world, REQUEST, until=until))
    await asyncio.sleep(_SETTLES_S)
    return prepared


async def press(
    world: World, provider: Tap, person: str, action_id: str, value: str
) -> tuple[float, float, float]:
    """Return the ms to the acknowledgement, to the first request and to the writing one."""
    seen = len(provider.heard)
    began = time.perf_counter()
    await world.click(person, action_id, value)
    answered = time.perf_counter()
    first, _ = await provider.wait_for(_ANYTHING, after=seen)
    write, _ = await provider.wait_for(_IS_WRITE, after=seen)
    await asyncio.sleep(_PAUSE_S)
    return (answered - began) * 1000, (first.at - began) * 1000, (write.at - began) * 1000


def _row(words: str, took: list[float]) -> tuple[str, ...]:
    return (
        words,
        f"{percentile(took, 0.5):.1f}",
        f"{percentile(took, 0.99):.1f}",
        f"{max(took):.1f}",
    )
