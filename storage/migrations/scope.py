"""Which objects of the database are ours: Procrastinate's are applied by us, not compared."""

from typing import Any

_PREFIXES = ("procrastinate_", "idx_procrastinate_", "ix_procrastinate_")


def is_ours(
    _object: Any,
    name: str | None,
    _kind: str,
    _reflected: bool,  # noqa: FBT001 -- alembic's own hook
    _other: Any,
) -> bool:
    """Whether alembic compares this object with our models."""
    return not (name or "").startswith(_PREFIXES)
