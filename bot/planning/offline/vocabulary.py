"""Words that mean something to a planner, and so never vanish inside a name or a title."""

import re

POLITE_START = re.compile(
    r"(?:(?:hi|hello|hey|ok|okay|please|pls|kindly|thanks|(?:can|could|would|will) you"
    r"|can we|i'd like to|i would like to|i want to|i want you to|i need to|i need you to|let's"
    r"|countersign)\b[,!:.]* *)+",
    re.IGNORECASE,
)
POLITE_END = re.compile(
    r"(?:[ ,]*\b(?:please|pls|thanks|thank you|thx|cheers|for me)\b)+", re.IGNORECASE
)

_CONDITIONS = "if unless when whenever once while until before after because so provided otherwise"
_QUANTITIES = (
    "every each all any both none no some most several many few more than only just except"
)
_NEGATIONS = (
    "not never don't dont doesn't won't can't cannot without neither nor instead rather but"
)
_PERSONS = "i you he she it we they me him her us them who whom whose which what where why how"
_VERBS = (
    "is are was were be been am do does did has have had can could will would should must may might"
    " ignore forget disregard approve delete remove cancel send mail email forward share pay"
    " transfer"
    " create book schedule update move rename invite tell say ask make give show list find get"
)
_PREPOSITIONS = (
    "to from with at by into onto on via about as per for in of until till and or then also"
)
_TIMES = (
    "today tomorrow tonight yesterday now later soon daily weekly monthly yearly immediately asap"
    " morning afternoon evening noon midnight week month year day days weeks months hour hours"
    " minute minutes am pm o'clock monday tuesday wednesday thursday friday saturday sunday"
    " january february april june july august september october november december next last"
)
_HEDGES = "maybe perhaps probably possibly urgently quickly actually really again always else"

STOP = frozenset(
    word
    for words in (
        _CONDITIONS,
        _QUANTITIES,
        _NEGATIONS,
        _PERSONS,
        _VERBS,
        _PREPOSITIONS,
        _TIMES,
        _HEDGES,
    )
    for word in words.split()
)
"""Words that no unquoted name or title contains: each could change what is meant."""

ARTICLES = frozenset(("a", "an", "the", "my", "our"))
"""Words that no title begins with: a pattern says where they may stand."""

INNER = frozenset(
    ("of", "the", "and", "&", "de", "la", "le", "van", "von", "der", "for", "et", "y")
)
"""Words that may stand inside a proper name: Bank of the West, Procter & Gamble."""

_LEGAL_FORMS = "corp corp. inc inc. ltd ltd. llc gmbh ag plc co co. group labs partners sa bv ab oy"
COMPANY_ENDINGS = frozenset(word for word in _LEGAL_FORMS.split(" "))
