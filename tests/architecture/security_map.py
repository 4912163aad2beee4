"""Which tests show which security requirement: read from their marks, written to docs/security.md.

A test marks what it shows by a comment such as `# S12` or `# S3, S20`, or by `(S12)` in its
docstring. `python -m tests.architecture.security_map` writes the page anew.
"""

import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "security.md"
_MARK = re.compile(r"(?:#\s*|\()((?:S\d{1,2}(?:\s*(?:,|and|to)\s*)?)+)\b")
_NUMBER = re.compile(r"S(\d{1,2})")

INTRODUCTION = """# Security requirements and the tests that show them

The numbers are stable; code and tests name them (`# S12`). The table is made by
`python -m tests.architecture.security_map` from the marks in the tests, and a test fails where a
requirement that is not marked *later* has none. What is promised to whom, and how to report a
weakness, stands in [SECURITY.md](../SECURITY.md).

| | requirement | shown by |
|---|---|---|
"""


@dataclass(frozen=True)
class Requirement:
    """A requirement in one line; `later` says why it is not here yet."""

    text: str
    later: str = ""


REQUIREMENTS: dict[int, Requirement] = {
    1: Requirement("One function executes every action, and it demands a permit; reads too"),
    2: Requirement("An unknown action or argument counts as irreversible"),
    3: Requirement("Every leaf of an argument has a label and a source; a lost one is `outside`"),
    4: Requirement(
        "Reads that carry data out are gated like writes",
        later="no action fetches an address or asks a third party: a connector reaches its own "
        "provider's hosts and nothing else (S30)",
    ),
    5: Requirement("Ids are typed by connector and kind"),
    6: Requirement(
        "Deleting, merging, money and permissions always ask; a write that the plan did not "
        "announce needs a new plan"
    ),
    7: Requirement("Models see no token; credentials are added after the gate"),
    8: Requirement("Results inherit the labels of what they were made from"),
    9: Requirement("Text of others that is quoted loses its links and images"),
    10: Requirement("A decision binds to the hash of the whole call, recomputed at execution"),
    11: Requirement("One conditional update per transition: fifty clicks, one execution"),
    12: Requirement("A late click is refused and answered"),
    13: Requirement("The approver is authorised at the click and again at execution"),
    14: Requirement(
        "Moving money and more than ten rows need two distinct people",
        later="quorums; no action here moves money, and more than ten rows ask one approver",
    ),
    15: Requirement("A button carries an opaque id; forged and foreign payloads are refused"),
    16: Requirement("An edit makes a new call, a new hash and a new decision of policy"),
    17: Requirement("Cards are made by code from the frozen call; hidden characters are shown"),
    18: Requirement("The record is read again before an approved change"),
    19: Requirement("Slack's signature over the raw body, before parsing; nothing handled twice"),
    20: Requirement("Data is escaped and never pings"),
    21: Requirement("Nothing unfurls; links of strangers are dead"),
    22: Requirement("No private data in shared channels; guests and strangers start no goals"),
    23: Requirement("Authorization code with PKCE S256, exact redirect address, `iss` checked"),
    24: Requirement("State: random, hashed, bound, used once, ten minutes; both identities shown"),
    25: Requirement("Refresh is single-flight across processes; rotation is saved before use"),
    26: Requirement("Disconnecting revokes, deletes and withdraws"),
    27: Requirement("Scopes are per action, incremental, read first"),
    28: Requirement("Tokens are encrypted by row, bound to their owner (`keys rotate`: later)"),
    29: Requirement(
        "Uninstalling and deactivation revoke",
        later="Slack's `app_uninstalled` and `tokens_revoked` events are not subscribed to yet; a "
        "deactivated person's goals end (S13)",
    ),
    30: Requirement("One way out: https, pinned global addresses, caps, allow-listed hosts"),
    31: Requirement("MCP tool lists and OpenAPI documents are pinned", later="neither is read yet"),
    32: Requirement("Webhooks are verified over raw bytes, taken once, and only ever a hint"),
    33: Requirement("Malformed input of any kind gets a 4xx and loses nothing"),
    34: Requirement("The audit log is chained; any change is found (outside checkpoints: later)"),
    35: Requirement("Secrets appear in no log, prompt, post, row or page"),
    36: Requirement("Generated code runs in a sandbox", later="no code is generated yet"),
    37: Requirement("Every query names the team; nobody's plan uses another's connection"),
    38: Requirement("Budgets per goal; bulk asks with count and sample"),
    39: Requirement("`countersign halt` stops every write, in every process, until `resume`"),
    40: Requirement("Dependencies are pinned by hash; their licences are listed"),
}


def marks() -> dict[int, list[str]]:
    """Return requirement → the test files that show it."""
    found: dict[int, set[str]] = {}
    for path in sorted((REPOSITORY / "tests").rglob("*.py")):
        if path.name == "security_map.py":
            continue
        for match in _MARK.finditer(path.read_text(encoding="utf-8")):
            for number in _NUMBER.findall(match[1]):
                found.setdefault(int(number), set()).add(str(path.relative_to(REPOSITORY)))
    return {number: sorted(files) for number, files in found.items()}


def render() -> str:
    """Return the page."""
    shown = marks()
    rows = []
    for number, requirement in REQUIREMENTS.items():
        files = ", ".join(
            f"[{Path(name).stem.removeprefix('test_')}](../{name})"
            for name in shown.get(number, [])
        )
        cell = f"later: {requirement.later}" if requirement.later else files
        rows.append(f"| S{number} | {requirement.text} | {cell} |")
    return INTRODUCTION + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
