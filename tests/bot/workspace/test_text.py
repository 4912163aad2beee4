"""What Slack makes of typed words."""

import pytest

from bot.workspace.config import Person
from bot.workspace.text import typed

PEOPLE = (
    Person(id="U0BOT", name="countersign", real_name="Countersign", is_bot=True),
    Person(id="U0DANA", name="dana", real_name="Dana Reyes"),
)


@pytest.mark.parametrize(
    ("words", "stored"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("@countersign hi", "<@U0BOT> hi"),
        ("<@U0DANA> hi", "<@U0DANA> hi"),
        ("@nobody and <@U0NOBODY>", "@nobody and &lt;@U0NOBODY&gt;"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("jane@acme.example", "<mailto:jane@acme.example|jane@acme.example>"),
        ("see https://x.example/?a=1&b=2.", "see <https://x.example/?a=1&amp;b=2>."),
        ("see acme.com now", "see <http://acme.com|acme.com> now"),
        ("*bold* $48,000.50", "*bold* $48,000.50"),
        ("dana@countersign", "dana@countersign"),
    ],
)
def test_typed_words_are_stored_as_slack_stores_them(words: str, stored: str) -> None:
    """Control characters are escaped (S20); mentions, addresses and links become Slack's own."""
    assert typed(words, people=PEOPLE)[0] == stored


def test_rich_text_names_the_same_parts() -> None:
    """A typed message carries rich_text blocks with unescaped text."""
    _, (block,) = typed("@dana a < b", people=PEOPLE)
    assert block["elements"][0]["elements"] == [
        {"type": "user", "user_id": "U0DANA"},
        {"type": "text", "text": " a < b"},
    ]
