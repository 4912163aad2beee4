"""Health, headers and errors of the web app."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import psycopg
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.engine.card_queries import CardQueries
from bot.web.app import build_web
from storage.database import Database
from storage.migrate import upgrade
from tests.bot.web.conftest import URL, Site
from tests.storage.empty import empty_url

__all__ = ["empty_url"]


async def _fail(_request: Request) -> Response:
    message = "canary-words of somebody"
    raise RuntimeError(message)


@asynccontextmanager
async def _client(database_url: str, cards: CardQueries) -> AsyncIterator[httpx2.AsyncClient]:
    database = Database(database_url)
    app = build_web(database=database, cards=cards, routes=[Route("/fail", _fail)])
    transport = httpx2.ASGITransport(app=app)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url=URL, trust_env=False) as client:
            yield client
    finally:
        await database.close()


async def test_process_that_lives_is_healthy(site: Site) -> None:
    """/healthz looks at nothing but the process."""
    reply = await site.client.get("/healthz")

    assert (reply.status_code, reply.text) == (200, "ok")


async def test_database_that_was_never_migrated_is_not_ready(
    empty_url: str, cards: CardQueries
) -> None:
    """Readiness names the part that is missing, and what to do."""
    async with _client(empty_url, cards) as client:
        reply = await client.get("/readyz")

    assert reply.status_code == 503
    assert reply.json() == {
        "database": "ok",
        "migrations": "run countersign migrate",
        "worker": "not known",
    }


@pytest.mark.parametrize(
    ("heartbeat", "status", "word"),
    [
        pytest.param(None, 503, "none has ever run", id="no worker"),
        pytest.param("now()", 200, "ok", id="worker that lives"),
        pytest.param("now() - interval '90 s'", 503, "silent for 90 s", id="worker that died"),
    ],
)
async def test_readiness_follows_the_workers_heartbeat(
    empty_url: str, cards: CardQueries, heartbeat: str | None, status: int, word: str
) -> None:
    """Without a living worker no goal goes on."""
    await asyncio.to_thread(upgrade, empty_url)
    if heartbeat is not None:
        async with await psycopg.AsyncConnection.connect(empty_url) as connection:
            insert = f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES ({heartbeat})"  # noqa: S608 -- from the table above
            await connection.execute(insert.encode())

    async with _client(empty_url, cards) as client:
        reply = await client.get("/readyz")

    assert (reply.status_code, reply.json()["worker"]) == (status, word)


async def test_database_that_is_away_is_not_ready(cards: CardQueries) -> None:
    """A lost database is a 503 with a sentence, not an error page."""
    async with _client("postgresql://u:canary@127.0.0.1:9/x", cards) as client:
        reply = await client.get("/readyz")

    assert reply.status_code == 503
    assert reply.json()["database"] == "does not answer"
    assert "canary" not in reply.text


async def test_unknown_address_is_a_calm_page(site: Site) -> None:
    """A mistyped address is answered with a sentence, and the strict headers."""
    page = await site.client.get("/nowhere")

    assert page.status_code == 404
    assert "There is nothing here" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_wrong_method_is_refused(site: Site) -> None:
    """POST to a page that only shows is a 405, not a 500 (S33)."""
    reply = await site.client.post("/healthz")

    assert reply.status_code == 405
    assert "GET" in reply.headers["allow"]


async def test_unexpected_error_is_a_calm_page_with_a_reference(
    database_url: str, cards: CardQueries
) -> None:
    """The person reads a reference, never the error (S35)."""
    async with _client(database_url, cards) as client:
        page = await client.get("/fail")

    assert page.status_code == 500
    assert "Reference: <code>" in page.text
    assert "canary" not in page.text
    assert "RuntimeError" not in page.text


@pytest.mark.parametrize("path", ["/static/web.css", "/static/favicon.svg"])
async def test_static_files_come_from_us(site: Site, path: str) -> None:
    """Pages need nothing from anywhere else."""
    assert (await site.client.get(path)).status_code == 200
