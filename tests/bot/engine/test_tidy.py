"""Tidying: what is over goes by its setting, a little at a time; what proves anything stays."""

import asyncio

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from bot.cli.tidy import tidy
from bot.engine.tidy import Tidier
from bot.goals.clicks import Click
from storage.repositories.tidy import BATCH
from storage.retention import RULES, Keep
from storage.sealer import seal, verify
from storage.tables.goals import GoalStatus
from tests.bot.engine.threads import said
from tests.bot.engine.world import DANA, TEAM, World, add

DAY_S = 86_400.0
KEEP_S = {
    Keep.JOBS: 7 * DAY_S,
    Keep.EVENTS: 30 * DAY_S,
    Keep.ARCHIVE: 365 * DAY_S,
    Keep.CARDS: 180 * DAY_S,
}
FOR_EVER = {
    *("audit", "audit_heads", "goals", "plans", "plan_runs", "tasks", "results"),
    *("calls", "attempts", "permits", "approvals", "approval_items", "decisions"),
}


@pytest.fixture
def tidier(world: World) -> Tidier:
    return Tidier(database=world.database, keep_s=KEEP_S)


def count(world: World, table: str) -> int:
    return int(world.one(f"SELECT count(*) FROM {table}"))  # noqa: S608 -- our own names


def add_event(world: World, event_id: str, *, status: str, days: int) -> None:
    world.sql(
        "INSERT INTO inbox (team_id, event_id, thread_key, body, status, tries, received_at) "
        "VALUES ('T1', %s, 'D1', '{\"a\": 1}', %s, 1, now() - make_interval(days => %s))",
        *(event_id, status, days),
    )


def add_job(world: World, status: str, *, days: float, worker: bool = False) -> None:
    """Add a job whose last event is so old, run by a worker that died then or by none."""
    world.sql(
        "WITH w AS (INSERT INTO procrastinate_workers (last_heartbeat) "
        "SELECT now() - make_interval(secs => %s) WHERE %s RETURNING id), "
        "j AS (INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id) "
        "SELECT 'default', 'drive', %s::procrastinate_job_status, (SELECT id FROM w) "
        "RETURNING id) INSERT INTO procrastinate_events (job_id, type, at) "
        "SELECT id, 'started', now() - make_interval(secs => %s) FROM j",
        *(days * DAY_S, worker, status, days * DAY_S),
    )
    world.sql(
        "UPDATE procrastinate_events SET at = now() - make_interval(secs => %s) "
        "WHERE job_id = (SELECT max(id) FROM procrastinate_jobs)",
        days * DAY_S,
    )


def test_no_rule_names_what_an_audit_row_may_refer_to() -> None:
    """The log and what it speaks of stay for ever."""
    assert FOR_EVER.isdisjoint({rule.table for rule in RULES})


async def test_finished_jobs_go_and_others_stay(world: World, tidier: Tidier) -> None:
    """Old failed and aborted jobs, and those that a dead worker left; never what waits or runs."""
    world.forget_jobs()
    for status in ("failed", "aborted"):
        add_job(world, status, days=8)
        add_job(world, status, days=6)
    add_job(world, "todo", days=400)
    add_job(world, "doing", days=1, worker=True)
    add_job(world, "doing", days=1)
    add_job(world, "doing", days=0.01, worker=True)
    expected = {"finished jobs": 2, "jobs of dead workers": 2, "dead workers": 1}
    assert {k: v for k, v in (await tidier.count()).items() if v} == expected
    assert {k: v for k, v in (await tidier.tidy()).items() if v} == expected
    kept = world.one("SELECT string_agg(status::text, ' ' ORDER BY id) FROM procrastinate_jobs")
    assert kept == "failed aborted todo doing"


async def test_job_of_a_living_worker_stays_however_long_it_runs(
    world: World, tidier: Tidier
) -> None:
    """Only a worker that is silent counts as dead."""
    add_job(world, "doing", days=2, worker=True)
    world.sql("UPDATE procrastinate_workers SET last_heartbeat = now()")
    assert sum((await tidier.tidy()).values()) == 0


