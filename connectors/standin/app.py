from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from connectors.standin.authorize import Authorizer
from connectors.standin.config import StandinConfig
from connectors.standin.control import Control
from connectors.standin.faults import FaultBoard, FaultMiddleware
from connectors.standin.gate import Gate
from connectors.standin.grants import GrantBook
from connectors.standin.oauth import OAuthRoutes
from connectors.standin.pages import Pages
from connectors.standin.store import Store
from connectors.standin.tokens import TokenDesk
from connectors.standin.vendor import Refusal, RefusedError, Vendor, answer_refused
from connectors.standin.webhooks import Webhooks

MAX_BODY_BYTES = 2_000_000
"""More than any request that a connector sends; a longer body is refused with 413."""


class Service(Protocol):
    """A vendor's own API, as the shared base mounts it."""

    def routes(self) -> list[BaseRoute]: ...

    def seed(self) -> None:
        """Put the demo's data into an empty store."""

    def snapshot(self) -> Mapping[str, object]:
        """Return everything stored, for the control API."""


@dataclass(frozen=True, slots=True)
class Base:
    """The shared parts that a vendor's service is built on."""

    config: StandinConfig
    vendor: Vendor
    store: Store
    desk: TokenDesk
    gate: Gate
    pages: Pages
    webhooks: Webhooks


class StandinApp(Starlette):
    """A Starlette app with the faults around everything else; serve it with uvicorn, on top."""

    wrap: Callable[[ASGIApp], ASGIApp]

    def build_middleware_stack(self) -> ASGIApp:
        return self.wrap(super().build_middleware_stack())


def build_app(
    config: StandinConfig, vendor: Vendor, *, make_service: Callable[[Base], Service]
) -> Starlette:
    """Return the whole stand-in; its data is opened now, seeded if new, and closed at shutdown."""
    store = Store(config.data_dir / f"{vendor.slug}-standin.sqlite3")
    grants = GrantBook(store, slug=vendor.slug, access_ttl_s=config.access_token_ttl_s)
    desk = TokenDesk(config, vendor, grants=grants)
    gate = Gate(config, vendor, desk=desk)
    pages = Pages(config, vendor)
    webhooks = Webhooks(store)
    service = make_service(Base(config, vendor, store, desk, gate, pages, webhooks))
    seed = _seeder(store, service)
    seed()
    board = FaultBoard()
    authorizer = Authorizer(config, vendor, store=store, grants=grants)
    oauth = OAuthRoutes(vendor, authorizer=authorizer, desk=desk, pages=pages)
    control = Control(
        store=store,
        grants=grants,
        desk=desk,
        gate=gate,
        board=board,
        webhooks=webhooks,
        seed=seed,
        snapshot=service.snapshot,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            store.close()

    app = StandinApp(
        routes=[*oauth.routes(), *control.routes(), *service.routes()],
        exception_handlers={
            RefusedError: answer_refused,
            HTTPException: _http_errors_of(vendor),
        },
        lifespan=lifespan,
        max_body_size=MAX_BODY_BYTES,
    )
    app.wrap = lambda inner: FaultMiddleware(inner, board=board, store=store, vendor=vendor)
    return app


def _seeder(store: Store, service: Service) -> Callable[[], None]:
    def seed() -> None:
        with store.transaction():
            if store.read("standin", "seeded") is None:
                service.seed()
                store.write("standin", "seeded", "{}", lag_s=0, is_old=True)

    return seed


def _http_errors_of(vendor: Vendor) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "registered for this class"
        why = {404: Refusal.NOT_FOUND, 405: Refusal.METHOD_NOT_ALLOWED}.get(error.status_code)
        if why is None:
            return Response(error.detail, status_code=error.status_code, headers=error.headers)
        return answer_refused(request, vendor.refusal(why))

    return answer
