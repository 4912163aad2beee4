"""The embedded PostgreSQL, with real servers in temporary folders."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from storage.embedded import EmbeddedPostgres, default_data_dir
from storage.embedded_account import Account, check_reachable
from storage.embedded_errors import (
    DataFolderError,
    DataVersionError,
    FolderNotReachableError,
    RuntimeFolderError,
    SocketPathError,
    StartLockError,
)
from storage.embedded_locks import start_lock
from storage.embedded_pidfile import _command_of, find_postmaster
from storage.embedded_software import find_software
from tests.storage.pg import folder_for_server

_REPOSITORY = Path(__file__).parents[2]
# Starts the server, tells whether it owns it and at which URL it is, and waits to be ended.
_STARTER = """
import sys
from pathlib import Path
from storage.embedded import EmbeddedPostgres

server = EmbeddedPostgres(data_dir=Path(sys.argv[1]), durable=False)
url = server.start()
print(server.owned, url, flush=True)
sys.stdin.read()
server.stop()
"""

Make = Callable[[], EmbeddedPostgres]


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """Give a data folder whose server was started once and stopped; to be copied."""
    with folder_for_server() as path:
        server = EmbeddedPostgres(data_dir=path, durable=False)
        server.start()
        server.stop()
        yield path


@pytest.fixture
def empty_folder() -> Iterator[Path]:
    """Give a data folder to be; end whatever server is left in it."""
    with folder_for_server() as path:
        yield path
        postmaster = find_postmaster(path / "postgres" / "data")
        if postmaster is not None:
            os.kill(postmaster.pid, signal.SIGQUIT)
            _wait_until_gone(postmaster.pid)


@pytest.fixture
def folder(initialised: Path, empty_folder: Path) -> Path:
    """Give a data folder that needs no initialisation, which takes most of a first start."""
    source = initialised / "postgres"
    target = empty_folder / "postgres"
    target.mkdir(parents=True)
    for folder in (empty_folder, target):
        folder.chmod(0o711)
    for part in source.glob("software-*"):
        subprocess.run(["cp", "-al", str(part), str(target)], check=True)  # links: 30 MB saved
    subprocess.run(["cp", "-a", str(source / "data"), str(target)], check=True)
    return empty_folder


@pytest.fixture
def make(empty_folder: Path) -> Iterator[Make]:
    """Give a maker of fast servers for the test's folder, stopped in the end."""
    with ExitStack() as stack:

        def maker() -> EmbeddedPostgres:
            server = EmbeddedPostgres(data_dir=empty_folder, durable=False)
            stack.callback(server.stop)
            return server

        yield maker


