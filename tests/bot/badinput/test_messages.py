"""What a careful user would expect of messages that are no clear goal, through the whole bot."""

from typing import Any

from bot.listeners.middleware import GUESTS
from bot.views import ids
from tests.bot.badinput.whole_bot import DANA, GUS, WholeBot

QUESTION = "Which deals does Acme have?"


NO_GOAL = {
    "a" * 40_000: "That message has 40,000 characters",
    "<" * 5_000: "That message has 5,000 characters",
    "🎉🎉👩‍👩‍👧‍👦": "I did not find a word in that",
    ":tada: :man-woman-boy:": "I did not find a word in that",
    ":wave::skin-tone-3:": "I did not find a word in that",
    "… —": "I did not find a word in that",
    "\u200b\u202e\u2066": "I did not find a word in that",
}


async def test_message_without_a_goal_gets_a_clear_answer(bot: WholeBot) -> None:
    """No goal begins; each message is answered once, and says what to write instead."""
    for number, (text, answer) in enumerate(NO_GOAL.items()):
        await bot.say(text)
        said = await bot.shown()
        assert len(said) == number + 1
        assert answer in said[-1]
        assert "Tell me in a sentence" in said[-1]
    assert bot.goals() == []


OTHER_LANGUAGES = (
    "Erstelle einen Deal für Acme über 48.000 €",
    "アクメの商談を作成してください",
    "أنشئ صفقة لشركة أكمي",
    "Створи угоду для Acme на 48000",
    "Crée une affaire pour Acme de 48 000 €",
)


async def test_other_language_is_declined_with_what_is_understood(bot: WholeBot) -> None:
    """The offline planner guesses nothing: it says what it understands, and nothing runs."""
    for text in OTHER_LANGUAGES:
        await bot.say(text)
    assert bot.goals() == [(text, "failed") for text in OTHER_LANGUAGES]
    said = await bot.shown()
    assert len(said) == len(OTHER_LANGUAGES)
    assert all(QUESTION in text for text in said)
    assert bot.rows("SELECT id FROM tasks") == []


async def test_attachment_alone_is_answered(bot: WholeBot) -> None:
    """A file without words is no goal, and the person reads so."""
    await bot.say("", files=[{"name": "plan.pdf"}])
    assert bot.goals() == []
    (said,) = await bot.shown()
    assert "I cannot read attachments yet" in said


NOT_A_MESSAGE: dict[str, dict[str, Any]] = {
    "unknown person": {"user": "U0NOBODY"},
    "slackbot": {"user": "USLACKBOT"},
    "person with quotes": {"user": "U0DANA' OR 1=1"},
    "app in a person's name": {"bot_id": "B0OTHER"},
    "bot": {"subtype": "bot_message", "bot_id": "B0OTHER"},
    "our own": {"user": "U0BOT", "bot_id": "B0BOT"},
    "join": {"subtype": "channel_join"},
    "deleted": {"subtype": "message_deleted", "deleted_ts": "1.0"},
    "unknown subtype": {"subtype": "something_new"},
    "another kind of channel": {"channel_type": "something_new"},
    "edit of an unknown message": {
        "subtype": "message_changed",
        "message": {"user": DANA, "ts": "1.0", "text": "changed"},
    },
    "edit without a person": {
        "subtype": "message_changed",
        "message": {"ts": "1.0", "text": "changed"},
    },
    "edit without a text": {"subtype": "message_changed", "message": {"user": DANA, "ts": "1.0"}},
    "nobody": {"user": None},
}


async def test_event_that_is_no_persons_message_starts_nothing(bot: WholeBot) -> None:
    """It is taken, and nothing comes of it: no goal, no answer, no failing job."""  # S22
    for name, changes in NOT_A_MESSAGE.items():
        await bot.event(bot.dm(**changes), event_id=name)
    statuses = {row["status"] for row in bot.rows("SELECT status FROM inbox")}
    assert statuses <= {"handled"}
    assert bot.goals() == []
    assert await bot.shown() == []


