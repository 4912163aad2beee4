"""How much chaos, and the timings that everything in it shares."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["worker", "clock"]

LEASE_S = 3.0
CALL_TIMEOUT_S = 2.0
FREEZE_S = LEASE_S + CALL_TIMEOUT_S + 2.0
"""A frozen process wakes when others have long taken its tasks over."""

WRITES = 5
"""Writes a goal."""

REQUESTERS = 12
"""People who ask; each has a connection of their own, so one's 429 does not stop the others."""

WORKERS = 4
CLOCKS = 2


@dataclass(frozen=True, slots=True)
class Scale:
    """One run.

    Attributes:
        goals: how many are submitted.
        chaos_s: when the killing and the faults end at the latest; then all comes to rest.
        limit_s: when a run that has not come to rest is called stuck.
        seed: of everything that is random on the suite's side.
        backlog: how many goals are open at most.
        restarts: how often the database is restarted, in fast and immediate mode by turns.
        freezes: how often a worker is frozen past its lease.
        looks: False lets workers repeat without looking: the run must then report doubles.
    """

    goals: int
    chaos_s: float
    limit_s: float
    seed: int
    backlog: int = 60
    restarts: int = 2
    freezes: int = 1
    looks: bool = True
