"""The system user that PostgreSQL runs as when Countersign runs as root."""

import os
import pwd
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from storage.embedded_errors import FolderNotReachableError, SystemUserError

_NAME = "countersign"
# Another process may be creating the same user and hold the lock on the password file.
_ATTEMPTS = 10
_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int


def service_account() -> Account | None:
    """Return the user that the server must run as, or None for the user that we are.

    PostgreSQL refuses to run as root. As root, the system user `countersign` is created when
    it is missing: without a home folder, a shell or a password.

    Raises:
        SystemUserError: It is missing and `useradd` did not create it.
    """
    if os.geteuid() != 0:
        return None
    account, reason = _find(), ""
    for _ in range(_ATTEMPTS):
        if account is not None:
            return account
        reason = _create()
        account = _find()
        if account is None:
            time.sleep(_PAUSE_S)
    raise SystemUserError(_NAME, reason=reason)


def check_reachable(account: Account, folder: Path) -> None:
    """Check that `account` may pass through every folder from the root down to `folder`.

    Raises:
        FolderNotReachableError: The first folder that it may not enter.
    """
    resolved = folder.resolve()
    for step in [*reversed(resolved.parents), resolved]:
        status = step.stat()
        if status.st_uid == account.uid:
            may_enter = status.st_mode & 0o100
        elif status.st_gid == account.gid:
            may_enter = status.st_mode & 0o010
        else:
            may_enter = status.st_mode & 0o001
        if not may_enter:
            raise FolderNotReachableError(step, user=account.name)


def _find() -> Account | None:
    try:
        entry = pwd.getpwnam(_NAME)
    except KeyError:
        return None
    return Account(name=_NAME, uid=entry.pw_uid, gid=entry.pw_gid)


def _create() -> str:
    """Try once to create the user; return why it failed, or an empty string."""
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command = [useradd, *options, "--shell", "/usr/sbin/nologin", _NAME]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- every word is a constant
    except OSError as err:
        return str(err)
    return done.stderr.strip()
