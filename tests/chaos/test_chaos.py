"""A slice of the chaos suite; `make chaos` plays all of it."""

import subprocess
import sys

import pytest

from bot.cli.stage import REPOSITORY

pytestmark = [pytest.mark.scenario, pytest.mark.long, pytest.mark.timeout(180)]


def chaos(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.chaos", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_killed_workers_do_everything_once() -> None:
    """Whatever dies whenever: no effect twice, none lost, every goal ends."""
    played = chaos(
        "--goals=40", "--backlog=20", "--chaos-s=20", "--limit-s=150", "--restarts=1", "--freezes=1"
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert "doubled    0\nlost       0" in played.stdout


def test_workers_that_do_not_look_double_effects() -> None:
    """The suite can fail: repeating blindly what a dead process began is found out."""
    played = chaos(
        "--goals=30",
        "--backlog=20",
        "--chaos-s=30",
        "--limit-s=120",
        "--restarts=0",
        "--freezes=0",
        "--blind",
    )
    assert played.returncode == 1, played.stdout + played.stderr
    assert "took effect 2 times" in played.stdout
