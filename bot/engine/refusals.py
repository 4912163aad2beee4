"""Refusals: what of a call was not accepted, as far as anybody knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.errors import ConnectorError, RejectedError


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that was refused for what it says, before anything was done.

    Attributes:
        message: why, in a sentence.
        fields: the arguments that were refused, by our names; empty where nobody knows.
        allowed: argument → values that would be accepted, where the provider says so.
    """

    message: str
    fields: tuple[str, ...]
    allowed: Mapping[str, Sequence[str]]
    step: str = ""
    """The key of the finished read whose words found nothing; "" for the refused step itself."""


def refusal_of(error: ConnectorError) -> Refusal | None:
    """Return what a provider or a connector refused; None where the error is no refusal."""
    if not isinstance(error, RejectedError):
        return None
    return Refusal(error.message, error.fields, error.allowed)
