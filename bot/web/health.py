"""/healthz and /readyz: for load balancers, monitors and people in a hurry."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from storage.database import Database
from storage.health import Health, read_health

TIMEOUT_S = 2.0
WORKER_SILENT_S = 30.0
"""Three missed heartbeats of Procrastinate's ten seconds: the worker counts as gone."""

_UNAVAILABLE = 503


class HealthPages:
    """Tells whether the process lives, and whether it can do its work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def routes(self) -> list[Route]:
        """Return the routes to mount."""
        return [
            Route("/healthz", self.show_alive, methods=["GET"]),
            Route("/readyz", self.show_ready, methods=["GET"]),
        ]

    async def show_alive(self, _request: Request) -> Response:
        """Answer 200 as long as the process serves; it looks at nothing else."""
        return PlainTextResponse("ok")

    async def show_ready(self, _request: Request) -> Response:
        """Answer 200 when goals can go on, otherwise 503 and which part is missing."""
        found = words(await read_health(self._database, timeout_s=TIMEOUT_S))
        is_ready = all(word == "ok" for word in found.values())
        return JSONResponse(found, status_code=200 if is_ready else _UNAVAILABLE)


def words(health: Health) -> dict[str, str]:
    """Return each part and how it is, without anything about where it runs."""
    if not health.answers:
        return {"database": "does not answer", "migrations": "not known", "worker": "not known"}
    if not health.is_current:
        return {"database": "ok", "migrations": "run countersign migrate", "worker": "not known"}
    if health.worker_seen_s is None:
        worker = "none has ever run"
    else:
        is_alive = health.worker_seen_s < WORKER_SILENT_S
        worker = "ok" if is_alive else f"silent for {health.worker_seen_s:.0f} s"
    return {
        "database": "its disk is full" if health.is_full else "ok",
        "migrations": "ok",
        "worker": worker,
    }
