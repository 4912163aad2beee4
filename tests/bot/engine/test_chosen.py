"""Chosen records: a card says in words which of the found records a step is about."""

import pytest
from pydantic import JsonValue

from bot.engine.cards import ShownDetail
from bot.engine.chosen import choose, show_chosen
from bot.engine.references import Finished
from bot.goals.clicks import Click
from connectors.actions import Detail, Preview
from connectors.labels import Label
from connectors.registry import Registry
from storage.tables.goals import GoalStatus
from tests.bot.engine.counting import CONNECTOR, FIND
from tests.bot.engine.world import DANA, TEAM, World, add, ref, step

ADD = Registry([CONNECTOR]).action("add_keyed")


def finished(*names: str, total: int | None = None) -> dict[str, Finished]:
    rows: list[JsonValue] = [
        {"id": str(at), "name": name, "domain": f"{name.lower()}.example", "size": None}
        for at, name in enumerate(names)
    ]
    return {"t1": Finished(FIND, {"items": rows, "total": len(names) if total is None else total})}


def said(*path: str | int, names: tuple[str, ...], total: int | None = None) -> list[str]:
    chosen = choose(ADD, {"parent_id": ref("t1", *path)}, finished(*names, total=total))
    return [item.value for item in chosen.details]


@pytest.mark.parametrize(
    ("path", "names", "total", "expected"),
    [
        (("items", 0, "id"), ("Acme",), None, ["Acme (acme.example)"]),
        (
            ("items", 0, "id"),
            ("Acme", "Acmee", "Acmo"),
            None,
            ["Acme (acme.example), first of 3 found: check it"],
        ),
        (
            ("items", 1, "id"),
            ("A", "B"),
            57,
            ["B (b.example), second of 57 found: check it"],
        ),
        (
            ("items", "3", "id"),
            ("A", "B", "C", "D"),
            None,
            ["D (d.example), no. 4 of 4 found: check it"],
        ),
        (("items", 0, "id"), (), None, ["nothing found"]),
        (("total",), ("Acme",), None, []),
    ],
    ids=["only", "first-of-three", "of-more", "as-text", "none", "no-list"],
)
def test_reference_into_a_list_is_said_in_words(
    path: tuple[str | int, ...], names: tuple[str, ...], total: int | None, expected: list[str]
) -> None:
    """The record's name, what tells it apart, and how many there were."""
    assert said(*path, names=names, total=total) == expected


def test_words_of_a_row_carry_the_label_of_their_declaration() -> None:
    """What a stranger could have written is marked, although the id itself is ours (S3)."""
    chosen = choose(ADD, {"parent_id": ref("t1", "items", 0, "id")}, finished("Acme"))
    assert {at: item.label for at, item in chosen.labels.items()} == {
        "/parent_id/chosen": Label.OUTSIDE
    }
    assert chosen.labels["/parent_id/chosen"].source == "t1.items.0.name"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (Detail("Parent", "the chosen one", pointer="/parent_id"), ["Acme (acme.example)"]),
        (Detail("Parent", "Acme", pointer="/parent_id"), ["Acme (acme.example)"]),
        (Detail("Parent", "Ajax", pointer="/parent_id"), ["Ajax", "Acme (acme.example)"]),
        (Detail("Name", "Deal", pointer="/name"), ["Deal", "Acme (acme.example)"]),
    ],
    ids=["vague", "same", "renamed-since", "absent"],
)
def test_preview_line_is_replaced_only_where_it_says_less(
    line: Detail, expected: list[str]
) -> None:
    """A name that changed since it was found stays visible."""
    chosen = choose(ADD, {"parent_id": ref("t1", "items", 0, "id")}, finished("Acme"))
    shown = show_chosen(Preview("Add", (line,)), chosen)
    assert [item.value for item in shown.details] == expected
    assert len({item.name for item in shown.details}) == len(shown.details)


async def test_chosen_record_stands_on_the_plan_card_and_on_the_frozen_call(world: World) -> None:
    """The proposal and what was run say the same, marked as somebody else's words."""
    world.provider.put("Acme", domain="acme.example")
    world.provider.put("Acme East", domain="east.example")
    goal_id = await world.plan(
        step("t1", "find_items", query="acme"),
        add("t2", "Deal", parent_id=ref("t1", "items", 0, "id")),
    )
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.PROPOSED
    before = await _parent_line(world, goal_id)
    await world.plans.run(Click(TEAM, DANA), goal_id, 1)
    await world.drive(goal_id)
    after = await _parent_line(world, goal_id)
    for line in (before, after):
        assert line.detail.value == "Acme (acme.example), first of 2 found: check it"
        assert line.label is Label.OUTSIDE


async def test_policy_does_not_judge_the_words_about_a_chosen_record(world: World) -> None:
    """A name that is only shown makes no call of one's own ask: what is sent is the id."""
    world.provider.put("Acme")
    goal_id = await world.plan(
        step("t1", "find_items", query="acme"),
        add("t2", "Report", is_own=True, parent_id=ref("t1", "items", 0, "id")),
    )
    await world.drive(goal_id)
    assert (await world.goal(goal_id)).status is GoalStatus.DONE


async def _parent_line(world: World, goal_id: int) -> ShownDetail:
    async with world.database.transaction() as tx:
        card = await world.cards.goal(tx, TEAM, goal_id)
    (line,) = [item for item in card.steps[1].details if item.detail.pointer == "/parent_id"]
    return line
