"""The shape of the house: what a reader may rely on without looking."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("approvals", "bot", "connectors", "storage")
PROVIDER_FILES = {
    "__init__.py",
    "manifest.toml",
    "client.py",
    "actions.py",
    "schemas.py",
    "README.md",
}
MOST_LINES = 400
"""A module this long has more than one subject; CONTRIBUTING.md asks for 60 to 150."""

EDGES = {
    "bot/clock/clock.py",
    "bot/clock/tick.py",
    "bot/web/errors.py",
}
"""Where an unexpected error is met (CONTRIBUTING.md); besides, everything below these folders."""
EDGE_FOLDERS = (
    "bot/intake/",
    "bot/listeners/",
    "bot/worker/",
    "bot/workspace/",
    "connectors/standin/",
)


def _modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


MODULES = {_name(path): path for path in _modules()}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("provider", ["hubspot", "google_calendar"])
def test_provider_folder_has_every_file(provider: str) -> None:
    """A reader who knows one provider knows where to look in the next."""
    folder = ROOT / "connectors" / provider

    assert {path.name for path in folder.iterdir()} >= PROVIDER_FILES
    assert (folder / "standin").is_dir() or (folder / "standin.py").is_file()


def test_modules_are_short() -> None:
    """A module has one subject."""
    long = {
        name: lines
        for name, path in MODULES.items()
        if "migrations/versions" not in name
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }

    assert long == {}


def test_imports_are_absolute() -> None:
    """A module's name is the same wherever it is read."""
    relative = [
        name
        for name, path in MODULES.items()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]

    assert relative == []


def test_exception_is_caught_only_at_the_edges() -> None:
    """An error that nobody expects reaches the one place that answers for it."""
    elsewhere = [
        f"{name}:{node.lineno}"
        for name, path in MODULES.items()
        if name not in EDGES and not name.startswith(EDGE_FOLDERS)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    ]

    assert elsewhere == []


def test_status_is_never_assigned() -> None:
    """Every move is a compare-and-set in a repository, with its audit row."""
    assigned = [
        f"{name}:{node.lineno}"
        for name, path in MODULES.items()
        if name.startswith(("approvals/", "bot/engine/", "bot/goals/", "storage/"))
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr == "status"
    ]

    assert assigned == []


_IGNORE = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<rest>.*)$")
_REASON = re.compile(r"(--|\(|-|#|\u2013)\s*\S.{4,}")


def test_every_ignore_has_a_reason() -> None:
    """Who silences a check says why, on the same line."""
    silent = [
        f"{name}:{number}"
        for name, path in MODULES.items()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := _IGNORE.search(line)) and not _REASON.search(found["rest"])
    ]

    assert not silent, "\n".join(silent)


def test_database_is_committed_in_one_place() -> None:
    """Nothing but `Database.transaction` ends a transaction, by way of its connection."""
    place = {"storage/database.py", "storage/repositories/direct.py"}
    elsewhere = [
        f"{name}:{node.lineno}"
        for name, path in MODULES.items()
        if name.startswith(("approvals/", "bot/", "storage/"))
        and not name.startswith("bot/workspace/")
        and name not in place
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"commit", "rollback", "roll_back"}
    ]

    assert elsewhere == []
