"""Which messages are changes of mind, and how their words are read."""

from datetime import date

import pytest

from bot.planning.changes import Drop, Make, read_changes
from bot.planning.parse.instants import When
from bot.planning.parse.money import Money

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("drop the kickoff", {"kickoff"}),
        ("Please skip the mail to Jane.", {"mail", "to", "jane"}),
        ("actually, leave out the second note", {"second", "note"}),
        ("cancel the kickoff please", {"kickoff"}),
    ],
)
def test_words_of_leaving_out_name_a_step(text: str, words: set[str]) -> None:
    """A verb of leaving out, and what it is about."""
    assert read_changes(text, today=TODAY) == [Drop(frozenset(words))]


@pytest.mark.parametrize(
    ("text", "words", "kind"),
    [
        ("make it Thursday", set(), When),
        ("Thursday instead", set(), When),
        ("no, Friday is better", set(), When),
        ("move the kickoff to Thursday at 3pm", {"kickoff"}, When),
        ("make it 50,000", set(), Money),
        ("change the amount to $60k", {"amount"}, Money),
        ("set the title to Big Deal", {"title"}, str),
    ],
)
def test_words_of_changing_have_a_value(text: str, words: set[str], kind: type) -> None:
    """A day or time, an amount, or text for what the words name."""
    found, *_ = read_changes(text, today=TODAY)
    assert isinstance(found, Make)
    assert found.words == words
    assert isinstance(found.value, kind)


@pytest.mark.parametrize(
    "text",
    [
        "Create a deal for Acme worth $40",
        "make a deal for Acme",
        "call Bob",
        "Which deals does Acme have?",
        "make it so that everybody is happy",
        "thanks",
        "",
    ],
)
def test_other_messages_are_no_changes(text: str) -> None:
    """Only whole messages of these forms count."""
    assert read_changes(text, today=TODAY) == []
