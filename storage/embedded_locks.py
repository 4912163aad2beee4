"""File locks that tell who uses an embedded server; the kernel frees them at kill -9."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from storage.embedded_errors import StartLockError

# Longer than the 60 s that PostgreSQL itself may take to start or to stop.
_WAIT_S = 90.0
_POLL_S = 0.02


@contextmanager
def start_lock(path: Path, *, wait_s: float = _WAIT_S) -> Iterator[None]:
    """Hold the lock under which servers are started and stopped.

    Raises:
        StartLockError: Somebody else held it for all of `wait_s` seconds.
    """
    with path.open("ab") as file:
        give_up_at = time.monotonic() + wait_s
        while not _try(file, fcntl.LOCK_EX):
            if time.monotonic() > give_up_at:
                raise StartLockError(path.parent, waited_s=wait_s)
            time.sleep(_POLL_S)
        yield


class UserLock:
    """A lock that every living user of a server shares.

    It is asked and moved only under `start_lock`: so nobody comes or leaves between the
    question whether we are alone and the deed that follows from it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    @property
    def held(self) -> bool:
        return self._file is not None

    def take(self) -> None:
        if self._file is None:
            self._file = self._path.open("ab")
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def others(self) -> bool:
        """Return whether another living user holds the lock. Not to be asked while held."""
        with self._path.open("ab") as file:
            return not _try(file, fcntl.LOCK_EX)


def _try(file: IO[bytes], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
