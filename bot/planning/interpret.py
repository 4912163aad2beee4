"""Small talk and cancelling, told by exact phrases before any planner is asked."""

import re
from enum import StrEnum

from bot.planning.outcome import TalkKind
from bot.planning.text import folded, plain

_PHRASES: dict[TalkKind, frozenset[str]] = {
    TalkKind.GREETING: frozenset(
        {"hi", "hello", "hey", "hi there", "hello there", "hey there", "good morning"}
        | {"good afternoon", "good evening", "moin", "hola", "hallo", "hi countersign"}
        | {"hello countersign", "hey countersign", "start"}
    ),
    TalkKind.HELP: frozenset(
        {
            "help",
            "help me",
            "what can you do",
            "what do you do",
            "who are you",
            "how does this work",
        }
        | {"what can i ask you", "what can i ask", "?", "what are you", "examples"}
    ),
    TalkKind.THANKS: frozenset(
        {"thanks", "thank you", "thx", "ty", "thanks a lot", "thank you very much", "many thanks"}
        | {"great thanks", "perfect thanks", "cheers", "great", "perfect", "nice", "ok", "okay"}
    ),
}
_CANCEL = frozenset(
    {"cancel", "stop", "abort", "cancel it", "cancel that", "cancel this", "stop it", "stop that"}
    | {"stop this", "never mind", "nevermind", "forget it", "cancel the goal", "cancel this goal"}
    | {"cancel everything", "stop everything", "abort it", "please stop", "please cancel"}
)


class ThreadWord(StrEnum):
    """What a single word in a goal's thread asks for."""

    PAUSE = "pause"
    RESUME = "resume"
    UNDO = "undo"


_WORDS: dict[ThreadWord, frozenset[str]] = {
    ThreadWord.PAUSE: frozenset(
        {"pause", "pause it", "pause this", "please pause", "hold on", "hold it", "wait"}
        | {"pause the goal", "pause this goal", "put it on hold"}
    ),
    ThreadWord.RESUME: frozenset(
        {"resume", "resume it", "resume this", "please resume", "continue", "go on", "carry on"}
        | {"unpause", "resume the goal", "resume this goal"}
    ),
    ThreadWord.UNDO: frozenset(
        {"undo", "undo it", "undo that", "undo this", "undo all", "undo everything"}
        | {"undo all of it", "please undo", "please undo it", "revert", "revert it"}
        | {"revert that", "take it back", "take that back", "take it all back"}
        | {"roll back", "roll it back"}
    ),
}
_PUNCTUATION = re.compile(r"[,.!\s]+")


def talk_kind(text: str) -> TalkKind | None:
    """Return which small talk a message is, or None: it may be a goal."""
    phrase = _phrase(text)
    return next((kind for kind, phrases in _PHRASES.items() if phrase in phrases), None)


def asks_to_cancel(text: str) -> bool:
    """Return whether a message, as a whole, says that what is under way is to be cancelled."""
    return _phrase(text) in _CANCEL


def thread_word(text: str) -> ThreadWord | None:
    """Return which of the words for a goal under way a message is, as a whole."""
    phrase = _phrase(text)
    return next((word for word, phrases in _WORDS.items() if phrase in phrases), None)


def _phrase(text: str) -> str:
    folded_text = folded(plain(text))
    return _PUNCTUATION.sub(" ", folded_text).strip().removesuffix(" ?").strip().rstrip("?") or (
        "?" if "?" in folded_text else ""
    )