def test_first_start_gives_a_database_that_only_a_socket_reaches(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server listens on no network, its socket is private, and the shell's PG* is ignored."""
    monkeypatch.setenv("PGPORT", "6000")
    server = make()
    url = server.start()
    assert server.owned
    assert _ask(url, "SELECT current_database()") == "countersign"
    assert _ask(url, "SHOW listen_addresses") == ""
    assert _ask(url, "SHOW fsync") == "off"
    assert _socket_folder(url).stat().st_mode & 0o777 == 0o700


def test_second_start_gives_the_same_server(make: Make, folder: Path) -> None:
    """`start` may be repeated; nothing is started twice."""
    server = make()
    first, pid = server.start(), _server_pid(folder)
    assert server.start() == first
    assert _server_pid(folder) == pid
    assert server.owned


def test_restart_keeps_the_data_and_stop_ends_the_server(make: Make, folder: Path) -> None:
    """What was committed is there after a stop and a start; no process stays behind."""
    server = make()
    _execute(server.start(), "CREATE TABLE kept AS SELECT 42 AS n")
    pid = _server_pid(folder)
    server.stop()
    _wait_until_gone(pid)
    assert not server.owned
    assert _ask(server.start(), "SELECT n FROM kept") == 42


def test_stop_without_start_does_nothing(make: Make, folder: Path) -> None:
    """An object that never started a server stops none."""
    joined, bystander = make(), make()
    url = joined.start()
    bystander.stop()
    assert _ask(url, "SELECT 1") == 1


def test_server_runs_until_its_last_user_stops(make: Make, folder: Path) -> None:
    """Who joined owns nothing and cuts off nobody; the last one to leave stops the server."""
    starter, joiner = make(), make()
    url = starter.start()
    assert joiner.start() == url
    assert not joiner.owned
    starter.stop()
    assert _ask(url, "SELECT 1") == 1
    joiner.stop()
    assert find_postmaster(folder / "postgres" / "data") is None


def test_server_of_a_killed_starter_is_adopted(make: Make, folder: Path) -> None:
    """After kill -9 of the starter its server lives; the next start owns it, and stops it."""
    with _starter(folder) as process:
        _, url = _greeting(process)
        _execute(url, "CREATE TABLE kept AS SELECT 42 AS n")
        process.kill()
        process.wait()
    pid = _server_pid(folder)
    server = make()
    assert server.start() == url
    assert server.owned
    assert _server_pid(folder) == pid
    assert _ask(url, "SELECT n FROM kept") == 42
    server.stop()
    _wait_until_gone(pid)


@pytest.mark.parametrize("alive_s", [0.3, 0.5])
def test_start_succeeds_after_a_kill_in_the_middle_of_a_start(
    make: Make, empty_folder: Path, alive_s: float
) -> None:
    """Half an initialisation or half a start is cleared or completed, never an obstacle."""
    with _starter(empty_folder) as process:
        time.sleep(alive_s)
        process.kill()
        process.wait()
    assert _ask(make().start(), "SELECT 1") == 1


def test_two_starters_at_once_share_one_server(empty_folder: Path) -> None:
    """Processes that start together do not clash: one starts the server, the other joins."""
    with _starter(empty_folder) as one, _starter(empty_folder) as other:
        greetings = [_greeting(one), _greeting(other)]
        assert sorted(owned for owned, _ in greetings) == ["False", "True"]
        assert len({url for _, url in greetings}) == 1
        one.communicate()
        assert _ask(greetings[1][1], "SELECT 1") == 1
        other.communicate()
    assert find_postmaster(empty_folder / "postgres" / "data") is None


def test_misleading_lock_files_are_corrected(make: Make, folder: Path) -> None:
    """A number that now belongs to another program, or half a file, does not stop a start."""
    server = make()
    socket = _socket_folder(server.start()) / ".s.PGSQL.5432"
    server.stop()
    mislead = f"{os.getpid()}\n{folder / 'postgres' / 'data'}\n0\n5432\n{socket.parent}\n"
    for content in (mislead, "", "12"):
        for lock in (folder / "postgres" / "data" / "postmaster.pid", Path(f"{socket}.lock")):
            lock.write_text(content)
        assert _ask(server.start(), "SELECT 1") == 1
        server.stop()


def test_server_that_was_killed_is_started_again(make: Make, folder: Path) -> None:
    """After kill -9 of the server itself the next start recovers it."""
    server = make()
    server.start()
    pid = _server_pid(folder)
    os.kill(pid, signal.SIGKILL)
    _wait_until_gone(pid)
    assert _ask(server.start(), "SELECT 1") == 1
    assert server.owned


def test_server_without_its_socket_is_replaced(make: Make, folder: Path) -> None:
    """A server that nobody can reach, its socket swept away, is stopped and started anew."""
    server = make()
    url = server.start()
    pid = _server_pid(folder)
    for file in _socket_folder(url).iterdir():
        file.unlink()
    assert _ask(server.start(), "SELECT 1") == 1
    assert _server_pid(folder) != pid


@pytest.mark.parametrize("version", ["17", "19"])
def test_data_of_another_major_version_are_refused_with_the_way_out(
    make: Make, empty_folder: Path, version: str
) -> None:
    """The data stay untouched, and the message names both versions, the dump and the restore."""
    data = empty_folder / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text(version + "\n")
    with pytest.raises(DataVersionError) as caught:
        make().start()
    for word in (str(data), f"PostgreSQL {version}", "brings 18", "pg_dumpall", "restore"):
        assert word in str(caught.value)
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_folder_with_other_files_is_refused(make: Make, empty_folder: Path) -> None:
    """A data folder that holds something else is never overwritten."""
    data = empty_folder / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "thesis.txt").write_text("precious")
    with pytest.raises(DataFolderError, match="holds files"):
        make().start()
    assert (data / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize("name", ["r" * 120, "with,comma"])
def test_impossible_runtime_folder_is_refused_in_words(empty_folder: Path, name: str) -> None:
    """A path that cannot hold a socket is named, with its limit, before anything is made."""
    with pytest.raises(SocketPathError, match="at most 107 bytes and no comma"):
        EmbeddedPostgres(data_dir=empty_folder, runtime_dir=empty_folder.parent / name)
    assert not empty_folder.exists()


def test_long_data_folder_gets_a_short_socket_folder(folder: Path) -> None:
    """A deep folder with spaces works: the socket goes to a private temporary folder."""
    deep = folder.parent / ("Application Support " + "d" * 100)
    folder.rename(deep)
    server = EmbeddedPostgres(data_dir=deep, durable=False)
    try:
        url = server.start()
        run = _socket_folder(url)
        assert _ask(url, "SELECT 1") == 1
        assert run.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
    assert not run.exists()


def test_planted_runtime_folder_is_refused(make: Make, folder: Path) -> None:
    """A link in a shared folder, set by somebody else, does not lead the socket astray."""
    link = folder.parent / "run"
    link.symlink_to(folder.parent)
    server = make()
    server._folders = server._folders.__class__(home=server._folders.home, run=link)
    with pytest.raises(RuntimeFolderError, match="another user"):
        server.start()


def test_lock_held_for_long_is_an_error_in_words(tmp_path: Path) -> None:
    """Whoever waits in vain for another starter is told where to look."""
    lock = tmp_path / "start.lock"
    with (
        start_lock(lock),
        pytest.raises(StartLockError, match=r"server\.log"),
        start_lock(lock, wait_s=0.05),
    ):
        pass


def test_private_folder_on_the_way_is_named(tmp_path: Path) -> None:
    """A folder that the server's user may not enter is named, and stays private."""
    private = tmp_path / "private"
    (private / "data").mkdir(parents=True)
    private.chmod(0o700)
    stranger = Account(name="stranger", uid=os.getuid() + 54321, gid=os.getgid() + 54321)
    with pytest.raises(FolderNotReachableError) as caught:
        check_reachable(stranger, private / "data")
    assert caught.value.folder in {private, *private.parents}
    assert private.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must hand the server to another user")
def test_root_runs_the_server_as_the_system_user(make: Make, folder: Path) -> None:
    """As root the server has no rights of root, and its data are its user's alone."""
    url = make().start()
    data = folder / "postgres" / "data"
    assert Path(f"/proc/{_server_pid(folder)}").stat().st_uid == data.stat().st_uid != 0
    assert data.stat().st_mode & 0o777 == 0o700
    assert _ask(url, "SELECT 1") == 1
    assert default_data_dir() == Path("/var/lib/countersign")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_without_root_the_server_runs_as_its_starter() -> None:
    """Any other user runs the server in person, in folders that are closed to everybody else."""
    nobody = Account(name="nobody", uid=65534, gid=65534)
    try:
        check_reachable(nobody, find_software())
    except FolderNotReachableError as err:
        pytest.skip(f"the virtual environment is in a private folder: {err.folder}")
    with folder_for_server() as folder:
        folder.mkdir()
        os.chown(folder, nobody.uid, nobody.gid)
        # The modules are loaded before: the interpreter may lie in a private folder as well.
        become_nobody = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        imports, rest = _STARTER.split("\n\n", 1)
        code = f"{imports}\n{become_nobody}{rest}"
        with _starter(folder, code=code) as process:
            owned, url = _greeting(process)
            assert owned == "True"
            for path in (folder / "postgres", folder / "postgres" / "data", _socket_folder(url)):
                assert path.stat().st_uid == nobody.uid
                assert path.stat().st_mode & 0o777 == 0o700
            assert _ask(url, "SELECT 1") == 1
            process.communicate()
        assert find_postmaster(folder / "postgres" / "data") is None


def _starter(folder: Path, *, code: str = _STARTER) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_REPOSITORY,
    )


def _greeting(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert process.stdout is not None
    owned, url = process.stdout.readline().split()
    return owned, url


def _server_pid(folder: Path) -> int:
    postmaster = find_postmaster(folder / "postgres" / "data")
    assert postmaster is not None
    return postmaster.pid


def _socket_folder(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def _ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _wait_until_gone(pid: int) -> None:
    give_up_at = time.monotonic() + 10
    while _command_of(pid):  # none: gone, or dead and not yet reaped
        assert time.monotonic() < give_up_at, f"process {pid} is still running"
        time.sleep(0.01)
