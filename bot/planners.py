"""Which planner serves: a model where one is configured, otherwise the offline planner."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from bot.config import Settings
from bot.llm.messages import Size, UsageRecord
from bot.planning.outcome import Planner
from bot.planning.reading import Reader
from connectors.registry import Registry
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Planners:
    """Who plans, and who reads what is written about a goal under way; without a model nobody."""

    planner: Planner
    reader: Reader | None


@asynccontextmanager
async def open_planners(
    settings: Settings, registry: Registry, database: Database
) -> AsyncIterator[Planners]:
    """Yield what the settings ask for, and close the model's client at the end."""
    # Each planner's imports take 3 to 20 MB and up to half a second: only what serves is loaded.
    if not settings.has_model:
        from bot.planning.offline.planner import OfflinePlanner  # noqa: PLC0415 -- as above

        yield Planners(OfflinePlanner(registry), None)
        return
    from bot.llm.client import ModelClient  # noqa: PLC0415 -- as above
    from bot.planning.model import ModelPlanner  # noqa: PLC0415 -- as above
    from bot.planning.model_reader import ModelReader  # noqa: PLC0415 -- as above

    async def record(usage: UsageRecord) -> None:
        # One statement, which commits by itself.
        async with database.reading() as tx:
            await tx.usage.add(**asdict(usage))

    key = settings.openai_api_key
    client = ModelClient(
        base_url=settings.openai_base_url,
        api_key=key.get_secret_value() if key else "none",
        models={
            Size.LARGE: (settings.countersign_model_large,),
            Size.SMALL: (settings.countersign_model_small,),
        },
        usage=record,
    )
    try:
        yield Planners(ModelPlanner(client=client, registry=registry), ModelReader(client))
    finally:
        await client.close()
