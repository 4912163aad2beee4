"""Starts our commands without their second and a half of imports.

A command runs in a process of its own, forked from one that has imported everything already.
`python -m tests.scenarios.nursery` takes one JSON object a line and answers with one.
"""

import json
import os
import random
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import bot.cli.audit
import bot.cli.serve  # Imported, as the next one, so that a fork finds it.
import bot.planning.offline.planner  # noqa: F401 -- as above
from bot.cli.main import main
from bot.cli.stage import REPOSITORY

_POLL_S = 0.01


class Nursery:
    """The test's end: starts processes and reaps them.

    What it starts runs the code of `tree`, which wins over what is installed.
    """

    def __init__(self, tree: Path = REPOSITORY) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.nursery"],
            cwd=tree,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], log: Path, folder: Path
    ) -> int:
        """Start a command and return its process id."""
        return int(
            self._ask(
                arguments=list(arguments),
                environment=dict(environment),
                log=str(log),
                folder=str(folder),
            )
        )

    def wait(self, pid: int, *, timeout_s: float) -> int | None:
        """Return a process's exit code, negative for a signal; None if it runs still."""
        code = self._ask(wait_for=pid, timeout_s=timeout_s)
        return None if code is None else int(code)

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve_requests() -> None:
    """Answer requests until the test closes the pipe."""
    for line in sys.stdin:
        request = json.loads(line)
        if "wait_for" in request:
            answer = _reap(request["wait_for"], timeout_s=request["timeout_s"])
        else:
            answer = _fork(request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _become(request)
    return pid


def _become(request: dict[str, Any]) -> None:
    """Run the command in this process and end it."""
    code = 1
    try:
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        random.seed()
        main(args=request["arguments"], prog_name="countersign")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 -- as Python ends: the log says why, and nothing runs on
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _reap(pid: int, *, timeout_s: float) -> int | None:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_POLL_S)
    return None


if __name__ == "__main__":
    serve_requests()
