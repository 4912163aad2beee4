"""The command line as an operator uses it, with the variables of .env.example and nothing else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bot.cli.stage import REPOSITORY
from tests.scenarios.world import World

pytestmark = pytest.mark.scenario

READY_S = 60.0


@pytest.fixture
def environment(world: World) -> Iterator[dict[str, str]]:
    """Return what an operator sets; the world's own bot rests meanwhile."""
    world.bot.stop()
    yield {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY),
        **world.stage.environment,
        "DATABASE_URL": world.database_url,
    }
    world.bot.start()


def test_serve_and_doctor_need_nothing_but_the_variables(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """`serve` gets ready, `doctor` finds nothing to mend, and SIGTERM ends it well."""
    command = [sys.executable, "-m", "bot.cli"]
    with (tmp_path / "serve.log").open("wb") as log:
        serving = subprocess.Popen(
            [*command, "serve"], env=environment, cwd=tmp_path, stdout=log, stderr=log
        )
    try:
        _wait_until_ready(environment["COUNTERSIGN_URL"], serving)
        doctor = subprocess.run(
            [*command, "doctor"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    finally:
        serving.send_signal(signal.SIGTERM)
        code = serving.wait(timeout=30)
    assert code == 0, (tmp_path / "serve.log").read_text()


def _wait_until_ready(url: str, serving: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        assert serving.poll() is None, "serve ended early"
        try:
            if httpx2.get(f"{url}/readyz", trust_env=False).is_success:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("serve did not get ready")