async def test_handled_events_are_archived_and_later_removed(world: World, tidier: Tidier) -> None:
    """An event that was not handled stays, however old it is."""
    add_event(world, "old", status="handled", days=31)
    add_event(world, "failed", status="failed", days=31)
    add_event(world, "young", status="handled", days=29)
    add_event(world, "waiting", status="received", days=400)
    done = await tidier.tidy()
    assert (done["handled events"], done["archived events"]) == (2, 0)
    assert world.one("SELECT string_agg(event_id, ' ' ORDER BY id) FROM inbox") == "young waiting"
    row = world.one("SELECT row FROM archived_events WHERE row->>'event_id' = 'old'")
    assert row["body"] == {"a": 1}
    world.sql("UPDATE archived_events SET archived_at = now() - interval '366 days'")
    assert (await tidier.tidy())["archived events"] == 2


async def test_taken_webhooks_are_forgotten_when_nobody_could_repeat_them(
    world: World, tidier: Tidier
) -> None:
    """A repetition comes within days; only then is it known as one."""  # S32
    world.sql(
        "INSERT INTO hook_deliveries VALUES "
        "('h', 'old', now() - interval '31 days'), ('h', 'young', now() - interval '29 days')"
    )
    assert (await tidier.tidy())["taken webhooks"] == 1
    assert world.one("SELECT string_agg(delivery, ' ') FROM hook_deliveries") == "young"


async def test_large_backlog_goes_in_batches(world: World, tidier: Tidier) -> None:
    """No statement takes more rows than a batch; one run takes several."""
    world.sql(
        "INSERT INTO inbox (team_id, event_id, thread_key, body, status, tries, received_at) "
        "SELECT 'T1', 'E' || n, 'D1', '{}', 'handled', 1, now() - interval '40 days' "
        "FROM generate_series(1, %s) n",
        2 * BATCH + 7,
    )
    async with world.database.transaction() as tx:
        rule = next(rule for rule in RULES if rule.table == "inbox")
        assert await tx.tidy.remove(rule, keep_s=KEEP_S[rule.keep]) == BATCH
    assert (await tidier.tidy())["handled events"] == BATCH + 7
    assert count(world, "archived_events") == 2 * BATCH + 7


async def test_row_that_somebody_holds_is_left_for_the_next_run(
    world: World, tidier: Tidier
) -> None:
    """Tidying waits for nobody, and two machines do not wait for each other."""
    add_event(world, "held", status="handled", days=31)
    add_event(world, "free", status="handled", days=31)
    async with world.database.transaction() as tx:
        await tx.session.execute(text("SELECT 1 FROM inbox WHERE event_id = 'held' FOR UPDATE"))
        assert (await tidier.tidy())["handled events"] == 1
    assert (await tidier.tidy())["handled events"] == 1


async def test_cards_of_goals_that_ended_long_ago_are_forgotten(
    world: World, tidier: Tidier
) -> None:
    """Those of open goals and of goals that ended lately can still be redrawn."""
    old = await world.start(add("t1", "Old"))
    lately = await world.start(add("t1", "Late"))
    is_open = await world.plan(add("t1", "Open"))
    await world.drive(is_open)
    world.sql("UPDATE outbox SET sent = wanted, created_at = now() - interval '400 days'")
    world.sql(
        "INSERT INTO outbox (team_id, noun, subject, channel_id, data, wanted, sent, priority, "
        "tries, created_at) SELECT 'T1', 'goal', g.id::text, 'D1', '{}', 1, 1, 5, 0, "
        "now() - interval '400 days' FROM goals g ON CONFLICT DO NOTHING"
    )
    world.sql("UPDATE goals SET settled_at = now() - interval '200 days' WHERE id = %s", old)
    assert (await tidier.tidy())["notes of cards"] >= 1
    left = world.one(
        "SELECT array_agg(DISTINCT subject::bigint) FROM outbox WHERE noun IN ('goal', 'summary')"
    )
    assert set(left) == {lately, is_open}
    assert (await world.goal(old)).status is GoalStatus.DONE


