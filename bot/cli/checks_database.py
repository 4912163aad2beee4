"""`doctor` on the database: reachable, recent enough, up to date, readable with our key."""

import asyncio
from collections.abc import AsyncIterator

from sqlalchemy.exc import SQLAlchemyError

from bot.cli.findings import Finding, note, ok, problem
from bot.config import Settings
from bot.web.health import WORKER_SILENT_S
from connectors.breaker import Breakers
from connectors.broker import TokenBroker
from connectors.egress import Egress
from storage.crypto import Vault
from storage.database import Database
from storage.diagnosis import find_sealed_connection, server_version
from storage.errors import DatabaseAwayError, DecryptionError
from storage.health import read_health

OLDEST = 14
"""PostgreSQL's oldest version that its makers still support."""

_TIMEOUT_S = 5.0


async def check_database(database: Database) -> AsyncIterator[Finding]:
    """Yield how the database is."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            version = await server_version(database)
    except (SQLAlchemyError, DatabaseAwayError, OSError, TimeoutError) as error:
        yield problem(
            f"The database does not answer ({type(error).__name__}).",
            "Check DATABASE_URL, and that PostgreSQL runs and lets you in.",
        )
        return
    if version < OLDEST:
        yield problem(f"PostgreSQL {version} is too old.", f"Use {OLDEST} or later.")
    else:
        yield ok(f"PostgreSQL {version} answers.")
    health = await read_health(database, timeout_s=_TIMEOUT_S)
    if not health.is_current:
        yield problem("The database is not up to date.", "Run `countersign migrate`.")
        return
    yield ok("The database is up to date.")
    if health.worker_seen_s is None or health.worker_seen_s > WORKER_SILENT_S:
        yield note("No worker runs at the moment.", "Start one with `countersign serve`.")
    else:
        yield ok("A worker runs.")


async def check_key(database: Database, settings: Settings) -> Finding:
    """Return whether the encryption key opens what is stored (S28)."""
    connection = await find_sealed_connection(database)
    if connection is None:
        return ok("The encryption key is well-formed; nothing is sealed with it yet.")
    vault = Vault.from_setting(settings.countersign_encryption_key.get_secret_value())
    egress = Egress([])
    try:
        TokenBroker(
            database=database, vault=vault, egress=egress, breakers=Breakers(database)
        ).open(connection)
    except DecryptionError:
        return problem(
            "COUNTERSIGN_ENCRYPTION_KEY is not the key that stored connections were sealed with.",
            "Put the old key back; without it everybody must connect again.",
        )
    finally:
        await egress.close()
    return ok("The encryption key opens what is stored.")
