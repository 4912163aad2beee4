"""The built-in `answer`: shows what was found, rendered by code, to the requester alone."""

from typing import Annotated

from pydantic import JsonValue

from bot.builtins.cells import tabulate, text_of
from connectors.actions import (
    Action,
    Arg,
    Arguments,
    Effect,
    Idempotency,
    Link,
    Out,
    Preview,
    PreviewContext,
    Result,
    RunContext,
    always,
    needs,
)
from connectors.labels import Label

MAX_ROWS = 50


class AnswerArguments(Arguments):
    """The question, and the rows that answer it: by reference, a whole list of a read."""

    question: Annotated[str, Arg(title="Question")]
    rows: Annotated[list[dict[str, JsonValue]], Arg(title="Rows")]
    columns: Annotated[list[str] | None, Arg(title="Columns")] = None
    """Which fields to show, in this order; null shows what is worth showing."""


class AnswerLink(Result):
    text: Annotated[str, Out(Label.OUTSIDE)]
    url: Annotated[str, Out(Label.OUTSIDE)]


class Answer(Result):
    """A table of plain text. It carries what the rows carry, so all of it counts as `outside`."""

    question: Annotated[str, Out(Label.OUTSIDE)]
    title: Annotated[str, Out(Label.OUTSIDE)]
    columns: Annotated[list[str], Out(Label.OUTSIDE)]
    rows: Annotated[list[list[str]], Out(Label.OUTSIDE)]
    total: Annotated[int, Out(Label.OUTSIDE)]
    """How many rows there were; at most `MAX_ROWS` of them are shown."""
    links: Annotated[list[AnswerLink], Out(Label.OUTSIDE)]


def render(arguments: AnswerArguments) -> Answer:
    """Return the answer to a question from its rows; the same rows give the same answer."""
    shown = arguments.rows[:MAX_ROWS]
    table = tabulate(shown, columns=arguments.columns)
    total = len(arguments.rows)
    return Answer(
        question=arguments.question,
        title=_title(total),
        columns=list(table.columns),
        rows=[list(row) for row in table.rows],
        total=total,
        links=_links(shown),
    )


def _title(total: int) -> str:
    if total == 0:
        return "Nothing found"
    found = f"{total:,} found"
    return found if total <= MAX_ROWS else f"{found}, the first {MAX_ROWS} are shown"


def _links(rows: list[dict[str, JsonValue]]) -> list[AnswerLink]:
    links = []
    for row in rows:
        url = row.get("url")
        if isinstance(url, str) and url.startswith(
            ("https://", "http://127.0.0.1", "http://localhost")
        ):
            links.append(AnswerLink(text=_name(row), url=url))
    return links


def _name(row: dict[str, JsonValue]) -> str:
    candidates = (row.get(key) for key in ("name", "title", "email"))
    return next((text_of(item) for item in candidates if item), "Open")


async def _run(_context: RunContext, arguments: AnswerArguments) -> Answer:
    return render(arguments)


def _preview(arguments: AnswerArguments, _context: PreviewContext) -> Preview:
    return Preview(sentence=f"Answer “{arguments.question}” for you alone")


def _result_links(result: Answer) -> tuple[Link, ...]:
    return tuple(Link(text=item.text, url=item.url) for item in result.links)


ANSWER = Action(
    connector="builtin",
    name="answer",
    summary="Show rows that an earlier task found to the requester",
    arguments=AnswerArguments,
    result=Answer,
    effect=always(Effect.READ),
    scopes=needs(),
    idempotency=Idempotency.READ,
    run=_run,
    preview=_preview,
    links=_result_links,
)
