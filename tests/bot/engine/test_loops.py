"""Loops: whatever a planner calls it, a call that was tried is not tried again."""

from hypothesis import given
from hypothesis import strategies as st

from bot.builtins import BUILTINS
from bot.engine.loops import is_loop
from bot.planning.valid import ValidPlan, ValidTask
from connectors.registry import Registry
from storage.tables.goals import Task, TaskStatus
from tests.bot.engine.counting import CONNECTOR
from tests.bot.engine.world import add, ref

REGISTRY = Registry((CONNECTOR, BUILTINS))
NAMES = st.sampled_from(["Apple", "Berry", "Cherry", "Date"])
TRIED = st.sampled_from(
    [TaskStatus.FAILED, TaskStatus.DECLINED, TaskStatus.SUCCEEDED, TaskStatus.UNKNOWN]
)
UNTRIED = st.sampled_from([TaskStatus.PENDING, TaskStatus.CANCELLED, TaskStatus.SKIPPED])


def stored(spec: ValidTask, status: TaskStatus, *, dropped_in: int | None) -> Task:
    return Task(
        key=spec.key,
        action=spec.action,
        spec={**spec.to_json(), "labels": {}},
        status=status,
        dropped_in=dropped_in,
        result=None,
    )


@given(st.lists(st.tuples(NAMES, TRIED, st.none() | st.integers(2, 4)), min_size=1), st.data())
def test_tried_call_under_any_new_id_is_a_loop(
    tried: list[tuple[str, TaskStatus, int | None]], data: st.DataObject
) -> None:
    """In whatever version it was tried, dropped since or not: not again, in any company."""
    tasks = [
        stored(add(f"t{n}", name), status, dropped_in=dropped)
        for n, (name, status, dropped) in enumerate(tried)
    ]
    again = data.draw(st.sampled_from([name for name, _, _ in tried]))
    others = [add("n1", "New"), add("n2", "Newer")]
    place = data.draw(st.integers(0, 2))
    plan = [*others[:place], add("n3", again), *others[place:]]
    assert is_loop(ValidPlan("", tuple(plan)), tasks, REGISTRY)
    assert not is_loop(ValidPlan("", tuple(others)), tasks, REGISTRY)


@given(st.lists(st.tuples(NAMES, UNTRIED), min_size=1), NAMES)
def test_call_that_was_never_tried_is_no_loop(
    left: list[tuple[str, TaskStatus]], name: str
) -> None:
    """What was left out or skipped before it ran may be planned again, once."""
    tasks = [
        stored(add(f"t{n}", item), status, dropped_in=None) for n, (item, status) in enumerate(left)
    ]
    assert not is_loop(ValidPlan("", (add("n1", name),)), tasks, REGISTRY)
    twice = (add("n1", name), add("n2", name))
    assert is_loop(ValidPlan("", twice), tasks, REGISTRY)


def test_reference_to_the_value_that_was_tried_is_the_same_call() -> None:
    """Saying it by reference does not make it another call; an unknown reference does."""
    made = stored(add("t1", "Apple"), TaskStatus.SUCCEEDED, dropped_in=None)
    made.result = {"id": "7", "name": "Apple", "domain": None, "size": None}
    tried = stored(add("t2", "Berry", parent_id="7"), TaskStatus.FAILED, dropped_in=None)
    same = add("t3", "Berry", parent_id=ref("t1", "id"))
    other = add("t3", "Berry", parent_id=ref("t9", "id"))
    assert is_loop(ValidPlan("", (same,)), [made, tried], REGISTRY)
    assert not is_loop(ValidPlan("", (other,)), [made, tried], REGISTRY)
