"""Whose clock decides: workers on machines whose clocks are minutes apart agree on everything."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("approvals", "bot", "connectors", "storage")
WALL_CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
}
LOCAL = {
    "bot/people/service.py": "how long a profile counts as fresh",
    "connectors/broker.py": "whether a token looks old; the provider has the last word (401)",
    "connectors/http.py": "Retry-After as a date of the provider's own clock",
    "connectors/tokens.py": "when a new token ends, as far as we can know",
    "storage/instants.py": "until the database was asked for the first time",
    "bot/engine/home_queries.py": "the default; the wired one is the database's clock",
    "bot/engine/outcomes.py": "a pause before the next try",
}
"""Where a machine's own wall clock is read, and why being off by minutes does no harm there."""

BESIDE = ("bot/workspace/", "bot/cli/", "connectors/standin/")
"""Stand-ins of others and a person's own commands: one machine, nothing to agree on."""


def _readers() -> set[str]:
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(BESIDE) or "/standin/" in name:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and (node.value.id, node.attr) in WALL_CLOCKS
                ):
                    found.add(name)
    return found


def test_wall_clock_is_read_only_where_it_cannot_hurt() -> None:
    """Leases, deadlines and due times are judged by the database's clock (storage.instants)."""
    assert _readers() <= set(LOCAL)
