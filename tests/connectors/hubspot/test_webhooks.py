"""The stand-in's webhooks: what HubSpot would send, signed anew for each of its tries."""

import json

from connectors.hubspot.webhook import read_webhook
from tests.connectors.hubspot.crm import deal_id, edit, open_crm
from tests.connectors.receiver import Receiver, serve_app
from tests.connectors.standins import CLIENT_SECRET, Running


async def test_change_is_sent_signed_until_it_is_taken(hubspot: Running) -> None:
    """Each try is signed anew and numbered; the third one, that is taken, is the last."""
    receiver = Receiver(fails=2)
    with serve_app(receiver.app()) as url:
        async with open_crm(hubspot) as stage:
            await hubspot.control("webhooks", {"url": f"{url}/in"})
            deal = await deal_id(stage)
            await edit(stage, "deals", deal, dealstage="closedwon")
            await receiver.until(lambda tries: len(tries) >= 3)
    assert len(receiver.tries) == 3
    for number, delivery in enumerate(receiver.tries):
        (hint,) = read_webhook(delivery, CLIENT_SECRET)
        assert (hint.stream, hint.subjects) == ("deals", frozenset({deal}))
        assert json.loads(delivery.body)[0]["attemptNumber"] == number
    assert len({json.loads(one.body)[0]["eventId"] for one in receiver.tries}) == 1
