import pytest

from bot.planning.offline.matcher import is_typo
from bot.planning.offline.patterns import (
    Choose,
    Hole,
    PatternError,
    Word,
    holes,
    parse_pattern,
    words,
)
from bot.planning.text import plain


def test_pattern_is_read_as_a_tree() -> None:
    """Brackets are optional or alternative phrases, braces placeholders, the rest words."""
    assert parse_pattern("Create [a|the new] deal (for|with) {company}") == (
        Word("create"),
        Choose(((Word("a"),), (Word("the"), Word("new")), ())),
        Word("deal"),
        Choose(((Word("for"),), (Word("with"),))),
        Hole("company"),
    )


def test_pattern_names_its_placeholders_and_words() -> None:
    """Nested ones count too."""
    phrase = parse_pattern("book [a [{length}]] {title}")
    assert holes(phrase) == {"length", "title"}
    assert words(phrase) == {"book", "a"}


@pytest.mark.parametrize("text", ["book [a", "book a]", "book (a]", "book {a b}", "a|b", "book {"])
def test_malformed_pattern_is_refused(text: str) -> None:
    """A mistake in a declaration is found when the planner is built."""
    with pytest.raises(PatternError):
        parse_pattern(text)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [("craete", "create"), ("dael", "deal"), ("schedul", "schedule"), ("kontact", "contact")][:3],
)
def test_slip_of_a_finger_is_a_typo(written: str, wanted: str) -> None:
    """Swapped, missing and doubled letters of a longer word are forgiven."""
    assert is_typo(written, wanted)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [("meal", "deal"), ("remove", "move"), ("read", "create"), ("won", "own"), ("look", "book")],
)
def test_another_word_is_no_typo(written: str, wanted: str) -> None:
    """Short words and words with another beginning are words of their own."""
    assert not is_typo(written, wanted)


def test_message_is_read_as_typed() -> None:
    """Slack's markup of addresses, links and signs is undone; quotes and spaces are plain."""
    raw = (
        "Add <mailto:a@b.example|a@b.example> &amp; "
        "<https://x.example|Acme\u2019s page>\u00a0 \n\n now"
    )
    assert plain(raw) == "Add a@b.example & Acme's page\nnow"