async def test_every_other_message_goes_by_its_goal_or_its_age(
    world: World, tidier: Tidier
) -> None:
    """No noun stays for ever; what says that a person was told stays while their goal is open."""
    old = await world.start(add("t1", "Old"))
    is_open = await world.plan(add("t1", "Open"))
    world.sql("DELETE FROM outbox")
    world.sql("UPDATE goals SET settled_at = now() - interval '200 days' WHERE id = %s", old)
    for goal_id in (old, is_open):
        task_id = (await world.tasks(goal_id))["t1"].id
        handoff_id = world.one(
            "INSERT INTO handoffs (team_id, goal_id, reference) VALUES ('T1', %s, 'a') "
            "RETURNING id",
            goal_id,
        )
        for noun, subject in (
            ("question", task_id),
            ("handoff", handoff_id),
            ("note", f"time:{goal_id}"),
            ("note", f"edited:{goal_id}"),
            ("welcome", f"D1:{goal_id}.0"),
        ):
            world.sql(
                "INSERT INTO outbox (team_id, noun, subject, channel_id, data, wanted, sent, "
                "priority, tries, created_at) VALUES ('T1', %s, %s, 'D1', '{}', 1, 1, 5, 0, "
                "now() - interval '400 days')",
                *(noun, str(subject)),
            )
    assert (await tidier.tidy())["notes of cards"] == 7
    left = world.one("SELECT array_agg(noun || ' ' || subject ORDER BY noun) FROM outbox")
    assert left == [f"handoff {handoff_id}", f"note time:{is_open}", f"question {task_id}"]


async def test_messages_about_goals_go_after_their_cards(world: World, tidier: Tidier) -> None:
    """What was asked about an open goal stays; of one that ended long ago card and row go."""
    for number in (1, 2):
        goal_id = await world.plan(add("t1", "Deal", size="1"), add("t2", "Note", size="2"))
        await world.drive(goal_id)
        await world.goals.receive(said("change the size to 9", ts=f"9.{number}"))
        assert world.one("SELECT goal_id FROM remarks ORDER BY id DESC LIMIT 1") == goal_id
    world.sql("UPDATE outbox SET sent = wanted, created_at = now() - interval '400 days'")
    world.sql("UPDATE remarks SET created_at = now() - interval '400 days'")
    query = "SELECT count(*) FROM outbox WHERE noun = 'remark'"
    assert (await tidier.tidy())["messages about goals"] == 0
    world.sql("UPDATE goals SET settled_at = now() - interval '200 days' WHERE id < %s", goal_id)
    assert (await tidier.tidy())["messages about goals"] == 1
    assert (count(world, "remarks"), world.one(query)) == (1, 1)


async def test_audit_chain_is_whole_after_tidying(world: World) -> None:
    """Whatever goes, the log still proves itself, and what it speaks of is there (S34)."""
    goal_id = await world.start(add("t1", "Report"))
    task_id = (await world.tasks(goal_id))["t1"].id
    assert (await world.undos.undo(Click(TEAM, DANA), task_id)).ok
    await seal(world.database)
    world.sql("UPDATE outbox SET sent = wanted, created_at = now() - interval '9 years'")
    world.sql("UPDATE goals SET settled_at = now() - interval '9 years'")
    before = {table: count(world, table) for table in FOR_EVER}
    nothing_stays = Tidier(database=world.database, keep_s=dict.fromkeys(KEEP_S, 1.0))
    assert sum((await nothing_stays.tidy()).values()) > 0
    assert {table: count(world, table) for table in FOR_EVER} == before
    async with world.database.transaction() as tx:
        report = await verify(tx.session)
    assert [(team.first_bad_seq, team.unsealed) for team in report.teams] == [(None, 0)]
    assert report.teams[0].rows > 0


async def test_dry_run_says_what_would_go_and_removes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`countersign tidy --dry-run` only counts; without it, it removes."""
    add_event(world, "old", status="handled", days=31)
    monkeypatch.setenv("DATABASE_URL", world.database.url)
    said = await asyncio.to_thread(CliRunner().invoke, tidy, ["--dry-run"])
    assert "handled events: 1 would go" in said.output
    assert count(world, "inbox") == 1
    said = await asyncio.to_thread(CliRunner().invoke, tidy)
    assert "handled events: 1 removed" in said.output
    assert count(world, "inbox") == 0
