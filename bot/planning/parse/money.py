"""Money as people write it: $48,000 · 48k EUR · 48.000 € · 1.5 million dollars."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from bot.planning.parse.scan import Found, matches

_SIGNS = {"$": "USD", "us$": "USD", "€": "EUR", "£": "GBP"}
_NAMES = {
    "dollar": "USD",
    "dollars": "USD",
    "bucks": "USD",
    "euro": "EUR",
    "euros": "EUR",
    "pounds": "GBP",
    "francs": "CHF",
}
_CODES = ("usd", "eur", "gbp", "chf", "sek", "nok", "dkk", "pln", "czk", "jpy", "cad", "aud")
_SCALES = {"k": 10**3, "thousand": 10**3, "m": 10**6, "mn": 10**6, "million": 10**6}

_CURRENCY = "|".join([r"us\$", r"[$€£]", *sorted(_NAMES, key=len, reverse=True), *_CODES])
_NUMBER = (
    r"\d{1,3}(?:(?P<group>[,.' ])\d{3})(?:(?P=group)\d{3})*(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
)
_MONEY = re.compile(
    rf"(?:(?P<before>us\$|[$€£]|{'|'.join(_CODES)}) ?)?"
    rf"(?P<number>{_NUMBER})"
    rf"(?: ?(?P<scale>k|m|mn|thousand|million)\b)?"
    rf"(?: ?(?P<after>{_CURRENCY}))?",
    re.IGNORECASE,
)
_MAX_AMOUNT = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with two decimals, as text, and its ISO code; None where none was written.

    A dollar sign is read as US dollars. Three digits after a single separator are thousands,
    whichever separator it is: nobody writes money with three decimals.
    """

    amount: str
    currency: str | None


def find_money(text: str, pos: int) -> Iterator[Found[Money]]:
    """Yield the money that is written at `pos`, if there is any."""
    for match in matches(_MONEY, text, pos):
        before, after = _code(match["before"]), _code(match["after"])
        amount = _amount(match["number"], match["group"], match["scale"])
        if amount is not None and not (before and after and before != after):
            yield Found(match.end(), Money(f"{amount:.2f}", before or after))


def _amount(number: str, group: str | None, scale: str | None) -> Decimal | None:
    whole = number.replace(group, "", number.count(group)) if group else number
    if group in (",", "."):
        whole = _ungroup(number, group)
    value = Decimal(whole.replace(",", ".")) * _SCALES.get((scale or "").casefold(), 1)
    # "1.500k" is 1,500 or 1,500,000: neither is certain.
    if (group and scale) or value >= _MAX_AMOUNT:
        return None
    return value.quantize(Decimal("0.01"))


def _ungroup(number: str, group: str) -> str:
    """Return the number without its thousands' separators: all but a final decimal one."""
    decimal = re.search(r"[.,](\d{1,2})$", number)
    if decimal is None:
        return number.replace(group, "")
    return f"{number[: decimal.start()].replace(group, '')}.{decimal[1]}"


def _code(written: str | None) -> str | None:
    if written is None:
        return None
    key = written.casefold()
    return _SIGNS.get(key) or _NAMES.get(key) or key.upper()
