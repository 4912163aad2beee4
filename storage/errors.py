"""Errors of the storage package."""


class StorageError(Exception):
    """Something about the database is not as it must be; the message says what to do."""


class NotFoundError(StorageError):
    """There is no such row in this team."""

    def __init__(self, noun: str, key: object) -> None:
        super().__init__(f"There is no {noun} {key!r} in this team.")
        self.noun = noun
        self.key = key


class DecryptionError(StorageError):
    """A stored secret does not belong to this row, or the encryption key is another one.

    Check COUNTERSIGN_ENCRYPTION_KEY; the people concerned can also simply connect again.
    """
