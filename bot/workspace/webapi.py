"""The Web API's front: who calls, may they, how often; then the method.

Source: https://docs.slack.dev/apis/web-api (arguments, `ok`, `error`, 429 with Retry-After) and
https://docs.slack.dev/authentication/installing-with-oauth (the scope headers).
"""

import secrets
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.workspace import webapi_auth, webapi_chat, webapi_conversations, webapi_users, webapi_views
from bot.workspace.core import Workspace
from bot.workspace.errors import RateLimitedError, RefusedError
from bot.workspace.faults import DROP_HEADER
from bot.workspace.shapes import JsonObject, encode
from bot.workspace.webapi_call import Call, Method, read_arguments

METHODS: dict[str, Method] = {
    **webapi_auth.METHODS,
    **webapi_chat.METHODS,
    **webapi_conversations.METHODS,
    **webapi_users.METHODS,
    **webapi_views.METHODS,
}
_DROPPED = {
    "chat.postMessage": "drop_reply_after_post",
    "chat.update": "drop_reply_after_update",
}
_LIMITED = frozenset({*_DROPPED, "users.lookupByEmail", "users.list"})


class WebApi:
    """Answers `/api/<method>`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def routes(self) -> list[Route]:
        """Return the routes to mount."""
        return [Route("/api/{method}", self.answer, methods=["GET", "POST"])]

    async def answer(self, request: Request) -> Response:
        """Answer one call and note it in the journal; refusals are 200 with `ok` false."""
        started = time.perf_counter()
        name = request.path_params["method"]
        arguments: JsonObject = {}
        try:
            arguments = await read_arguments(request)
            body = {"ok": True, **await self._perform(request, name, arguments)}
            response = JSONResponse(body, headers=self._headers(name))
        except RefusedError as refusal:
            body = refusal.body()
            status = 500 if refusal.code == "internal_error" else 200
            response = JSONResponse(body, status_code=status, headers=self._headers(name))
        except RateLimitedError as limit:
            body = {"ok": False, "error": "ratelimited"}
            headers = {**self._headers(name), "Retry-After": str(limit.retry_after_s)}
            response = JSONResponse(body, status_code=429, headers=headers)
        if body["ok"] and name in _DROPPED and self._workspace.faults.take(_DROPPED[name]):
            response.headers[DROP_HEADER.decode()] = "1"
        self._workspace.journal.note(
            kind="api",
            name=name,
            status=response.status_code,
            started=started,
            error=body.get("error"),
            url=request.url.path,
            body=encode({k: v for k, v in arguments.items() if k != "token"}),
        )
        return response

    async def _perform(self, request: Request, name: str, arguments: JsonObject) -> JsonObject:
        method = METHODS.get(name)
        if method is None:
            raise RefusedError("unknown_method", extra={"req_method": name})
        self._authenticate(request, arguments)
        call = Call(self._workspace, arguments)
        self._check_scope(method, call)
        self._inject(name)
        if method.per_minute and self._workspace.config.method_limits:
            per_s = method.per_minute / 60
            self._workspace.limiter.take(name, burst=method.per_minute, per_s=per_s)
        return await method.handler(call)

    def _authenticate(self, request: Request, arguments: JsonObject) -> None:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else str(arguments.get("token", ""))
        if not token:
            raise RefusedError("not_authed")
        if not secrets.compare_digest(token.encode(), self._workspace.config.bot_token.encode()):
            raise RefusedError("invalid_auth")

    def _check_scope(self, method: Method, call: Call) -> None:
        needed = method.scope if isinstance(method.scope, str) else method.scope(call)
        granted = self._workspace.config.scopes
        if needed and needed not in granted:
            extra = {"needed": needed, "provided": ",".join(sorted(granted))}
            raise RefusedError("missing_scope", extra=extra)

    def _inject(self, name: str) -> None:
        faults = self._workspace.faults
        if faults.take("internal_error"):
            raise RefusedError("internal_error")
        if name in _LIMITED and faults.take("ratelimited"):
            raise RateLimitedError(retry_after_s=1)

    def _headers(self, name: str) -> dict[str, str]:
        method = METHODS.get(name)
        accepted = method.scope if method and isinstance(method.scope, str) else ""
        return {
            "x-oauth-scopes": ",".join(sorted(self._workspace.config.scopes)),
            "x-accepted-oauth-scopes": accepted,
            "x-slack-req-id": secrets.token_hex(16),
        }
