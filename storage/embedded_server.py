"""Initialise, start, find and stop the PostgreSQL server of one data folder."""

import os
import secrets
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from storage.embedded_account import Account
from storage.embedded_errors import CommandFailedError, DataFolderError, DataVersionError
from storage.embedded_folders import PORT, SOCKET_NAME, Folders, make_private_folder
from storage.embedded_pidfile import Postmaster, correct_socket_lock, find_postmaster
from storage.embedded_software import MAJOR_VERSION

USER = "countersign"

_PATIENCE_S = 60  # for a start after a crash, which replays the log, and for a shutdown
_POLL_S = 0.02
_CONNECT_TIMEOUT_S = 5
# After a kill -9 of the server its other processes need a moment to end as well.
_PAUSES_BEFORE_RETRY_S = (0.2, 1.0)
_SAID_LINES = 12


@dataclass(frozen=True, slots=True)
class Server:
    """The server of one data folder. Every method but `is_answering` needs the start lock."""

    folders: Folders
    software: Path
    account: Account | None

    def initialise(self, *, durable: bool) -> None:
        """Make the data folder if it is missing: whole or not at all.

        Raises:
            DataVersionError: It was written by another major version.
            DataFolderError: It holds something else.
            CommandFailedError: `initdb` failed.
        """
        data = self.folders.data
        version = data / "PG_VERSION"
        if version.exists():
            found = version.read_text(encoding="ascii").strip()
            if found != MAJOR_VERSION:
                raise DataVersionError(data, found=found, ours=MAJOR_VERSION)
            return
        if data.exists() and any(data.iterdir()):
            raise DataFolderError(data)
        # The `initdb` of a killed starter may still be at work in a folder of an earlier try.
        for remains in self.folders.home.glob("unfinished-data-*"):
            shutil.rmtree(remains, ignore_errors=True)
        unfinished = data.with_name(f"unfinished-data-{secrets.token_hex(4)}")
        make_private_folder(unfinished, self.account)
        # The built-in locale is the same on every machine; a later C library cannot change
        # the order of the indexes.
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        # Local connections need no password: the socket's folder lets in only our user.
        access = ["--auth-local=trust", "--auth-host=reject", f"--username={USER}"]
        # Small log files, in megabytes: less to write for each short-lived server of a test.
        sync = [] if durable else ["--no-sync", "--wal-segsize=1"]
        place = ["--builtin-locale=C.UTF-8", "--no-instructions", f"--pgdata={unfinished}"]
        self._run("initdb", *locale, *access, *sync, *place)
        unfinished.replace(data)

    def start(self, settings: Mapping[str, str]) -> Path:
        """Start the server, wait until it answers, and return its socket's folder.

        A server that a killed starter had left in the middle of its start is taken instead.

        Raises:
            CommandFailedError: It did not; the last lines of its log are told.
        """
        correct_socket_lock(self.folders.run / SOCKET_NAME)
        if self.folders.log.exists():
            self.folders.log.replace(self.folders.log.with_suffix(".log.1"))
        options = " ".join(f"-c {shlex.quote(f'{key}={settings[key]}')}" for key in settings)
        for pause_s in (*_PAUSES_BEFORE_RETRY_S, None):
            try:
                self._pg_ctl("start", "-o", options)
            except CommandFailedError:
                if (run := self.find_running()) is not None:
                    return run
                if pause_s is None:
                    raise
                time.sleep(pause_s)
            else:
                break
        return self.folders.run

    def stop(self) -> None:
        """End the server's sessions and stop it; nothing happens if it is not running.

        Raises:
            CommandFailedError: It is still running.
        """
        if find_postmaster(self.folders.data) is None:
            return
        try:
            self._pg_ctl("stop", "-m", "fast")
        except CommandFailedError:
            if find_postmaster(self.folders.data) is not None:
                raise

    def find_running(self) -> Path | None:
        """Return the folder of the socket on which our server answers, or None if none runs.

        A server that is still starting is waited for. One that nobody can reach any more (its
        socket was swept away, or it hangs) is stopped.
        """
        give_up_at = time.monotonic() + _PATIENCE_S
        while (postmaster := find_postmaster(self.folders.data)) is not None:
            folder = postmaster.socket_folder
            if folder is not None and self.is_answering(folder):
                return folder
            if _is_unreachable(postmaster) or time.monotonic() > give_up_at:
                self.stop()
                return None
            time.sleep(_POLL_S)
        return None

    def is_answering(self, run: Path) -> bool:
        """Return whether a server answers in `run` and its data are ours."""
        try:
            with connect(run, database="postgres") as connection:
                row = connection.execute("SHOW data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and Path(row[0]) == self.folders.data

    def _pg_ctl(self, verb: str, *options: str) -> None:
        wait = ["-w", "-t", str(_PATIENCE_S), "-s"]
        self._run("pg_ctl", verb, *wait, "-D", str(self.folders.data), *options)

    def _run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL as the server's user, its words going to the log.

        The environment is bare, so that no PGPORT or locale of the person's shell gets in.
        """
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        try:
            with self.folders.log.open("ab") as log:
                done = subprocess.run(  # noqa: S603 -- our own binaries and folders
                    [str(self.software / "bin" / program), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    check=False,
                    cwd="/",
                    env=environment,
                    user=self.account.uid if self.account else None,
                    group=self.account.gid if self.account else None,
                    extra_groups=[] if self.account else None,
                )
        except OSError as err:
            raise CommandFailedError(program, folder=self.folders.data, said=str(err)) from err
        if done.returncode != 0:
            said = _last_lines(self.folders.log)
            raise CommandFailedError(program, folder=self.folders.data, said=said)


def connect(run: Path, *, database: str) -> psycopg.Connection:
    """Return an autocommit connection to the server whose socket is in `run`."""
    return psycopg.connect(
        host=str(run),
        port=PORT,
        user=USER,
        dbname=database,
        autocommit=True,
        connect_timeout=_CONNECT_TIMEOUT_S,
    )


def _is_unreachable(postmaster: Postmaster) -> bool:
    folder = postmaster.socket_folder
    return postmaster.is_ready and (folder is None or not (folder / SOCKET_NAME).exists())


def _last_lines(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_SAID_LINES:])
