"""A private PostgreSQL for whoever has none: the default when DATABASE_URL is not set.

Only the binaries of a pip package are used, under supervision of our own: a Unix socket in a
private folder, no network, no root, no trust in a process number, and it survives the death
of whoever started it.
"""

import contextlib
import os
from pathlib import Path
from urllib.parse import quote

import platformdirs
import psycopg

from storage.embedded_account import Account, service_account
from storage.embedded_errors import CommandFailedError, EmbeddedPostgresError
from storage.embedded_folders import PORT, plan_folders
from storage.embedded_locks import UserLock, start_lock
from storage.embedded_server import USER, Server, connect
from storage.embedded_software import copy_software, find_software, remove_old_copies

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "default_data_dir"]

DATABASE = "countersign"

# A crash may then lose or spoil everything; tests do not mind and are several times faster.
# Source: https://www.postgresql.org/docs/18/non-durability.html
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def default_data_dir() -> Path:
    """Return the folder for Countersign's data: the user's own, or the system's as root."""
    if os.geteuid() == 0:
        return Path("/var/lib/countersign")
    return Path(platformdirs.user_data_dir("countersign", appauthor=False))


class EmbeddedPostgres:
    """The server of one data folder, shared by all processes that name the same folder.

    It runs as long as somebody uses it: the first `start` starts it, later ones join, the
    last `stop` stops it. A process that is killed counts as gone at once; if it was the last,
    its server stays up until the next `start`, which adopts it. All methods block; a process
    that runs an event loop calls them in a thread.

    Args:
        data_dir: Countersign's data folder; the server uses only `postgres` inside it.
        runtime_dir: The socket's folder, private to us and made when missing. By default it
            is `data_dir/postgres/run`, or a short temporary one where that path is too long.
        durable: False gives up durability for speed. Only for tests.
        max_connections: Settings apply to a server that this call starts, not to one it joins.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        runtime_dir: Path | None = None,
        durable: bool = True,
        max_connections: int = 100,
    ) -> None:
        self._folders = plan_folders(data_dir, runtime_dir=runtime_dir)
        self._durable = durable
        self._max_connections = max_connections
        self._users = UserLock(self._folders.user_lock)
        self._owned = False

    @property
    def owned(self) -> bool:
        """Whether this object started the server, or adopted one that nobody else was using."""
        return self._owned

    def start(self) -> str:
        """Return the URL of a database that answers, starting what is needed; safe to repeat.

        Raises:
            EmbeddedPostgresError: One of its leaves, whose message says the remedy.
        """
        account = service_account()
        self._folders.make(account)
        with start_lock(self._folders.start_lock):
            server = self._server(account)
            run = server.find_running()
            if run is None:
                run, self._owned = self._start_anew(server), True
            elif not self._users.held:
                self._owned = not self._users.others()
            self._users.take()
            try:
                _create_database(run)
            except psycopg.Error as err:
                folder = self._folders.data
                raise CommandFailedError("CREATE DATABASE", folder=folder, said=str(err)) from err
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(run))}&port={PORT}"

    def stop(self) -> None:
        """Stop using the server, and stop it unless another living process uses it.

        Does nothing before `start`. Sessions that are still open are ended.

        Raises:
            EmbeddedPostgresError: It could not be stopped.
        """
        if not self._users.held:
            return
        with start_lock(self._folders.start_lock):
            self._users.release()
            self._owned = False
            if self._users.others():
                return
            self._server(service_account()).stop()
            if self._folders.is_run_temporary:
                with contextlib.suppress(OSError):
                    self._folders.run.rmdir()

    def _server(self, account: Account | None) -> Server:
        software = find_software()
        if account is not None:
            software = copy_software(software, into=self._folders.home)
        return Server(folders=self._folders, software=software, account=account)

    def _start_anew(self, server: Server) -> Path:
        remove_old_copies(self._folders.home)
        server.initialise(durable=self._durable)
        # The list of folders is quoted for PostgreSQL here, and for the shell in `Server`.
        folder = str(self._folders.run).replace('"', '""')
        settings = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": f'"{folder}"',
            "unix_socket_permissions": "0700",
            "max_connections": str(self._max_connections),
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        return server.start(settings | ({} if self._durable else _NOT_DURABLE))


def _create_database(run: Path) -> None:
    with connect(run, database="postgres") as connection:
        query = "SELECT FROM pg_database WHERE datname = %s"
        if connection.execute(query, [DATABASE]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")
