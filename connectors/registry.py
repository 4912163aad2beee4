"""The registry: every action that can run, by name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.actions import Action, Effect, Idempotency
from connectors.errors import UnknownActionError
from connectors.events import Event, Stream, Webhook
from connectors.manifest import Manifest
from connectors.removed import removed_action


class DeclarationError(Exception):
    """An action is declared without something the gate needs; mend its declaration."""


@dataclass(frozen=True, slots=True)
class Connector:
    """A provider: its manifest (None for the built-ins), its actions, what can be waited for."""

    name: str
    title: str
    manifest: Manifest | None
    actions: tuple[Action, ...]
    events: tuple[Event, ...] = ()
    streams: tuple[Stream, ...] = ()
    webhook: Webhook | None = None
    """How its webhooks are verified and read; None where there are none."""

    def stream(self, name: str) -> Stream:
        """Return a stream by name; registration made sure that every event's exists."""
        return next(stream for stream in self.streams if stream.name == name)

    def find_stream(self, name: str) -> Stream | None:
        """Return the stream that a stored row names; None where an upgrade removed it."""
        return next((stream for stream in self.streams if stream.name == name), None)


class Registry:
    """Finds actions and connectors by name; refuses incomplete declarations when it is built."""

    def __init__(self, connectors: Iterable[Connector]) -> None:
        self._connectors = {connector.name: connector for connector in connectors}
        self._actions: dict[str, Action] = {}
        self._events: dict[str, Event] = {}
        for connector in self._connectors.values():
            for action in connector.actions:
                check_declaration(connector, action)
                if action.name in self._actions:
                    message = f"two connectors declare {action.name}"
                    raise DeclarationError(message)
                self._actions[action.name] = action
            for event in connector.events:
                check_event(connector, event)
                if event.name in self._events:
                    message = f"two connectors declare the event {event.name}"
                    raise DeclarationError(message)
                self._events[event.name] = event

    def action(self, name: str) -> Action:
        """Return the action called `create_deal` or `hubspot.create_deal`.

        Raises:
            UnknownActionError: when nobody declares it.
        """
        connector, _, short = name.rpartition(".")
        action = self._actions.get(short)
        if action is None or connector not in ("", action.connector):
            message = f"Countersign has no action called {name}."
            raise UnknownActionError(message)
        return action

    def stored_action(self, name: str) -> Action:
        """Return the action that a stored task names; a stand-in where an upgrade removed it."""
        try:
            return self.action(name)
        except UnknownActionError:
            return removed_action(name)

    def stored_connector(self, name: str) -> Connector:
        """Return the connector that a stored row names; a bare name where it was removed."""
        known = self._connectors.get(name)
        return known or Connector(name, name.replace("_", " ").capitalize(), None, ())

    def connector(self, name: str) -> Connector:
        """Return a connector by name.

        Raises:
            UnknownActionError: when there is none of that name.
        """
        try:
            return self._connectors[name]
        except KeyError as error:
            message = f"Countersign has no connector called {name}."
            raise UnknownActionError(message) from error

    def providers(self) -> tuple[Connector, ...]:
        """Return the connectors that a person can connect to."""
        return tuple(item for item in self._connectors.values() if item.manifest is not None)

    def events(self) -> tuple[Event, ...]:
        """Return what can be waited for."""
        return tuple(self._events.values())

    def find_event(self, name: str) -> Event | None:
        """Return the event called `deal_reaches_stage`; None when nobody declares it."""
        return self._events.get(name)

    def __iter__(self) -> Iterator[Action]:
        return iter(self._actions.values())


def check_declaration(connector: Connector, action: Action) -> None:
    """Refuse an action that lacks what its kind needs.

    Raises:
        DeclarationError: names the action and what is missing.
    """
    entry = connector.manifest.actions.get(action.name) if connector.manifest else None
    effects = set(entry.effects) if entry else set()
    writes = action.idempotency is not Idempotency.READ
    problems = [
        (action.connector != connector.name, "names another connector"),
        (connector.manifest is not None and entry is None, "is missing in the manifest"),
        (
            action.idempotency is Idempotency.VERIFIABLE and action.verify is None,
            "is verifiable without verify",
        ),
        (writes and Effect.READ in effects, "writes, but its manifest says read"),
        (
            writes and bool(effects & {Effect.OWN, Effect.SHARED}) and action.undo is None,
            "is reversible without undo",
        ),
        (
            action.undo_within_s is not None and (action.undo is None or action.undo_within_s <= 0),
            "has a window for an undo that it has not",
        ),
    ]
    for failed, what in problems:
        if failed:
            message = f"{connector.name}.{action.name} {what}"
            raise DeclarationError(message)


def check_event(connector: Connector, event: Event) -> None:
    """Refuse an event that nothing could hint at, or whose scopes nobody explains.

    Raises:
        DeclarationError: names the event and what is missing.
    """
    streams = {stream.name: stream for stream in connector.streams}
    manifest = connector.manifest
    known = {*manifest.scopes, *manifest.oauth.base_scopes} if manifest else set()
    stream = streams.get(event.stream)
    needed = event.scopes | (stream.scopes if stream else frozenset())
    problems = [
        (event.connector != connector.name, "names another connector"),
        (not event.subject.startswith(f"{connector.name}."), "is about another connector's ids"),
        (stream is None, f"names no stream of its connector: {event.stream}"),
        (manifest is None, "belongs to a connector without a manifest"),
        (not needed <= known, "needs a scope that its manifest does not explain"),
    ]
    for failed, what in problems:
        if failed:
            message = f"{connector.name}'s event {event.name} {what}"
            raise DeclarationError(message)
