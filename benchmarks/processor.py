"""What processes cost, read from the kernel; and the machine that they ran on."""

import os
import platform
import time
from pathlib import Path

import psycopg


def cpu_s(pid: int) -> float:
    """Return the processor time of a process and all its threads so far.

    The kernel's clock of another process counts nanoseconds, /proc/<pid>/stat hundredths of a
    second. Source: clock_getcpuclockid(3); its number is made as glibc makes it.
    """
    return time.clock_gettime((~pid << 3) | 2)


class PostgresCpu:
    """The processor time of one PostgreSQL: its postmaster and all processes below it."""

    def __init__(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            self._postmaster = _parent(connection.info.backend_pid)
        self._gone_s = 0.0
        self._last: dict[int, float] = {}

    def read_s(self) -> float:
        """Return it so far; of a process that ended between two reads, what was read last."""
        now: dict[int, float] = {}
        for pid in [self._postmaster, *_children(self._postmaster)]:
            try:
                now[pid] = cpu_s(pid)
            except OSError:
                continue
        self._gone_s += sum(used for pid, used in self._last.items() if pid not in now)
        self._last = now
        return self._gone_s + sum(now.values())


def describe_machine(url: str, folder: Path) -> tuple[str, ...]:
    """Return what the figures depend on, a line each."""
    with psycopg.connect(url) as connection:
        settings = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN"
            " ('fsync', 'synchronous_commit', 'server_version') ORDER BY name"
        ).fetchall()
    known: dict[str, str] = dict(settings)
    return (
        f"{os.cpu_count()} cores ({_processor()}), Linux {platform.release()}",
        f"Python {platform.python_version()}",
        (
            f"PostgreSQL {known['server_version']}, fsync {known['fsync']}, synchronous_commit "
            f"{known['synchronous_commit']}, data on {_file_system(folder)}"
        ),
        f"load average when it began: {os.getloadavg()[0]:.1f}",
    )


def _parent(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if _parent(int(folder.name)) == parent:
                    found.append(int(folder.name))
            except (OSError, ValueError, IndexError):
                continue
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    """Return the kind of file system that a folder is on: the longest mount point above it."""
    best, kind = "", "?"
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, fs, *_ = line.split()
        is_above = folder.resolve().is_relative_to(place)
        if is_above and len(place) > len(best):
            best, kind = place, fs
    return kind
