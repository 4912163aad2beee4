"""/metrics: figures for who knows the token, and for nobody else."""

import httpx2
import pytest
from starlette.applications import Starlette

from bot.telemetry.metrics import exposition
from bot.web.metrics import MetricsPage
from storage.database import Database
from storage.metrics import Figures, read_figures
from storage.queue import Priority

TOKEN = "a-long-random-text"


def client(database: Database, token: str | None) -> httpx2.AsyncClient:
    app = Starlette(routes=MetricsPage(database=database, token=token).routes())
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://countersign.test"
    )


@pytest.mark.parametrize(
    ("token", "given", "status"),
    [
        (None, "Bearer ", 404),
        ("", "Bearer ", 404),
        (TOKEN, "", 401),
        (TOKEN, "Bearer other", 401),
        (TOKEN, f"Bearer {TOKEN}", 200),
    ],
    ids=["not set", "empty", "none given", "wrong", "right"],
)
async def test_figures_are_for_who_knows_the_token(
    database: Database, token: str | None, given: str, status: int
) -> None:
    """Without a token in the settings the page does not exist."""
    async with client(database, token) as monitor:
        answer = await monitor.get("/metrics", headers={"authorization": given})
    assert answer.status_code == status
    assert ("countersign_" in answer.text) == (status == 200)


async def test_figures_say_how_the_engine_stands(database: Database) -> None:
    """Each figure follows the tables."""
    async with database.transaction() as tx:
        for number in range(3):
            await tx.defer("drive", priority=Priority.BACKGROUND, team_id="T1", goal_id=number)
        await tx.breakers.open(host="api.example.com", provider="example", for_s=60)
        await tx.handoffs.add(team_id="T1", goal_id=1, task_id=None, reference="abcd1234")
        await tx.audit.record(team_id="T1", tag="test:row:add", actor="system", data={})
    text = exposition(await read_figures(database))
    assert 'countersign_waiting_jobs{job="drive"} 3' in text
    assert 'countersign_open_breaker_seconds{host="api.example.com"} 0' in text
    assert "countersign_open_handoffs 1" in text
    assert "countersign_unsealed_audit_rows 1" in text


def test_figures_are_text_that_prometheus_reads() -> None:
    """Each has its meaning and kind above it; a label's value cannot end its quotes."""
    figures = Figures(
        open_goals={"running": 2},
        waiting_jobs={'odd"\\\n': 1},
        oldest_job_s=1.5,
        last_attempts={},
        held_steps=0,
        open_breakers={},
        cards_due=0,
        unsealed_audit_rows=0,
        open_handoffs=0,
    )
    lines = exposition(figures).splitlines()
    assert lines[:3] == [
        "# HELP countersign_open_goals Goals that have not ended.",
        "# TYPE countersign_open_goals gauge",
        'countersign_open_goals{status="running"} 2',
    ]
    assert r'countersign_waiting_jobs{job="odd\"\\\n"} 1' in lines
    assert "countersign_oldest_job_seconds 1.5" in lines
