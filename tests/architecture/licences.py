"""The licences of what we are built on: read from installed metadata, written to docs/licences.md.

`python -m tests.architecture.licences` writes the page anew after the lock file changed.
"""

import re
from importlib.metadata import Distribution, PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "licences.md"
LOCK = REPOSITORY / "requirements.lock"
_LOCKED = re.compile(r"^([A-Za-z0-9][\w.-]*?)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
_LONGEST_NAME = 60

INTRODUCTION = """# Licences of what Countersign is built on

Countersign itself is under the [Apache License 2.0](../LICENSE). These packages are installed with
it (`requirements.lock`); the table is made by `python -m tests.architecture.licences` from what
they declare themselves.

| package | version | licence |
|---|---|---|
"""


def locked(lock: Path) -> dict[str, str]:
    """Return package → version of a lock file."""
    return dict(_LOCKED.findall(lock.read_text(encoding="utf-8")))


def licence_of(name: str) -> str | None:
    """Return what an installed package declares, or None where it is not installed here."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return _declared(found)


def _declared(found: Distribution) -> str:
    """Prefer the expression, then the classifiers, then a short free text."""
    declared = found.metadata
    expression = _first(declared, "License-Expression")
    if expression:
        return expression
    kinds = [item for item in _all(declared, "Classifier") if item.startswith("License ::")]
    names = [item.rpartition(" :: ")[2] for item in kinds if not item.endswith("OSI Approved")]
    if names:
        return ", ".join(names)
    text = _first(declared, "License").strip()
    return text if text and len(text) <= _LONGEST_NAME and "\n" not in text else "not declared"


def _all(declared: PackageMetadata, field: str) -> list[str]:
    return declared.get_all(field, [])


def _first(declared: PackageMetadata, field: str) -> str:
    return next(iter(_all(declared, field)), "")


def row(name: str, version: str) -> str:
    return f"| {name} | {version} | {licence_of(name) or 'not installed on this system'} |"


def render() -> str:
    """Return the page."""
    rows = [row(name, version) for name, version in sorted(locked(LOCK).items())]
    return INTRODUCTION + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
