"""Errors of the storage package."""

DISK_FULL = "53100"
"""Source: https://www.postgresql.org/docs/18/errcodes-appendix.html"""


class StorageError(Exception):
    """Something about the database is not as it must be; the message says what to do."""


class DatabaseAwayError(StorageError):
    """The database does not answer, or has no room to write. Nothing of this was stored for sure.

    Look at its log and its disk; what waits goes on by itself once it answers.
    """

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(
            "The database's disk is full."
            if sqlstate == DISK_FULL
            else "The database does not answer."
        )
        self.sqlstate = sqlstate
        """PostgreSQL's code; None where the connection itself was lost."""


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
