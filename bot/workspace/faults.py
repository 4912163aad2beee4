"""Failures on demand, for tests of what the bot does then."""

from dataclasses import asdict, dataclass, fields

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.workspace.errors import RefusedError
from bot.workspace.shapes import JsonObject

DROP_HEADER = b"x-workspace-drop"


@dataclass(slots=True)
class Faults:
    """How many of the coming calls fail, and how.

    `drop_reply_after_post`: `chat.postMessage` takes effect, the connection closes unanswered.
    `drop_reply_after_update`: the same for `chat.update`.
    `internal_error`: any Web API call answers 500 and takes no effect.
    `ratelimited`: what writes messages or looks for people answers 429, Retry-After 1.
    `duplicate_events`: events are delivered twice.
    """

    drop_reply_after_post: int = 0
    drop_reply_after_update: int = 0
    internal_error: int = 0
    ratelimited: int = 0
    duplicate_events: int = 0

    def set(self, wanted: JsonObject) -> JsonObject:
        """Set the named counts and return all.

        Raises:
            RefusedError: A name is unknown or a count is no whole number.
        """
        known = {field.name for field in fields(self)}
        for name, count in wanted.items():
            if name not in known or not isinstance(count, int) or count < 0:
                raise RefusedError(
                    "invalid_arguments", messages=[f"unknown fault or count: {name}"]
                )
            setattr(self, name, count)
        return asdict(self)

    def take(self, name: str) -> bool:
        """Tell whether this call fails in the named way, and count it."""
        left = int(getattr(self, name))
        if left <= 0:
            return False
        setattr(self, name, left - 1)
        return True

    def clear(self) -> None:
        """Let everything succeed again."""
        for field in fields(self):
            setattr(self, field.name, 0)


class DropReplies:
    """Closes the connection in place of sending a reply that is marked to be dropped.

    ASGI has no word for it. Under uvicorn the request's `receive` belongs to the object that also
    holds the transport, which is aborted; under any other server the reply just never comes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through but a marked reply."""
        dropped = False

        async def forward(message: Message) -> None:
            nonlocal dropped
            headers = message.get("headers", [])
            if message["type"] == "http.response.start" and (DROP_HEADER, b"1") in headers:
                dropped = True
                transport = getattr(getattr(receive, "__self__", None), "transport", None)
                if transport is not None:
                    transport.abort()
            if not dropped:
                await send(message)

        await self._app(scope, receive, forward)
        while dropped and (await receive())["type"] != "http.disconnect":
            continue
