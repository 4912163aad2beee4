"""A goal's page: for the goal's people only, in words, and nothing in it runs."""

import pytest
from sqlalchemy import text

from bot.web.pages import HEADERS
from tests.bot.web.conftest import ADA, DANA, EVE, MO, URL, WORDS, Site


@pytest.mark.parametrize("person_id", [DANA, MO, ADA], ids=["requester", "approver", "admin"])
async def test_people_of_a_goal_read_its_page(site: Site, person_id: str) -> None:
    """Who asked, who is asked, and the admins."""
    page = await site.page(person_id)

    assert page.status_code == 200
    assert WORDS in page.text


@pytest.mark.parametrize("person_id", [EVE, "U0NOBODY"], ids=["colleague", "stranger"])
async def test_others_get_no_link(site: Site, person_id: str) -> None:
    """A goal is no business of colleagues whom it does not concern (S37)."""
    answer = await site.link(person_id)

    assert not answer.ok
    assert answer.url is None


async def test_page_shows_values_with_where_they_came_from(site: Site) -> None:
    """Every value is marked in words; what needs checking stands out."""
    page = await site.page(DANA)

    assert '$48,000.00 <span class="from">from the request</span>' in page.text
    assert 'Acme Ltd <span class="from">looked up</span>' in page.text
    assert '<span class="from check">from outside: check it</span>' in page.text
    assert '<span class="from check">the model suggested this</span>' in page.text


async def test_page_says_who_decided_what_when(site: Site) -> None:
    """Decisions stand at their step with name, time and reason."""
    page = await site.page(DANA)

    assert "Mo Haddad rejected this, " in page.text
    assert "“Wait for &lt;legal&gt;”" in page.text


async def test_page_tells_what_happened_in_order(site: Site) -> None:
    """The timeline is the audit log in words."""
    page = (await site.page(DANA)).text

    told = [
        page.index(said) for said in ("asked for this", "showed the plan", "set the plan going")
    ]
    assert told == sorted(told)


async def test_markup_in_values_is_shown_not_run(site: Site) -> None:
    """What people write is text, whatever it looks like."""
    page = await site.page(DANA)

    assert "Kickoff &lt;b&gt;" in page.text
    assert "<b>" not in page.text


async def test_page_carries_the_strict_headers(site: Site) -> None:
    """No script, no frame, nothing from elsewhere, nothing kept, no address passed on."""
    page = await site.page(DANA)

    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    assert "<script" not in page.text
    assert page.text.count("http") == page.text.count(URL)


async def test_link_that_ended_is_gone(site: Site) -> None:
    """After fifteen minutes the page says how to get a new link."""
    answer = await site.link(DANA)
    async with site.database.transaction() as tx:
        await tx.session.execute(text("UPDATE links SET expires_at = now() - interval '1 second'"))

    page = await site.client.get((answer.url or "").removeprefix(URL))

    assert page.status_code == 410
    assert "/countersign page" in page.text


async def test_made_up_token_is_gone(site: Site) -> None:
    """Guessing gives nothing away."""
    assert (await site.client.get("/goals/guess")).status_code == 410


async def test_person_who_lost_the_right_loses_the_page(site: Site) -> None:
    """The right is checked when the page is opened, not only when the link is given (S13)."""
    answer = await site.link(ADA)
    async with site.database.transaction() as tx:
        await tx.session.execute(text("UPDATE people SET is_active = false"))

    assert (await site.client.get((answer.url or "").removeprefix(URL))).status_code == 410


async def test_token_is_stored_hashed(site: Site) -> None:
    """Whoever reads the database gets no link from it."""
    answer = await site.link(DANA)
    token = (answer.url or "").rpartition("/")[2]
    async with site.database.transaction() as tx:
        stored = (await tx.session.scalars(text("SELECT token_hash FROM links"))).all()

    assert token not in stored
    assert len(token) >= 43
