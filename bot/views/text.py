"""Text of others on our cards: it cannot ping, link, format, hide or pretend (S17, S20, S21)."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

_BLANKS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and symbols that show nothing, although they are no spaces."""

_KEPT_CONTROLS = frozenset("\n\t")
_HIDDEN_MARKS = ("VARIATION SELECTOR", "COMBINING GRAPHEME JOINER")
_EMOJI_SELECTORS = frozenset("\ufe0e\ufe0f")
_JOINER = "\N{ZERO WIDTH JOINER}"
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})

_LOOKALIKE_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "GEORGIAN")
"""Alphabets whose letters pass for one another's."""

_VISIBLE_ASCII = re.compile(r"[ -~\n\t]*")
_WORD = re.compile(r"\S+")
_NUMBER = re.compile(r"⟦U\+[0-9A-F]{4,6}⟧")
"""A hidden character as it is shown; no letter of the word that it stands in."""

_LETTERS = re.compile(r"[^\W\d_]+")
_HOST = re.compile(r"[\w.-]+")
_TOP_LEVEL = re.compile(r"[^\W\d_]{2,}")
_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30})(://)([^\s/?#]*)")
_SCHEME_ONLY = re.compile(r"(?i)\b(mailto|tel|sms|javascript|data|slack):(?=\S)")
_BARE_WWW = re.compile(r"(?i)\bwww\.(?=\S)")

_EMOJI_NAME = re.compile(r":(?=[a-z0-9_+'-]+:)")
_FORMATTING = str.maketrans(
    {
        "*": "\N{ASTERISK OPERATOR}",
        "_": "\N{FULLWIDTH LOW LINE}",
        "~": "\N{TILDE OPERATOR}",
        "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
        "\n": " ",
        "\t": " ",
    }
)


def escape(text: str) -> str:
    """Return text that Slack's mrkdwn shows literally: no mention, link or entity in it (S20).

    Source: https://docs.slack.dev/messaging/formatting-message-text (escaping)
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inline(text: str) -> str:
    """Return a short name for use within our own mrkdwn: one line, nothing in it formats."""
    return escape(_EMOJI_NAME.sub("\N{RATIO}", visible(text)).translate(_FORMATTING))


def visible(text: str) -> str:
    """Return text with everything marked that a reader could not see or would misread (S17).

    Invisible and direction-changing characters become ⟦U+200B⟧. A word that mixes alphabets, and
    an address in other than Latin letters, is followed by a mark that says so.
    """
    if text.isascii() and _VISIBLE_ASCII.fullmatch(text):
        return text
    shown = "".join(_shown(text, index) for index in range(len(text)))
    if shown.isascii():
        return shown
    return _WORD.sub(lambda match: match[0] + _warning(match[0]), shown)


def defang(text: str) -> str:
    """Return text in which no link can be clicked, with every character of it to be read (S21)."""
    cut = _URL.sub(lambda url: f"{url[1]}[:]//{url[3].replace('.', '[.]')}", text)
    return _BARE_WWW.sub("www[.]", _SCHEME_ONLY.sub(r"\1[:]", cut))


def units(text: str) -> int:
    """Return the length as Slack's clients count it at most: UTF-16 code units."""
    if text.isascii():
        return len(text)
    return len(text) + sum(character > "\uffff" for character in text)


def as_sentence(text: str) -> str:
    """Return words that are stored as a clause as a sentence: "The goal was cancelled."."""
    said = f"{text[:1].upper()}{text[1:]}"
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


_TOO_SHORT_TO_COUNT = 80
"""With less room than this the words themselves say more than how many are missing."""


def shorten(text: str, limit: int) -> str:
    """Return text of at most `limit` units; what is missing is counted: "… (1,234 more …)".

    On a button or in a title there is no room for the count: the sign alone says that it goes on.
    """
    if units(text) <= limit:
        return text
    room = limit - units(_ellipsis(len(text)))
    if limit <= _TOO_SHORT_TO_COUNT:
        return _head(text, max(limit - 1, 0)) + "…"
    head = _head(text, room)
    return head.rstrip() + _ellipsis(len(text) - len(head))


def escaped(text: str, limit: int) -> str:
    """Return text escaped for mrkdwn, of at most `limit` units, never cut within an entity."""
    whole = escape(text)
    if units(whole) <= limit:
        return whole
    low, high = 0, min(limit, units(text))
    while low < high:
        middle = (low + high + 1) // 2
        if units(escape(shorten(text, middle))) <= limit:
            low = middle
        else:
            high = middle - 1
    return escape(shorten(text, low))


def one_line(text: str) -> str:
    """Return text with every run of white space as one space."""
    return " ".join(text.split())


def _head(text: str, room: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += units(character)
        if used > room:
            return text[:index]
    return text


def _ellipsis(missing: int) -> str:
    return f"… ({missing:,} more characters)"


def _shown(text: str, index: int) -> str:
    character = text[index]
    if character.isascii():
        hidden = unicodedata.category(character) == "Cc" and character not in _KEPT_CONTROLS
    elif character == _JOINER:
        hidden = not _joins_emoji(text, index)
    elif character in _EMOJI_SELECTORS:
        hidden = index == 0 or text[index - 1].isalpha() or text[index - 1].isspace()
    else:
        hidden = _is_hidden(character)
    return f"⟦U+{ord(character):04X}⟧" if hidden else character


@lru_cache(maxsize=4096)
def _is_hidden(character: str) -> bool:
    return (
        character in _BLANKS
        or unicodedata.category(character) in _HIDDEN_CATEGORIES
        or unicodedata.name(character, "").startswith(_HIDDEN_MARKS)
    )


def _joins_emoji(text: str, index: int) -> bool:
    """Whether a joiner stands within an emoji such as a family, where it hides nothing."""
    # At most a skin tone and a selector stand between an emoji and its joiner.
    near = text[max(index - 4, 0) : index]
    before = near.rstrip("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")[-1:]
    after = text[index + 1 : index + 2]
    return all(
        side and unicodedata.category(side) in {"So", "Sk"} and side not in _BLANKS
        for side in (before, after)
    )


def _warning(word: str) -> str:
    word = _NUMBER.sub("", word)
    if word.isascii():
        return ""
    if any(len(_alphabets(part)) > 1 for part in _LETTERS.findall(word)):
        return " ⟦mixed alphabets⟧"
    return " ⟦address in other letters⟧" if _has_foreign_address(word) else ""


def _has_foreign_address(word: str) -> bool:
    """Whether a mail address or a host name in a word has other letters than ASCII.

    Linear in the word's length: a stranger's text may be one word of a hundred thousand letters.
    """
    sides = [side for pair in pairwise(word.split("@")) if all(pair) for side in pair]
    if sides:
        return not all(side.isascii() for side in sides)
    return any(_is_foreign_host(run.split(".")) for run in _HOST.findall(word))


def _is_foreign_host(labels: Sequence[str]) -> bool:
    """Whether labels such as `acme`, `example`, `com` end in letters and are not all ASCII."""
    is_host, is_ascii = False, True
    for label in labels:
        top_level = _TOP_LEVEL.match(label)
        if is_host and top_level and not (is_ascii and top_level[0].isascii()):
            return True
        fits = label[-1:].isalnum() and not label.startswith("-")
        is_ascii = fits and label.isascii() and (is_ascii or not is_host)
        is_host = fits
    return False


def _alphabets(letters: str) -> set[str]:
    names = (unicodedata.name(letter, "") for letter in letters)
    return {name.split(" ", 1)[0] for name in names} & set(_LOOKALIKE_SCRIPTS)
