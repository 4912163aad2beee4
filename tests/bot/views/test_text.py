import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.text import defang, escape, escaped, inline, shorten, units, visible

ANY_TEXT = st.text(max_size=300)


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        pytest.param("pay\u200bpal", "pay⟦U+200B⟧pal", id="zero-width space"),
        pytest.param("\u202egpj.exe", "⟦U+202E⟧gpj.exe", id="right-to-left override"),
        pytest.param("a\u2066b", "a⟦U+2066⟧b", id="isolate"),
        pytest.param("a\u00adb", "a⟦U+00AD⟧b", id="soft hyphen"),
        pytest.param("a\u3164b", "a⟦U+3164⟧b", id="hangul filler"),
        pytest.param("a\u200db", "a⟦U+200D⟧b", id="joiner between letters"),
        pytest.param("a\x00b", "a⟦U+0000⟧b", id="nul"),
        pytest.param("a\ufe0fb", "a⟦U+FE0F⟧b", id="variation selector after a letter"),
        pytest.param("a\U000e0041", "a⟦U+E0041⟧", id="tag"),
        pytest.param("two\u2028lines", "two⟦U+2028⟧lines", id="line separator"),
    ],
)
def test_hidden_character_is_shown_by_its_number(hidden: str, shown: str) -> None:
    """An approver sees every character that could change what they read."""  # S17
    assert visible(hidden) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Jane Doe, jane@acme.example",
        "Zoë Müller",
        "東京の会議",
        "👨‍👩‍👧 ❤️ 1️⃣",
        "a\nb\tc",
        "Дана Рейес",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """What people write in their own language and emoji carries no marks."""
    assert visible(text) == text


@pytest.mark.parametrize(
    ("word", "mark"),
    [
        pytest.param("p\u0430ypal", "mixed alphabets", id="cyrillic a in a latin word"),
        pytest.param("j\u03bfe@acme.example", "mixed alphabets", id="greek omicron"),
        pytest.param(
            "\u0430\u0441\u0440@acme.example", "address in other letters", id="all cyrillic"
        ),
        pytest.param("\u0430\u0441\u0435.com", "address in other letters", id="domain"),
    ],
)
def test_lookalike_letters_are_marked(word: str, mark: str) -> None:
    """A word or address that passes for another one says so beside it."""  # S17
    assert visible(word) == f"{word} ⟦{mark}⟧"


@pytest.mark.parametrize(
    "unit", ["é", "é.", "é@", ".é", "@é", "\u200d", "👩\u200d", "é-", "é\u200d\ufe0f", "https://é"]
)
def test_endless_word_costs_little(unit: str) -> None:
    """A stranger's text of a hundred thousand characters holds nobody up."""  # S33
    text = (unit * 100_000)[:100_000]
    started = time.process_time()
    inline(defang(text))
    assert time.process_time() - started < 2


@given(ANY_TEXT)
def test_visible_leaves_nothing_hidden(text: str) -> None:
    """Marking is complete: a second look finds nothing hidden that the first one left."""
    once = visible(text)
    assert not set(once) & set("\u200b\u202e\u2066\u00ad\x00\u3164")
    assert visible(once).count("⟦U+") == once.count("⟦U+")


def test_hidden_character_makes_no_address_of_other_letters() -> None:
    """The sign for a control character is ours: the address beside it has Latin letters."""
    assert visible("jane@acme.example\x1f") == "jane@acme.example⟦U+001F⟧"
    assert visible("jan\u00e9@acme.example\x1f").endswith("⟦U+001F⟧ ⟦address in other letters⟧")


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("see https://evil.example/a.b?c", "see https[:]//evil[.]example/a.b?c"),
        ("www.evil.example", "www[.]evil.example"),
        ("mailto:jane@acme.example", "mailto[:]jane@acme.example"),
        ("at 10:30, see notes", "at 10:30, see notes"),
        ("jane@acme.example", "jane@acme.example"),
    ],
)
def test_links_of_strangers_cannot_be_clicked(text: str, cut: str) -> None:
    """A link in outside text is readable and dead; an address stays exact."""  # S21
    assert defang(text) == cut


def test_escaped_text_contains_no_mention() -> None:
    """Data cannot ping or link: the three characters that Slack interprets are entities."""  # S20
    assert escape("<!channel> & <@U0MO>") == "&lt;!channel&gt; &amp; &lt;@U0MO&gt;"


def test_inline_name_formats_nothing() -> None:
    """A name within our own words cannot be bold, an emoji or a second line."""
    assert inline("*Mo*\n:tada: <x>") == "\u2217Mo\u2217 \u2236tada: &lt;x&gt;"


def test_shortened_text_says_how_much_is_missing() -> None:
    """Truncation is visible and counted."""
    assert shorten("a" * 3000, 100) == "a" * 75 + "… (2,925 more characters)"


@given(ANY_TEXT, st.integers(min_value=1, max_value=350))
def test_shortened_text_fits(text: str, limit: int) -> None:
    """Nothing exceeds its limit, in the units that clients count."""
    assert units(shorten(text, limit)) <= limit


@given(st.text(alphabet="&<>ab😀", max_size=200), st.integers(min_value=30, max_value=400))
def test_escaped_text_fits_without_broken_entity(text: str, limit: int) -> None:
    """Escaping counts towards the limit and no entity is cut in two."""
    shown = escaped(text, limit)
    assert units(shown) <= limit
    for entity in ("&amp;", "&lt;", "&gt;"):
        shown = shown.replace(entity, "")
    assert "&" not in shown
