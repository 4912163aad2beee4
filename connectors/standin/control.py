from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.standin.faults import Fault, FaultBoard
from connectors.standin.gate import Gate
from connectors.standin.grants import GrantBook
from connectors.standin.store import Store
from connectors.standin.tokens import TokenDesk
from connectors.standin.vendor import RefusedError
from connectors.standin.webhooks import Webhooks

Body = TypeVar("Body", bound=BaseModel)


class RevokeGrants(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: str


class Subscription(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Control:
    """The stand-in's levers below `/_control`, for tests and the demo; no vendor has them.

    They ask for no password: the server listens on the loopback address only. Every POST must
    be `application/json`, which a web page cannot send here unasked (it would need CORS).
    """

    def __init__(
        self,
        *,
        store: Store,
        grants: GrantBook,
        desk: TokenDesk,
        gate: Gate,
        board: FaultBoard,
        webhooks: Webhooks,
        seed: Callable[[], None],
        snapshot: Callable[[], Mapping[str, object]],
    ) -> None:
        self._store = store
        self._grants = grants
        self._desk = desk
        self._gate = gate
        self._board = board
        self._webhooks = webhooks
        self._seed = seed
        self._snapshot = snapshot

    def routes(self) -> list[Route]:
        return [
            Route("/_control/faults", self.handle_fault_set, methods=["POST"]),
            Route("/_control/expire-tokens", self.handle_tokens_expired, methods=["POST"]),
            Route("/_control/revoke-grants", self.handle_grants_revoked, methods=["POST"]),
            Route("/_control/reset", self.handle_reset, methods=["POST"]),
            Route("/_control/webhooks", self.handle_subscribed, methods=["POST"]),
            Route("/_control/state", self.handle_state_asked, methods=["GET"]),
            Route("/_control/log", self.handle_log_asked, methods=["GET"]),
        ]

    async def handle_fault_set(self, request: Request) -> Response:
        self._board.set_(await _read(request, Fault))
        return JSONResponse({"faults": [f.model_dump(mode="json") for f in self._board.list_()]})

    async def handle_tokens_expired(self, request: Request) -> Response:
        await _read(request, Nothing)
        return JSONResponse({"expired": self._grants.expire_all()})

    async def handle_grants_revoked(self, request: Request) -> Response:
        wanted = await _read(request, RevokeGrants)
        return JSONResponse({"revoked": self._desk.revoke_account(wanted.email)})

    async def handle_reset(self, request: Request) -> Response:
        """Forget everything, tokens included, and begin again with the seeds."""
        await _read(request, Nothing)
        with self._store.transaction():
            self._store.wipe()
            self._seed()
        self._board.clear()
        self._gate.reset()
        return JSONResponse({})

    async def handle_subscribed(self, request: Request) -> Response:
        """Send webhooks to an address, as an app's settings at the vendor would say."""
        self._webhooks.subscribe((await _read(request, Subscription)).url)
        return JSONResponse({})

    async def handle_state_asked(self, _request: Request) -> Response:
        return JSONResponse({**self._snapshot(), "tokens": self._grants.tally()})

    async def handle_log_asked(self, _request: Request) -> Response:
        return JSONResponse({"requests": self._store.list_requests()})


async def _read(request: Request, model: type[Body]) -> Body:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind != "application/json":
        raise RefusedError(415, {"message": "Send application/json."})
    try:
        return model.model_validate_json(await request.body() or b"{}")
    except ValidationError as err:
        raise RefusedError(400, {"message": str(err)}) from err
