"""What PostgreSQL's lock files say, and whether to believe it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

# The lines of `postmaster.pid`, counted from zero; the socket's lock file has the first five.
# Source: https://www.postgresql.org/docs/18/storage-file-layout.html (postmaster.pid)
_PID_LINE, _DATA_LINE, _SOCKET_FOLDER_LINE, _STATUS_LINE = 0, 1, 4, 7

# No process has the largest number that a pid_t can hold.
_NOBODY = str(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A living server process of one data folder."""

    pid: int
    socket_folder: Path | None
    is_ready: bool


def find_postmaster(data: Path) -> Postmaster | None:
    """Return the living server of `data`, or None; a lock file that misleads is corrected."""
    lines = _believable_lines(data / "postmaster.pid", data=data)
    if lines is None:
        return None
    folder = lines[_SOCKET_FOLDER_LINE]
    return Postmaster(
        pid=int(lines[_PID_LINE]),
        socket_folder=Path(folder) if folder else None,
        is_ready=lines[_STATUS_LINE].strip() == "ready",
    )


def correct_socket_lock(socket: Path) -> None:
    """Correct the lock file of `socket` if it misleads; another server's is left alone."""
    _believable_lines(Path(f"{socket}.lock"), data=None)


def _believable_lines(path: Path, *, data: Path | None) -> list[str] | None:
    """Return the file's lines if a living server of `data` (or the one it names) wrote it.

    Otherwise the number in it may meanwhile be that of another program (after a reboot, in a
    new container, or a dead process that nobody reaped), and PostgreSQL would refuse to start
    for ever. The number is then replaced by nobody's; the rest stays, so that PostgreSQL still
    makes sure that no other process of the dead server uses the data. Half a file is removed.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return None
    if len(lines) <= _DATA_LINE or not lines[_PID_LINE].isdecimal():
        path.unlink()
        return None
    if not _is_server(int(lines[_PID_LINE]), data=data or Path(lines[_DATA_LINE])):
        path.write_text("\n".join([_NOBODY, *lines[1:]]) + "\n", encoding="utf-8")
        return None
    return lines + [""] * (_STATUS_LINE + 1 - len(lines))


def _is_server(pid: int, *, data: Path) -> bool:
    command = _command_of(pid)
    return bool(command) and "postgres" in command[0] and str(data) in " ".join(command)


def _command_of(pid: int) -> list[str]:
    """Return the words of a process's command line; none if it does not live."""
    if Path("/proc/self/cmdline").exists():
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [word.decode(errors="replace") for word in raw.split(b"\0") if word]
    # macOS has no /proc.
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603 -- constant words and a number
