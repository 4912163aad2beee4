"""What a stranger wrote at a provider is data in every place that shows it."""

import re
from typing import Any

from bot.views import ids
from storage.crypto import Vault
from tests.bot.badinput.test_models import read_texts
from tests.bot.badinput.whole_bot import DANA, HUBSPOT, TEAM, WholeBot

NAMES = {
    "ping": "<!channel> <!here> <@U0MO> @channel",
    "link": "<https://evil.example/a|Approve> https://evil.example/b www.evil.example",
    "image": "![x](https://evil.example/x.png) [y](javascript:alert(1))",
    "markup": "*bold* _it_ ~no~ `code` :tada: &lt;!channel&gt;",
    "page": "<script>alert(1)</script><img src=x onerror=alert(2)>\"'",
    "hidden": "a\u200bb\u202ec\u2066d\u00ade\U000e0041",
    "lookalike": "p\u0430ypal \u0430\u0441\u0435.com",
    "lines": "one\ntwo\r\n*Approved by Mo*\t\u2028three",
    "long": "é" * 60_000,
}
QUESTION = "Which deals does Acme have?"
CRM = "/crm/objects/2026-09"
HIDDEN = "\u200b\u202e\u2066\u00ad\U000e0041\u2028"


async def test_strangers_words_neither_ping_link_nor_hide(bot: WholeBot) -> None:
    """In answers, cards, the digest, Home and the goal's page."""  # S9, S17, S20, S21
    await bot.say(QUESTION)
    await bot.connect()
    await bot.say("Create a deal for Acme worth $48,000")
    await bot.press(DANA, ids.GOAL_RUN)
    await bot.connect()
    for name in NAMES.values():
        await create_deal(bot, name)
    await bot.say(QUESTION)
    assert bot.goals()[-1] == (QUESTION, "done")
    await bot.people.do("command", {"as": DANA, "command": "/countersign", "text": "digest"})
    await bot.people.do("open-home", {"as": DANA})
    await bot.work()
    views: Any = await bot.people.look("views", **{"as": DANA})
    shown = [await bot.cards(), views]
    assert "evil" in str(shown)
    assert not set(HIDDEN) & set("".join(every_text(shown)))
    for text in read_texts(shown):
        assert not re.search(r"<!(channel|here)|<@U0MO|<https?://evil|<javascript", text)
    for text in every_text(shown):
        assert "https://evil" not in text
        assert "www.evil" not in text


async def test_words_of_others_are_text_on_the_goals_page(bot: WholeBot) -> None:
    """A page of ours runs no script and links nowhere but to the provider."""  # S9, S17, S21
    wish = 'Create a deal for "<script>alert(1)</script>\u202e" worth $48,000'
    await bot.say(wish)
    await bot.press(DANA, ids.GOAL_PAGE)
    urls = re.findall(rf"{re.escape(bot.url)}/goals/[\w-]+", str(await bot.cards()))
    journal = str(await bot.people.look("log"))
    urls += re.findall(rf"{re.escape(bot.url)}/goals/[\w-]+", journal)
    assert urls
    page = await bot.http.get(urls[-1])
    assert page.status_code == 200
    assert "&lt;script&gt;" in page.text
    assert "<script" not in page.text
    assert "\u202e" not in page.text


async def create_deal(bot: WholeBot, name: str) -> None:
    """Write a deal of Acme's as somebody else might have."""
    async with bot.database.transaction() as tx:
        row = await tx.connections.find(TEAM, DANA, HUBSPOT)
    assert row is not None
    key = bot.parts.settings.countersign_encryption_key.get_secret_value()
    vault = Vault.from_setting(key)
    raw = vault.open(row.secret or b"", bound_to=f"{TEAM}|{DANA}|{HUBSPOT}")
    access = re.search(rb'"access":"([^"]+)"', raw)
    assert access is not None
    headers = {"authorization": f"Bearer {access[1].decode()}"}
    found = await bot.http.post(
        f"{bot.standins[HUBSPOT]}{CRM}/companies/search",
        json={"query": "Acme", "properties": ["name"], "limit": 1},
        headers=headers,
    )
    company = found.json()["results"][0]["id"]
    associated = {
        "to": {"id": company},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}],
    }
    made = await bot.http.post(
        f"{bot.standins[HUBSPOT]}{CRM}/deals",
        json={
            "properties": {"dealname": name, "dealstage": "appointmentscheduled"},
            "associations": [associated],
        },
        headers=headers,
    )
    assert made.status_code == 201, made.text


def every_text(node: Any) -> list[str]:
    """Return every text that a message or view shows, read for markup or not."""
    if isinstance(node, list):
        return [text for item in node for text in every_text(item)]
    if not isinstance(node, dict):
        return []
    own = [node["text"]] if isinstance(node.get("text"), str) else []
    return own + [text for value in node.values() for text in every_text(value)]
