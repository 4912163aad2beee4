"""What a look sees of a deal."""

import pytest

from connectors.errors import RejectedError
from connectors.events import Sought
from connectors.hubspot.events import check_stage
from tests.connectors.hubspot.crm import deal_id, edit, open_crm
from tests.connectors.standins import Running


@pytest.mark.parametrize("stage", ["closedwon", "Closed won", "closed WON ", "won"])
async def test_stage_is_known_by_its_id_its_name_and_what_people_call_it(
    hubspot: Running, stage: str
) -> None:
    """The deal is not in the stage, then it is; another stage is not this one."""
    async with open_crm(hubspot) as stage_:
        deal = await deal_id(stage_)
        sought = Sought(deal, stage, None)
        assert not (await check_stage(stage_.context, sought)).happened
        await edit(stage_, "deals", deal, dealstage="closedlost")
        assert not (await check_stage(stage_.context, sought)).happened
        await edit(stage_, "deals", deal, dealstage="closedwon")
        assert (await check_stage(stage_.context, sought)).happened


async def test_deal_that_nobody_has_is_refused(hubspot: Running) -> None:
    """An id that leads nowhere ends the wait with a sentence, and happens never."""
    async with open_crm(hubspot) as stage:
        with pytest.raises(RejectedError):
            await check_stage(stage.context, Sought("404404", "won", None))
