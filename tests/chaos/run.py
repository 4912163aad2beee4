"""One run: people ask, the killer kills, the judge judges."""

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from storage.crypto import Vault
from tests.chaos.crew import Crew, context
from tests.chaos.goals import ask_all
from tests.chaos.judge import Verdict, judge, judge_audit
from tests.chaos.people import People, settle_in
from tests.chaos.provider import serve_provider
from tests.chaos.scale import CLOCKS, FREEZE_S, WORKERS, WRITES, Scale
from tests.chaos.server import FAST, IMMEDIATE, RestartableServer, run_restartable
from tests.chaos.wiring import POLICY, Place, open_chaos

_KILL_EVERY_S = (0.5, 2.0)
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did and what the judge says of it, before and after people looked."""

    scale: Scale
    seconds: float
    kills: int
    restarts: int
    freezes: int
    provider: dict[str, Any]
    audit_rows: int
    verdict: Verdict
    after_look: Verdict

    @property
    def is_good(self) -> bool:
        return not (self.verdict.problems or self.after_look.problems)


class Run:
    """A run in its place."""

    def __init__(
        self, scale: Scale, *, place: Place, server: RestartableServer, crew: Crew
    ) -> None:
        self._scale = scale
        self._place = place
        self._server = server
        self._crew = crew
        self._began = time.monotonic()

    async def play(self) -> Report:
        """Play it to its end: chaos until all is submitted and nearly done, then calm."""
        await settle_in(self._place)
        for role, count in (("worker", WORKERS), ("clock", CLOCKS)):
            for _ in range(count):
                self._crew.start("clock" if role == "clock" else "worker")
        async with open_chaos(self._place) as parts:
            people = People(parts)
            clicking = asyncio.create_task(people.click())
            try:
                verdict = await self._chaos(people)
                after = await self._look(people)
            finally:
                clicking.cancel()
                with suppress(asyncio.CancelledError):
                    await clicking
            self._crew.end()
            rows = await judge_audit(parts.database, after)
        return Report(
            scale=self._scale,
            seconds=self._seconds(),
            kills=self._crew.kills,
            restarts=self._server.restarts,
            freezes=self._crew.freezes,
            provider=await self._provider("state"),
            audit_rows=rows,
            verdict=verdict,
            after_look=after,
        )

    async def _chaos(self, people: People) -> Verdict:
        rng = random.Random(self._scale.seed)
        goals = ask_all(self._scale.goals, rng)
        submitting = asyncio.create_task(people.submit(goals, backlog=self._scale.backlog))
        killing = asyncio.create_task(self._kill(rng))
        try:
            await self._strike(people)
            left_s = max(0.0, self._scale.chaos_s - self._seconds())
            await asyncio.wait([submitting], timeout=left_s)
            few = self._scale.goals // 20
            await self._until_moving(people, at_most=few, by_s=self._scale.chaos_s)
        finally:
            killing.cancel()
            await asyncio.gather(killing, return_exceptions=True)
        await self._provider("calm")
        await asyncio.wait([submitting], timeout=max(0.0, self._scale.limit_s - self._seconds()))
        if not submitting.cancel():
            submitting.result()
        await self._until_moving(people, at_most=0, by_s=self._scale.limit_s)
        return self._judge(await self._provider("state"), people)

    async def _look(self, people: People) -> Verdict:
        """Let people say of every unknown what the provider shows; then everything is done."""
        while True:
            effects = {name for name, _ in (await self._provider("state"))["effects"]}
            if not await people.look_up(effects):
                break
            await self._until_moving(people, at_most=0, by_s=self._scale.limit_s)
        return self._judge(await self._provider("state"), people)

    async def _kill(self, rng: random.Random) -> None:
        while True:
            await asyncio.sleep(rng.uniform(*_KILL_EVERY_S))
            self._crew.kill_one()

    async def _strike(self, people: People) -> None:
        """Restart the database and freeze a worker, spread over the run."""
        strikes = ["restart"] * self._scale.restarts + ["freeze"] * self._scale.freezes
        random.Random(self._scale.seed).shuffle(strikes)
        for number, strike in enumerate(strikes):
            due = self._scale.goals * (number + 1) // (len(strikes) + 1)
            await self._until_submitted(people, due)
            if strike == "freeze":
                await self._crew.freeze_one(FREEZE_S)
            else:
                await self._server.restart(FAST if self._server.restarts % 2 else IMMEDIATE)

    async def _until_moving(self, people: People, *, at_most: int, by_s: float) -> None:
        """Wait until so few goals move; a run that takes too long is judged as it is."""
        while self._seconds() < by_s:
            if await people.count_moving() <= at_most:
                return
            await asyncio.sleep(_POLL_S)

    async def _until_submitted(self, people: People, count: int) -> None:
        while people.submitted < count:
            if self._seconds() > self._scale.chaos_s:
                return
            await asyncio.sleep(_POLL_S)

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _judge(self, state: dict[str, Any], people: People) -> Verdict:
        verdict = judge(
            self._server.url,
            state,
            goals=people.submitted,
            writes=WRITES,
            vouched=frozenset(people.vouched),
        )
        if people.submitted < self._scale.goals:
            verdict.blame(f"the time was enough for {people.submitted} goals only")
        if dead := self._crew.died_by_themselves():
            verdict.blame(f"{dead} processes ended by themselves: {self._crew.log}")
        return verdict

    async def _provider(self, what: str) -> dict[str, Any]:
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
            answer = await client.get(f"{self._place.provider_url}/_control/{what}")
        return dict(answer.json())


@contextmanager
def prepared(scale: Scale) -> Iterator[Run]:
    """Give a run with its server, its provider and its crew; end them all afterwards."""
    forks = context()
    ours, theirs = forks.Pipe()
    provider = forks.Process(target=serve_provider, args=(scale.seed, theirs), daemon=True)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, run_restartable() as server:
        provider.start()
        policy = Path(folder) / "policy.yaml"
        policy.write_text(POLICY, encoding="utf-8")
        place = Place(server.url, ours.recv(), Vault.generate_key(), str(policy), scale.looks)
        log = Path(tempfile.gettempdir()) / f"chaos-{scale.seed}.log"
        log.unlink(missing_ok=True)
        crew = Crew(forks, place, log, random.Random(scale.seed))
        try:
            yield Run(scale, place=place, server=server, crew=crew)
        finally:
            crew.end()
            provider.kill()
            provider.join()
