"""What we are built on is pinned by hash, and its licences are listed."""

import re
from pathlib import Path

import pytest

from tests.architecture.licences import LOCK, PAGE, REPOSITORY, licence_of, locked, row

DEVELOPMENT = REPOSITORY / "requirements-dev.lock"
# A package that may be redistributed only under its own terms would need a decision by a person.
_KNOWN = re.compile(
    r"MIT|Apache|BSD|PSF|Python Software Foundation|ISC|MPL|Mozilla|LGPL|Unlicense|PostgreSQL|"
    r"Public Domain|CNRI|0BSD"
)


@pytest.mark.parametrize("lock", [LOCK, DEVELOPMENT], ids=lambda lock: lock.name)
def test_every_package_is_pinned_by_hash(lock: Path) -> None:
    """An exact version and at least one SHA-256 for each; no package from another place."""  # S40
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    entries = [entry for entry in entries if re.match(r"[A-Za-z0-9]", entry)]
    assert len(entries) == len(locked(lock)) > 0
    loose = [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert loose == []
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_licences_are_listed() -> None:
    """Each package of the runtime has its row, true for what is installed here."""  # S40
    page = PAGE.read_text(encoding="utf-8").splitlines()
    packages = locked(LOCK)
    listed = {line.split(" | ")[0].removeprefix("| ") for line in page if line.startswith("| ")}
    assert set(packages) <= listed, "run: python -m tests.architecture.licences"
    stale = [
        name
        for name, version in packages.items()
        if licence_of(name) is not None and row(name, version) not in page
    ]
    assert stale == [], "run: python -m tests.architecture.licences"


def test_licences_are_free() -> None:
    """No package of the runtime is under terms that somebody would have to read first."""  # S40
    named = {name: licence_of(name) for name in locked(LOCK)}
    unknown = {name: it for name, it in named.items() if it is not None and not _KNOWN.search(it)}
    assert unknown == {}
