"""The stand-in's webhooks: what HubSpot would send, signed anew for each of its tries."""

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.events import Delivery
from connectors.hubspot.webhook import read_webhook
from tests.bot.engine.counting import serve_app
from tests.connectors.hubspot.crm import deal_id, edit, open_crm
from tests.connectors.standins import CLIENT_SECRET, Running


@dataclass
class Receiver:
    """Takes webhooks, and fails the first ones."""

    fails: int = 0
    tries: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: threading.Event = field(default_factory=threading.Event)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/in", self.receive, methods=["POST"])])

    async def receive(self, request: Request) -> Response:
        self.tries.append((dict(request.headers), await request.body()))
        if len(self.tries) <= self.fails:
            return Response(status_code=500)
        self.taken.set()
        return Response(status_code=202)


async def test_change_is_sent_signed_until_it_is_taken(hubspot: Running) -> None:
    """Each try is signed anew and numbered; the third one, that is taken, is the last."""
    receiver = Receiver(fails=2)
    with serve_app(receiver.app()) as url:
        async with open_crm(hubspot) as stage:
            await hubspot.control("webhooks", {"url": f"{url}/in"})
            deal = await deal_id(stage)
            await edit(stage, "deals", deal, dealstage="closedwon")
            assert await asyncio.to_thread(receiver.taken.wait, 5)
    assert len(receiver.tries) == 3
    for number, (headers, body) in enumerate(receiver.tries):
        delivery = Delivery(
            method="POST", url=f"{url}/in", headers=headers, body=body, now_s=time.time()
        )
        (hint,) = read_webhook(delivery, CLIENT_SECRET)
        assert (hint.stream, hint.subjects) == ("deals", frozenset({deal}))
        assert json.loads(body)[0]["attemptNumber"] == number
    assert len({json.loads(body)[0]["eventId"] for _, body in receiver.tries}) == 1
