"""`make bench`: measure, and print what was found; nothing is written anywhere."""

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks import acknowledge, click, cost, goal, stored, waiting, wake, workers
from benchmarks.figures import Table, show, show_markdown
from benchmarks.processor import describe_machine
from benchmarks.world import World, open_world, run_database
from bot import loop

_IN_THE_OFFICE: dict[str, Callable[[World], Awaitable[Table]]] = {
    "acknowledge": acknowledge.measure,
    "click": click.measure,
    "goal": goal.measure,
    "waiting": waiting.measure,
}
"""The whole bot as a process of its own, with the local Slack and the providers' stand-ins."""

_BARE: dict[str, Callable[[Path, str], Awaitable[Table]]] = {
    "cost": cost.measure,
    "stored": stored.measure,
    "wake": wake.measure,
    "workers": workers.measure,
}
"""The engine on its database alone."""

_BENCHMARKS = (*_BARE, *_IN_THE_OFFICE)


def main() -> None:
    """Run what is named, or everything, each with a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*_BENCHMARKS, []], metavar="benchmark")
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    arguments = parser.parse_args()
    render = show_markdown if arguments.markdown else show
    machine: tuple[str, ...] = ()
    for name in arguments.names or _BENCHMARKS:
        with run_database() as (folder, url):
            machine = machine or describe_machine(url, folder)
            table = loop.run(_measure(name, folder, url))
        print(render(table), end="\n\n", flush=True)
    mark = "- " if arguments.markdown else "  "
    print("## Machine\n" if arguments.markdown else "Machine\n")
    print("\n".join(f"{mark}{line}" for line in machine))


async def _measure(name: str, folder: Path, url: str) -> Table:
    if name in _BARE:
        return await _BARE[name](folder, url)
    async with open_world(folder, url) as world:
        return await _IN_THE_OFFICE[name](world)


if __name__ == "__main__":
    main()
