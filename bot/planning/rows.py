"""`for_each`: one task for each element of a list, and what such a task results in."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import GenericAlias
from typing import Annotated, Any

from pydantic import JsonValue, create_model

from bot.planning.plan import EACH, Guard, Ref, Wait, WaitEvent, WaitUntil
from bot.planning.valid import ValidTask, read_ref, stored_ref
from connectors.actions import Out, Result
from connectors.labels import Label

MAX_ROWS = 50
"""A longer list runs nothing: nobody checks that many values, and a person can narrow it."""


@cache
def rows_result(result: type[Result]) -> type[Result]:
    """Return what a task with `for_each` results in, where each row results in `result`.

    `rows` holds the results of the rows that were done, in the list's order; `total` counts all
    rows and `failed` those that were not done. What is inside a row keeps its own labels.
    """
    rows: Any = GenericAlias(list, (result,))
    return create_model(
        f"{result.__name__}Rows",
        __base__=Result,
        rows=(Annotated[rows, Out(Label.OUTSIDE)], ...),
        total=(Annotated[int, Out(Label.RECORD)], ...),
        failed=(Annotated[int, Out(Label.RECORD)], ...),
    )


def result_model(result: type[Result], *, is_for_each: bool) -> type[Result]:
    """Return what references to a task see: its action's result, or that of all its rows."""
    return rows_result(result) if is_for_each else result


def row_key(parent_key: str, row: int) -> str:
    """Return the key of a row's task; rows count from 0, as the list does, and keys from 1."""
    return f"{parent_key}.{row + 1}"


def parent_key(key: str) -> str:
    """Return the key of the task that a row's key belongs to."""
    return key.rpartition(".")[0]


def row_task(parent: ValidTask, row: int) -> ValidTask:
    """Return the task of one row: every `each` is a reference into the list, by its index.

    So labels, chosen records and what a Run covers are judged as for any other reference.
    """
    if parent.for_each is None:
        message = f"{parent.key} has no for_each"
        raise ValueError(message)
    element = Ref(task=parent.for_each.task, path=[*parent.for_each.path, row])
    return replace(
        parent,
        key=row_key(parent.key, row),
        arguments={name: _point(value, element) for name, value in parent.arguments.items()},
        when=_guard(parent.when, element),
        for_each=None,
        wait=_wait(parent.wait, element),
    )


def guards_each(guard: Guard | None) -> bool:
    """Whether a guard is about the element, so that each row has its own."""
    return guard is not None and guard.left.task == EACH


def _guard(guard: Guard | None, element: Ref) -> Guard | None:
    if guard is None or not guards_each(guard):
        # A guard about something else was judged before the list was expanded.
        return None
    return guard.model_copy(update={"left": _within(element, guard.left)})


def _wait(wait: Wait | None, element: Ref) -> Wait | None:
    """Return a row's own wait: one that is about the element waits for that of the row."""
    match wait:
        case WaitUntil(until=Ref() as ref) if ref.task == EACH:
            return wait.model_copy(update={"until": _within(element, ref)})
        case WaitEvent(subject=ref) if ref.task == EACH:
            return wait.model_copy(update={"subject": _within(element, ref)})
        case _:
            return wait


def _point(value: JsonValue, element: Ref) -> JsonValue:
    ref = read_ref(value)
    if ref is not None:
        return stored_ref(_within(element, ref)) if ref.task == EACH else value
    if isinstance(value, Mapping):
        return {key: _point(item, element) for key, item in value.items()}
    if isinstance(value, list):
        return [_point(item, element) for item in value]
    return value


def _within(element: Ref, ref: Ref) -> Ref:
    return Ref(task=element.task, path=[*element.path, *ref.path])
