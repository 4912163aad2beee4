"""One call of the control API: who acts, where, with what."""

from dataclasses import dataclass

from bot.workspace.config import Person
from bot.workspace.core import Workspace
from bot.workspace.errors import RefusedError
from bot.workspace.inputs import Typed
from bot.workspace.shapes import JsonObject
from bot.workspace.store import Conversation


@dataclass(frozen=True, slots=True)
class Deed:
    """The JSON body of a control call, with getters that refuse what is missing."""

    workspace: Workspace
    body: JsonObject

    @property
    def person(self) -> Person:
        """Return who acts (`as`)."""
        person = self.workspace.person(self.required("as"))
        if person.deleted or person.is_bot:
            raise RefusedError("user_not_found")
        return person

    @property
    def conversation(self) -> Conversation:
        """Return where it happens: `channel` (an id, a name, `dm:U…`), or with `dm` true the DM.

        The person must be in it.
        """
        conversation = self.place
        if self.person.id not in conversation.members:
            raise RefusedError("not_in_channel")
        return conversation

    @property
    def place(self) -> Conversation:
        """Return the same without asking whether the person is in it."""
        if self.body.get("dm"):
            return self.workspace.conversation(self.person.id)
        return self.workspace.conversation(self.required("channel").removeprefix("dm:"))

    def required(self, name: str) -> str:
        """Return a string that must be there."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise RefusedError("invalid_arguments", messages=[f"missing required field: {name}"])
        return value

    def optional(self, name: str) -> str | None:
        """Return a string or None."""
        return None if self.body.get(name) is None else str(self.body[name])

    def typed(self, name: str) -> Typed:
        """Return values by block id and action id."""
        value = self.body.get(name) or {}
        if not isinstance(value, dict) or not all(isinstance(v, dict) for v in value.values()):
            raise RefusedError("invalid_arguments", messages=[f"{name} must be nested objects"])
        return value
