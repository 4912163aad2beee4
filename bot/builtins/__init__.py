"""Actions of Countersign itself: no provider, no connection, nothing leaves the process."""

from bot.builtins.answer import ANSWER
from connectors.registry import Connector

BUILTINS = Connector(name="builtin", title="Countersign", manifest=None, actions=(ANSWER,))

__all__ = ["BUILTINS"]
