"""What is asked of a model, what it answers, and the usage row of every request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias


class Size(StrEnum):
    """Small for interpretation and repair, large for plans."""

    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Completion:
    """One request.

    Attributes:
        purpose: what the usage row calls it: "plan", "repair", "choose".
        size: which of the configured models to ask first.
        messages: the prompt; what changes least comes first, for the endpoint's cache.
        schema: the strict JSON schema of the answer.
        form: the same in words; put into the prompt where the endpoint refuses schemas.
        prompt_hash: the version of the prompt file.
        team_id: whose usage it is.
        goal_id: for which goal; None before there is one.
    """

    purpose: str
    size: Size
    messages: tuple[Message, ...]
    schema: dict[str, Any]
    form: str
    prompt_hash: str
    team_id: str
    goal_id: int | None


@dataclass(frozen=True, slots=True)
class Reply:
    """The text that came back, whatever it is, and the model that wrote it."""

    text: str
    model: str


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """One request as it was paid for; `outcome` is `ok` or why it failed."""

    team_id: str
    goal_id: int | None
    purpose: str
    model: str
    prompt_hash: str
    prompt_characters: int
    prompt_tokens: int
    completion_tokens: int
    duration_ms: int
    outcome: str


UsageSink: TypeAlias = Callable[[UsageRecord], Awaitable[None]]
