"""`python -m tests.chaos`: kill workers, restart the database, disturb the provider, and judge.

Exits 0 when no effect happened twice, none was lost, and every goal ended.
"""

import argparse
import secrets
import sys

from bot import loop
from tests.chaos.report import lines
from tests.chaos.run import prepared
from tests.chaos.scale import Scale


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--goals", type=int, default=2000)
    parser.add_argument("--chaos-s", type=float, default=420, help="then the killing ends")
    parser.add_argument("--limit-s", type=float, default=540, help="then a run is called stuck")
    parser.add_argument("--seed", type=int, default=None, help="a run's seed, as it printed it")
    parser.add_argument("--backlog", type=int, default=60, help="goals that are open at most")
    parser.add_argument("--restarts", type=int, default=6)
    parser.add_argument("--freezes", type=int, default=4)
    parser.add_argument(
        "--blind", action="store_true", help="switch the look-up off: the run must then fail"
    )
    given = parser.parse_args()
    scale = Scale(
        goals=given.goals,
        chaos_s=given.chaos_s,
        limit_s=given.limit_s,
        seed=given.seed if given.seed is not None else secrets.randbelow(10**6),
        backlog=given.backlog,
        restarts=given.restarts,
        freezes=given.freezes,
        looks=not given.blind,
    )
    print(f"seed       {scale.seed}", flush=True)
    with prepared(scale) as run:
        report = loop.run(run.play())
    print(*lines(report)[1:], sep="\n")
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
