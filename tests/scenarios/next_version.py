"""The next version of the code: this one with a few changes that a release may bring."""

import shutil
from pathlib import Path

from bot.cli.stage import REPOSITORY

_PACKAGES = ("bot", "approvals", "connectors", "storage")
_NEEDED = ("tests/__init__.py", "tests/scenarios/__init__.py", "tests/scenarios/nursery.py")

NEW_JOB = "drive_goal"
"""What the next version calls the job that this one calls `drive`."""

_CHANGES = (
    # A job has another name: neither version knows the other's.
    ("bot/parts.py", 'Job("drive",', f'Job("{NEW_JOB}",'),
    ("bot/engine/drive.py", 'tx.defer("drive",', f'tx.defer("{NEW_JOB}",'),
    # An action has one more argument, and with it a version of its own.
    (
        "connectors/hubspot/schemas.py",
        "class CreateDeal(Arguments):",
        """class _CreateDeal(Arguments):
    memo: Annotated[Text | None, Arg(title="Memo")] = None

class CreateDeal(_CreateDeal):""",
    ),
    (
        "connectors/hubspot/actions.py",
        '    name="create_deal",\n',
        '    name="create_deal",\n    version=2,\n',
    ),
)


def write_next_version(tree: Path) -> None:
    """Write the next version's source into a new folder.

    Raises:
        AssertionError: what is to be changed is not there any more; change `_CHANGES`.
    """
    for package in _PACKAGES:
        # With what was compiled: a copy keeps the times by which Python knows that it fits.
        shutil.copytree(REPOSITORY / package, tree / package)
    for name in _NEEDED:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, tree / name)
    for name, before, after in _CHANGES:
        source = (tree / name).read_text(encoding="utf-8")
        assert source.count(before) == 1, f"{name} has no single {before!r}"
        (tree / name).write_text(source.replace(before, after), encoding="utf-8")
