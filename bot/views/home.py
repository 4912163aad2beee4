"""A person's Home: what waits on them, their goals, connections and the digest's time."""

from collections.abc import Sequence

from bot.engine.home import HomeConnection, HomeDigest, HomeGoal, HomeLine, HomeView
from bot.views import blocks, ids, limits
from bot.views.blocks import Block
from bot.views.halts import build_halt_blocks
from bot.views.text import inline, one_line, shorten

_MOST_LINES = 10
_LINE_SHOWN = 150
_MOST_EXAMPLES = 5
"""Enough to see what kind of thing can be asked; the welcome says the rest."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WORKDAYS = (1, 2, 3, 4, 5)
_EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


def build_home(home: HomeView) -> Block:
    """Return the Home view."""
    halt = [blocks.header("Halt"), *build_halt_blocks(home.halt)] if home.halt is not None else []
    is_halted = home.halt is not None and home.halt.said is not None
    # Whoever opens Home because nothing moves finds the reason first.
    shown = halt if is_halted else []
    shown += [blocks.header("Waiting for you"), *_waiting(home.waiting_for_you)]
    shown += [blocks.header("Your goals"), *_goals(home.goals, home.examples)]
    shown += [blocks.header("Your connections"), *_connections(home.connections)]
    if home.digest is not None:
        shown += [blocks.header("Your digest"), *_digest(home.digest)]
    shown += [] if is_halted else halt
    return {"type": "home", "blocks": blocks.fit(shown, most=limits.BLOCKS_PER_VIEW)}


def _waiting(lines: Sequence[HomeLine]) -> list[Block]:
    if not lines:
        return [blocks.section("Nothing waits on you.")]
    listed = [
        f"• {blocks.linked(shorten(one_line(line.text), _LINE_SHOWN), line.url)}"
        for line in lines[:_MOST_LINES]
    ]
    return [blocks.marked_section("\n".join([*listed, *_more(len(lines))]))]


def _goals(goals: Sequence[HomeGoal], examples: Sequence[str]) -> list[Block]:
    if not goals:
        listed = "".join(
            f"\n• {shorten(one_line(example), _LINE_SHOWN)}"
            for example in examples[:_MOST_EXAMPLES]
        )
        return [
            blocks.section(
                f"None yet. Write to me, for example:{listed}" if listed else "None yet."
            )
        ]
    shown = [
        f"• {blocks.linked(shorten(one_line(goal.text), _LINE_SHOWN), goal.url)} "
        f"— {inline(goal.status)}"
        for goal in goals[:_MOST_LINES]
    ]
    return [blocks.marked_section("\n".join([*shown, *_more(len(goals))]))]


def _connections(connections: Sequence[HomeConnection]) -> list[Block]:
    if not connections:
        return [blocks.section("No provider is set up yet. Ask an admin.")]
    return [_connection(connection) for connection in connections]


def _connection(connection: HomeConnection) -> Block:
    account = f" as {connection.account}" if connection.account else ""
    text = f"{connection.title}: {connection.status}{account}"
    if connection.trouble is not None:
        text = f"{text}\n{connection.trouble}"
    if not connection.is_connected:
        connect = blocks.button(
            "Connect", action_id=ids.CONNECTION_CONNECT, value=connection.provider
        )
        return blocks.section(text, button=connect)
    disconnect = blocks.button(
        "Disconnect",
        action_id=ids.CONNECTION_DISCONNECT,
        value=connection.provider,
        confirm=blocks.confirm(
            title=f"Disconnect {connection.title}?",
            text=f"I give up my access at {connection.title}, and what waits for it stops.",
            yes="Disconnect",
            no="Keep it",
            danger=True,
        ),
    )
    return blocks.section(text, button=disconnect)


def _digest(digest: HomeDigest) -> list[Block]:
    if not digest.is_on:
        turn = blocks.button("Turn it on", action_id=ids.DIGEST_TURN, value="on")
        return [blocks.section("It is off."), blocks.actions(turn)]
    text = f"It comes at {digest.at:%H:%M} ({digest.zone.key}), {_days(digest.weekdays)}."
    picker: Block = {
        "type": "timepicker",
        "action_id": ids.DIGEST_TIME,
        "initial_time": f"{digest.at:%H:%M}",
    }
    row = blocks.actions(
        picker,
        blocks.button("Send it now", action_id=ids.DIGEST_NOW),
        blocks.button("Turn it off", action_id=ids.DIGEST_TURN, value="off"),
    )
    return [blocks.section(text), row]


def _days(weekdays: tuple[int, ...]) -> str:
    if weekdays == _WORKDAYS:
        return "on workdays"
    if weekdays == _EVERY_DAY:
        return "every day"
    return "on " + ", ".join(_DAYS[day - 1] for day in weekdays)


def _more(total: int) -> list[str]:
    return [f"… and {total - _MOST_LINES} more"] if total > _MOST_LINES else []