MALFORMED: dict[str, dict[str, Any]] = {
    "list for a person": {"user": ["U0DANA"]},
    "no channel": {"channel": None},
    "object for a channel": {"channel": {"id": "D0DANA"}},
    "endless channel": {"channel": "D" * 300},
    "no ts": {"ts": None},
    "number for a ts": {"ts": 1.5},
    "object for a text": {"text": {"a": 1}},
    "list for a thread": {"thread_ts": ["1.0"]},
    "text for files": {"files": "plan.pdf"},
    "list for a channel type": {"channel_type": ["im"]},
    "text for an edit": {"subtype": "message_changed", "message": "x"},
    "list for an earlier text": {"subtype": "message_changed", "previous_message": []},
    "list for a subtype": {"subtype": ["message_changed"]},
    "list for a bot": {"bot_id": []},
}


async def test_message_of_impossible_shape_is_refused(bot: WholeBot) -> None:
    """A 400 and no row: a job that can only fail would be run five times."""  # S33
    answers = {name: await bot.post(bot.dm(**changes)) for name, changes in MALFORMED.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        MALFORMED, 400
    )
    assert bot.rows("SELECT id FROM inbox") == []


async def test_guest_reads_that_it_is_for_members(bot: WholeBot) -> None:
    """A guest's message is answered, and is no goal."""  # S22
    await bot.say(QUESTION, as_=GUS)
    assert bot.goals() == []
    assert [said.split("\n")[0] for said in await bot.shown(GUS)] == [GUESTS]


async def test_mention_that_comes_as_message_too_is_one_goal(bot: WholeBot) -> None:
    """In a channel Slack sends an app_mention and a message, in a DM perhaps too."""  # S19
    await bot.say(f"<@U0BOT> {QUESTION}", channel="C0SALES")
    assert len(bot.goals()) == 1
    mention = bot.dm(text=f"<@U0BOT> {QUESTION}")
    await bot.event(mention, event_id="EvA")
    await bot.event({**mention, "type": "app_mention"}, event_id="EvB")
    assert len(bot.goals()) == 2


async def test_edit_while_a_goal_is_open_is_answered_and_changes_nothing(bot: WholeBot) -> None:
    """The person reads how to change it; what was planned stays."""
    ts = await bot.say(QUESTION)
    changed = {"user": DANA, "ts": ts, "text": "Create a deal for Beta worth $1"}
    (goal,) = bot.rows("SELECT channel_id FROM goals")
    edit = bot.dm(
        subtype="message_changed",
        channel=goal["channel_id"],
        message=changed,
        previous_message={"text": QUESTION},
    )
    edit.pop("user")
    await bot.event(edit)
    assert [text for text, _ in bot.goals()] == [QUESTION]
    assert "I still work on what you wrote first" in "\n".join(await bot.shown())


INVITATION = "Invite jane.doe@acme.example to lunch tomorrow at 12:00 for 1 hour"


async def test_deleted_message_ends_a_goal_that_has_not_begun(bot: WholeBot) -> None:
    """Whoever takes their words back finds no card that still offers to run them."""
    ts = await bot.say(INVITATION)
    assert bot.goals() == [(INVITATION, "proposed")]
    await bot.event(_deletion(bot, ts))
    assert bot.goals() == [(INVITATION, "cancelled")]
    assert "You deleted your message, so nothing was done" in "\n".join(await bot.shown())


async def test_deleted_message_leaves_a_running_goal_as_it_is(bot: WholeBot) -> None:
    """What runs is stopped by Cancel, never by a message that disappears."""
    ts = await bot.say(INVITATION)
    await bot.press(DANA, ids.GOAL_RUN)
    before = bot.goals()
    await bot.event(_deletion(bot, ts))
    assert bot.goals() == before
    assert before[0][1] in ("running", "waiting")


def _deletion(bot: WholeBot, ts: str) -> dict[str, Any]:
    (goal,) = bot.rows("SELECT channel_id FROM goals")
    return bot.dm(subtype="message_deleted", channel=goal["channel_id"], deleted_ts=ts)
