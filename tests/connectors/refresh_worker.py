"""Four processes that make ten calls each, at once, with one connection after another.

It is a program of its own, because a process that already runs threads should not be forked.
"""

import asyncio
import json
import multiprocessing
import sys
from dataclasses import dataclass
from functools import partial

from connectors.errors import ConnectorError
from connectors.http import ConnectionHttp
from storage.database import Database
from tests.connectors.plumbing import TEAM, Plumbing, settings_at

PROCESSES = 4
CALLS = 10


@dataclass(frozen=True)
class Work:
    database_url: str
    provider_url: str
    key: str
    connection_ids: tuple[int, ...]


async def call(http: ConnectionHttp) -> str:
    try:
        path = "/crm/objects/2026-09/deals/search"
        answer = await http.request("POST", path, json={}, reads=True)
    except ConnectorError as error:
        return type(error).__name__
    return str(answer.status_code)


async def make_calls(work: Work) -> list[str]:
    """Return what became of each call."""
    database = Database(work.database_url)
    plumbing = Plumbing(database, settings_at(work.provider_url), key=work.key)
    results = []
    for connection_id in work.connection_ids:
        async with database.transaction() as tx:
            connection = await tx.connections.get(TEAM, connection_id)
        http = plumbing.http(connection)
        results += await asyncio.gather(*(call(http) for _ in range(CALLS)))
    await plumbing.close()
    await database.close()
    return results


def run(work: Work, _number: int) -> list[str]:
    return asyncio.run(make_calls(work))


if __name__ == "__main__":
    task = Work(sys.argv[1], sys.argv[2], sys.argv[3], tuple(map(int, sys.argv[4:])))
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        sys.stdout.write(json.dumps(pool.map(partial(run, task), range(PROCESSES), chunksize=1)))
