"""What the workspace refuses, and under which name."""

from collections.abc import Sequence

from bot.workspace.shapes import JsonObject


class WorkspaceError(Exception):
    """The root of the errors of the local workspace."""


class RefusedError(WorkspaceError):
    """The Web API or the control API refuses a call; `code` is Slack's name for the reason."""

    def __init__(
        self, code: str, *, messages: Sequence[str] = (), extra: JsonObject | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.messages = tuple(messages)
        self.extra = extra or {}

    def body(self) -> JsonObject:
        """Return the JSON answer that Slack gives with this refusal."""
        answer: JsonObject = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            answer["response_metadata"] = {"messages": list(self.messages)}
        return answer


class RateLimitedError(WorkspaceError):
    """The caller must wait `retry_after_s` seconds before this call may succeed."""

    def __init__(self, *, retry_after_s: int) -> None:
        super().__init__(f"Wait {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class ConfigError(WorkspaceError):
    """The manifest or the workspace's configuration cannot be used; the message says why."""
