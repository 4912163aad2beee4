"""Where an embedded server keeps its files, and who may enter there."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from storage.embedded_account import Account, check_reachable
from storage.embedded_errors import FolderUnusableError, RuntimeFolderError, SocketPathError

PORT = 5432  # only part of the socket's name: the server listens on no network
SOCKET_NAME = f".s.PGSQL.{PORT}"

# `sockaddr_un.sun_path` has 108 bytes on Linux, one of them the final NUL.
# Source: https://man7.org/linux/man-pages/man7/unix.7.html
_SOCKET_PATH_LIMIT = 107


@dataclass(frozen=True, slots=True)
class Folders:
    """The files of one server; all but perhaps the socket lie in `home`."""

    home: Path
    run: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def start_lock(self) -> Path:
        return self.home / "start.lock"

    @property
    def user_lock(self) -> Path:
        return self.home / "users.lock"

    @property
    def is_run_temporary(self) -> bool:
        return self.run.parent != self.home

    def make(self, account: Account | None) -> None:
        """Make what is missing; folders of others keep their permissions.

        As root, `home` belongs to root and lets `account` pass; the data and the socket belong
        to `account` alone. Otherwise all of it is ours alone.

        Raises:
            FolderUnusableError: The file system refuses.
            FolderNotReachableError: `account` may not enter a folder on the way.
            RuntimeFolderError: The socket's folder exists and is somebody else's.
        """
        try:
            _make_missing(self.home, mode=0o711 if account else 0o700)
            if account is not None:
                check_reachable(account, self.home)
            _make_private(self.run, account)
            if account is not None:
                check_reachable(account, self.run)
        except OSError as err:
            raise FolderUnusableError(self.home, reason=str(err)) from err


def plan_folders(data_dir: Path, *, runtime_dir: Path | None) -> Folders:
    """Return where the files of the server for `data_dir` belong; touch nothing.

    Without `runtime_dir` the socket lies beside the data, or in a short folder for temporary
    files that is named after the data folder when the path would be too long.

    Raises:
        SocketPathError: No socket can be made in `runtime_dir`, or anywhere.
    """
    home = data_dir.resolve() / "postgres"
    if runtime_dir is not None:
        run = runtime_dir.resolve()
    else:
        run = home / "run"
        if not _can_hold_socket(run):
            digest = hashlib.sha256(bytes(home)).hexdigest()[:12]
            run = Path(tempfile.gettempdir()).resolve() / f"countersign-{os.geteuid()}-{digest}"
    if not _can_hold_socket(run):
        raise SocketPathError(run / SOCKET_NAME, limit=_SOCKET_PATH_LIMIT)
    return Folders(home=home, run=run)


def make_private_folder(folder: Path, account: Account | None) -> None:
    """Make a folder that only the server's user may enter; it does not exist yet."""
    folder.mkdir(mode=0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)


def _can_hold_socket(run: Path) -> bool:
    # A comma separates hosts in a database URL, so no socket folder may contain one.
    path = bytes(run / SOCKET_NAME)
    return len(path) <= _SOCKET_PATH_LIMIT and b"," not in path


def _make_missing(folder: Path, *, mode: int) -> None:
    for step in [*reversed(folder.parents), folder]:
        try:
            step.mkdir()
        except FileExistsError:
            continue
        step.chmod(mode)  # whatever the umask is


def _make_private(folder: Path, account: Account | None) -> None:
    """Make the folder private, or check that it is: others may plant one in a shared place."""
    try:
        make_private_folder(folder, account)
    except FileExistsError:
        status = folder.lstat()
        owner = account.uid if account else os.geteuid()
        if not folder.is_dir() or folder.is_symlink() or status.st_uid != owner:
            raise RuntimeFolderError(folder) from None
        folder.chmod(0o700)
