"""What a request to the provider suffers, drawn anew for each."""

import random
from enum import StrEnum


class Fault(StrEnum):
    """How a provider misbehaves. The effect happens once or not at all, save for `TWICE`."""

    NONE = "none"
    BUSY = "429"
    ERROR_BEFORE = "500 before"
    ERROR_AFTER = "500 after"
    SLOW = "slow"
    LATE = "late"
    """Commits only after a while, perhaps when its client is dead."""
    SILENT = "silent"
    """Commits, and answers when its client has given up."""
    DROP_BEFORE = "drop before"
    DROP_AFTER = "drop after"
    TWICE = "twice"
    """A proxy delivers the request twice, which it may do where a key makes that harmless."""


_WRITES = {
    Fault.NONE: 680,
    Fault.BUSY: 50,
    Fault.ERROR_BEFORE: 35,
    Fault.ERROR_AFTER: 45,
    Fault.SLOW: 60,
    Fault.LATE: 30,
    Fault.SILENT: 10,
    Fault.DROP_BEFORE: 30,
    Fault.DROP_AFTER: 60,
}
_READS = {
    Fault.NONE: 920,
    Fault.BUSY: 20,
    Fault.ERROR_BEFORE: 20,
    Fault.SLOW: 20,
    Fault.DROP_BEFORE: 20,
}
_KEYED = {**_WRITES, Fault.TWICE: 60}

PAUSES_S: dict[Fault, float] = {Fault.SLOW: 0.4, Fault.LATE: 1.0, Fault.SILENT: 2.5}
"""A late commit comes well within the longest call, as a provider's own time-out makes sure."""


class Dice:
    """Draws faults from a seed; the order of requests is chance all the same."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.is_calm = False

    def draw(self, *, is_read: bool, is_keyed: bool) -> Fault:
        if self.is_calm:
            return Fault.NONE
        weights = _READS if is_read else _KEYED if is_keyed else _WRITES
        return self._rng.choices(list(weights), list(weights.values()))[0]
