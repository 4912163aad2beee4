"""What every connector guarantees, tried against its stand-in over HTTP.

A connector inherits `ConnectorContract` in its own tests, names its connector and its writes,
and says how a person changes a record by hand. It edits nothing here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

from connectors.actions import (
    Action,
    Effect,
    Idempotency,
    Lookup,
    Out,
    PreviewContext,
    UndoCall,
)
from connectors.errors import (
    OutcomeUnknownError,
    ReconnectRequiredError,
    RejectedError,
    RetryLaterError,
)
from connectors.events import Changes, ChannelWanted, Hint, Sought, Stream
from connectors.fields import argument_at, result_at
from connectors.registry import Connector, Registry
from tests.connectors.receiver import Receiver, serve_app
from tests.connectors.stage import Frozen, Stage, open_stage
from tests.connectors.standins import CLIENT_SECRET, Running

BERLIN = ZoneInfo("Europe/Berlin")
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Write:
    """One write to try.

    Attributes:
        action: its name.
        arguments: the arguments, or a function that first makes the record that they name.
        effect: what these arguments must be declared as.
        undoes: False where nothing takes this effect back.
        id: the name of the case.
    """

    action: str
    arguments: Json | Callable[[Stage], Awaitable[Json]]
    effect: Effect
    undoes: bool = True
    id: str = field(default="")

    def __str__(self) -> str:
        return self.id or self.action


class ConnectorContract:
    """Inherit it, and give the class attributes and the abstract methods."""

    connector: ClassVar[Connector]
    writes: ClassVar[tuple[Write, ...]]
    scopes: ClassVar[tuple[str, ...]]
    """Enough for every action."""
    weak_scope: ClassVar[str]
    """A scope of the provider that allows none of the writes."""

    @pytest.fixture
    def standin(self) -> Running:
        raise NotImplementedError

    def visible(self, state: Json) -> Any:
        """Return what people can see of the stand-in's state: no versions, no time stamps."""
        raise NotImplementedError

    async def something_awaited(self, stage: Stage) -> Any:
        """Make a record that events are about, and return the result."""
        raise NotImplementedError

    async def edit_by_hand(self, stage: Stage, result: Any) -> None:
        """Change the record of a result as a person would at the provider."""
        raise NotImplementedError

    @pytest.fixture
    async def stage(self, standin: Running) -> AsyncIterator[Stage]:
        assert self.connector.manifest is not None
        async with open_stage(standin, self.connector.manifest, *self.scopes) as stage:
            yield stage

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "write" in metafunc.fixturenames:
            metafunc.parametrize("write", metafunc.cls.writes, ids=str)

    def action(self, name: str) -> Action:
        return Registry([self.connector]).action(name)

    async def frozen(self, stage: Stage, write: Write) -> Frozen:
        arguments = write.arguments
        if callable(arguments):
            arguments = await arguments(stage)
        return await stage.freeze(self.action(write.action), arguments)

    async def state(self, stage: Stage) -> Any:
        return self.visible(await stage.standin.look("state"))

    def undo_of(self, call: Frozen, result: Any) -> UndoCall | None:
        assert call.action.undo is not None
        return call.action.undo(call.arguments, result, call.run.precondition)

    # Declarations

    def test_manifest_and_code_name_the_same_actions(self) -> None:
        """The manifest lists every action of the code and no other."""
        manifest = self.connector.manifest
        assert manifest is not None
        assert set(manifest.actions) == {action.name for action in self.connector.actions}
        assert manifest.name == self.connector.name

    def test_every_scope_has_plain_words(self) -> None:
        """The connect page can say what each scope allows."""
        manifest = self.connector.manifest
        assert manifest is not None
        used = {scope for entry in manifest.actions.values() for scope in entry.scopes}
        assert used | set(manifest.oauth.base_scopes) <= set(manifest.scopes)

    def test_every_unfinished_quality_has_a_reason(self) -> None:
        """The quality list says why something is left out."""
        manifest = self.connector.manifest
        assert manifest is not None
        for quality in manifest.quality.values():
            assert quality.status in ("done", "todo", "exempt")
            assert quality.reason or quality.status == "done"

    def test_every_argument_and_result_field_is_declared(self) -> None:
        """Every argument has a title, and every leaf of a result a label (S3)."""  # S3
        for action in self.connector.actions:
            for name in action.arguments.model_fields:
                assert argument_at(action.arguments, [name]), f"{action.name}: {name}"
            for path in _paths(action.result):
                assert isinstance(result_at(action.result, path), Out), f"{action.name}: {path}"

    def test_examples_fill_only_declared_arguments(self) -> None:
        """A phrasing fills arguments that exist, from placeholders that it declares."""
        for action in self.connector.actions:
            for example in action.examples:
                assert set(example.fills) <= set(action.arguments.model_fields)
                for fill in example.fills.values():
                    if isinstance(fill, Lookup):
                        looked = self.action(fill.action)
                        assert looked.idempotency is Idempotency.READ
                        assert set(fill.arguments) <= set(looked.arguments.model_fields)
                        assert result_at(looked.result, fill.path), f"{action.name}: {fill.path}"

    def test_every_planned_write_shows_an_example(self) -> None:
        """People are shown one sentence for each thing they can ask for."""
        for action in self.connector.actions:
            if action.planned and action.idempotency is not Idempotency.READ:
                assert any(example.shown for example in action.examples), action.name

    async def test_effect_and_scopes_are_within_the_manifest(
        self, stage: Stage, write: Write
    ) -> None:
        """The effect follows from the arguments, and the manifest is its upper bound."""  # S27
        manifest = self.connector.manifest
        assert manifest is not None
        call = await self.frozen(stage, write)
        entry = manifest.actions[write.action]
        assert call.action.effect(call.arguments) is write.effect
        assert write.effect in entry.effects
        assert call.action.scopes(call.arguments) <= set(entry.scopes)

    # Events

    def test_every_event_is_declared_whole(self) -> None:
        """Registration accepts it: its stream exists, and its scopes have plain words."""  # S27
        assert set(Registry([self.connector]).events()) == set(self.connector.events)
        for event in self.connector.events:
            words = event.words("some value" if event.value else None)
            assert words
            assert words[0].islower()
            assert "\n" not in words

    async def test_stream_names_what_changed_since_its_cursor(self, stage: Stage) -> None:
        """The first poll says where "from now on" begins; a change by hand is hinted at."""
        for stream in self.connector.streams:
            result = await self.something_awaited(stage)
            first = await stream.poll(stage.context, None)
            assert first.subjects == frozenset()
            await self.edit_by_hand(stage, result)
            second = await self._until_hinted(stage, stream, first, result.id)
            assert second.cursor

    async def _until_hinted(
        self, stage: Stage, stream: Stream, seen: Changes, subject: str
    ) -> Changes:
        """Poll until a change is seen: a search index may lag behind by a moment."""
        async with asyncio.timeout(5):
            while True:
                seen = await stream.poll(stage.context, seen.cursor)
                if seen.subjects is None or subject in seen.subjects:
                    return seen
                await asyncio.sleep(0.05)

    async def test_channel_tells_of_changes_until_it_is_closed(self, stage: Stage) -> None:
        """A genuine delivery names its channel; after closing nothing more comes on it."""  # S32
        read = self.connector.webhook
        for stream in self.connector.streams:
            if stream.watch is None or stream.unwatch is None:
                continue
            assert read is not None
            told: list[Hint] = []
            receiver = Receiver()
            with serve_app(receiver.app()) as url:
                for name in ("first-channel-of-two", "second-channel-of-two"):
                    wanted = ChannelWanted(name, f"{url}/in", CLIENT_SECRET)
                    result = await self.something_awaited(stage)
                    channel = await stream.watch(stage.context, wanted)
                    before = len(receiver.tries)
                    await self.edit_by_hand(stage, result)
                    await receiver.until(
                        lambda tries, name=name: any(  # type: ignore[misc]
                            hint.channel == name
                            for one in tries
                            for hint in read(one, CLIENT_SECRET)
                        )
                    )
                    await stream.unwatch(stage.context, channel.handle)
                    told = [h for one in receiver.tries[before:] for h in read(one, CLIENT_SECRET)]
                    assert {hint.channel for hint in told} <= {None, name}
            assert len({hint.delivery for hint in told}) == len(told)

    async def test_change_is_seen_by_a_look_and_by_no_other_look(self, stage: Stage) -> None:
        """Where nothing happened a look says so, however often; after a change it happened."""
        changes = [event for event in self.connector.events if event.name.endswith("_changes")]
        for event in changes:
            result = await self.something_awaited(stage)
            first = await event.check(stage.context, Sought(result.id, None, None))
            again = await event.check(stage.context, Sought(result.id, None, first.cursor))
            assert not first.happened
            assert not again.happened
            await self.edit_by_hand(stage, result)
            seen = await event.check(stage.context, Sought(result.id, None, again.cursor))
            assert seen.happened

    # Previews

    async def test_preview_is_pure_and_plain(self, stage: Stage, write: Write) -> None:
        """A preview is the same each time, one line, and works before anything was read."""  # S17
        call = await self.frozen(stage, write)
        before = call.arguments.model_dump(mode="json")
        context = PreviewContext(BERLIN, call.run.precondition)
        preview = call.action.preview(call.arguments, context)
        assert preview == call.action.preview(call.arguments, context)
        assert call.arguments.model_dump(mode="json") == before
        early = call.action.preview(call.arguments, PreviewContext(BERLIN, None))
        for sentence in (preview.sentence, early.sentence):
            assert sentence
            assert "\n" not in sentence
        if write.effect is Effect.IRREVERSIBLE:
            assert preview.notifies

    # Once

    async def test_second_run_of_one_call_changes_nothing(self, stage: Stage, write: Write) -> None:
        """One key has one effect: the repeat finds it, or is refused."""
        call = await self.frozen(stage, write)
        first = await call.execute()
        after = await self.state(stage)
        if call.run.idempotency is Idempotency.KEYED:
            assert await call.execute() == first
        elif call.run.idempotency is Idempotency.VERIFIABLE:
            with pytest.raises(RejectedError):
                await call.execute()
            assert await call.verify() == first
        else:
            pytest.skip("Only a human can tell whether an unsafe call happened.")
        assert await self.state(stage) == after

    async def test_look_up_finds_the_effect_only_once_it_is_there(
        self, stage: Stage, write: Write
    ) -> None:
        """Before the run a look-up says "certainly not"; after it, it gives the result."""
        call = await self.frozen(stage, write)
        if call.action.verify is None:
            pytest.skip("This action cannot be looked up.")
        assert await call.verify() is None
        result = await call.execute()
        assert await call.verify() == result

    async def test_lost_reply_is_unknown_and_found_by_a_look_up(
        self, stage: Stage, write: Write
    ) -> None:
        """A connection that closes after the commit is never taken for a failure."""
        call = await self.frozen(stage, write)
        await stage.break_("reset_after_commit")
        with pytest.raises(OutcomeUnknownError):
            await call.execute()
        after = await self.state(stage)
        if call.action.verify is not None:
            assert await call.verify() is not None
        if call.run.idempotency is Idempotency.KEYED:
            assert await call.execute() is not None
        assert await self.state(stage) == after

    async def test_overload_says_try_later_and_nothing_happened(
        self, stage: Stage, write: Write
    ) -> None:
        """A 429 is an error that asks to wait."""
        call = await self.frozen(stage, write)
        before = await self.state(stage)
        await stage.break_("429")
        with pytest.raises(RetryLaterError):
            await call.execute()
        assert await self.state(stage) == before

    # Undo

    async def test_undo_takes_the_effect_back_once(self, stage: Stage, write: Write) -> None:
        """After its undo the provider shows what it showed before; a second undo is refused."""
        call = await self.frozen(stage, write)
        before = await self.state(stage)
        result = await call.execute()
        undo = self.undo_of(call, result)
        if not write.undoes:
            assert undo is None
            return
        assert undo is not None
        taking_back = await stage.freeze(self.action(undo.action), undo.arguments)
        assert _as_expected(taking_back, undo)
        await taking_back.execute()
        assert await self.state(stage) == before
        assert await self._is_refused(stage, undo)

    async def test_undo_is_refused_after_a_human_edit(self, stage: Stage, write: Write) -> None:
        """What a person did since is not undone with it."""
        if not write.undoes:
            pytest.skip("Nothing takes this effect back.")
        call = await self.frozen(stage, write)
        result = await call.execute()
        undo = self.undo_of(call, result)
        assert undo is not None
        await self.edit_by_hand(stage, result)
        assert await self._is_refused(stage, undo)

    async def _is_refused(self, stage: Stage, undo: UndoCall) -> bool:
        try:
            again = await stage.freeze(self.action(undo.action), undo.arguments)
        except RejectedError:
            return True
        return not _as_expected(again, undo)

    # Refusals

    async def test_missing_scope_asks_to_connect_again(
        self, stage: Stage, standin: Running, write: Write
    ) -> None:
        """A token without the scope leads to the connect page, with the scope that is missing."""
        assert self.connector.manifest is not None
        call = await self.frozen(stage, write)
        before = await self.state(stage)
        async with open_stage(standin, self.connector.manifest, self.weak_scope) as weak:
            narrow = Frozen(call.action, call.arguments, _with_http(call, weak))
            with pytest.raises(ReconnectRequiredError) as refused:
                await narrow.execute()
        assert refused.value.provider == self.connector.name
        assert refused.value.missing_scopes & call.action.scopes(call.arguments)
        assert await self.state(stage) == before

    async def test_results_link_only_to_the_providers_pages(
        self, stage: Stage, write: Write
    ) -> None:
        """A link on a card leads to the provider and nowhere else."""
        call = await self.frozen(stage, write)
        result = await call.execute()
        for link in call.action.links(result):
            assert link.url.startswith(stage.context.web_url)

    async def test_provider_text_never_reaches_the_person(self, stage: Stage, write: Write) -> None:
        """Errors are our own sentences."""
        call = await self.frozen(stage, write)
        await stage.break_("403")
        with pytest.raises(RejectedError) as refused:
            await call.execute()
        assert refused.value.kind == "forbidden"
        assert refused.value.message.endswith(".")
        assert "Forbidden" not in refused.value.message


def _as_expected(call: Frozen, undo: UndoCall) -> bool:
    """Compare as the engine does, key by key."""
    found = call.run.precondition or {}
    return all(found.get(name) == value for name, value in (undo.expects or {}).items())


def _with_http(call: Frozen, stage: Stage) -> Any:
    return type(call.run)(
        http=stage.context.http,
        account=call.run.account,
        web_url=call.run.web_url,
        key=call.run.key,
        idempotency=call.run.idempotency,
        precondition=call.run.precondition,
    )


def _paths(model: type[BaseModel], prefix: tuple[str | int, ...] = ()) -> Iterator[list[str | int]]:
    """Yield the path of every field of a result, those of models in lists too."""
    for name, info in model.model_fields.items():
        path = (*prefix, name)
        yield [*path]
        inner = _element(info.annotation)
        if inner is not None:
            yield from _paths(inner, (*path, 0))


def _element(annotation: Any) -> type[BaseModel] | None:
    arguments = getattr(annotation, "__args__", ())
    found = next((item for item in arguments if isinstance(item, type)), None)
    return found if found is not None and issubclass(found, BaseModel) else None
