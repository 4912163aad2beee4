"""Policy: the tiers, the rules of policy.yaml, and their order."""

from pathlib import Path
from typing import Any

import pytest

from approvals.errors import PolicyError
from approvals.policy import Answer, Policy, Subject
from connectors.actions import Effect
from connectors.labels import Label, Provenance

MESSAGE = Provenance(Label.MESSAGE, "the message")
OUTSIDE = Provenance(Label.OUTSIDE, "t1.note")


def subject(**changes: Any) -> Subject:
    fields: dict[str, Any] = {
        "connector": "hubspot",
        "action": "create_deal",
        "effect": Effect.SHARED,
        "arguments": {"name": "Acme", "amount": "48000.00"},
        "labels": {"/name": MESSAGE},
        "requester_role": "member",
    }
    return Subject(**fields | changes)


def policy(rules: str = "") -> Policy:
    return Policy.parse(f"version: 1\nrules:\n{rules}" if rules else "version: 1")


@pytest.mark.parametrize(
    ("effect", "label", "answer", "asks_requester"),
    [
        pytest.param(Effect.READ, MESSAGE, Answer.ALLOW, None, id="read"),
        pytest.param(Effect.OWN, MESSAGE, Answer.ALLOW, None, id="own"),
        pytest.param(Effect.OWN, OUTSIDE, Answer.ASK, True, id="own-with-outside-value"),
        pytest.param(Effect.SHARED, MESSAGE, Answer.ASK, True, id="shared"),
        pytest.param(Effect.IRREVERSIBLE, MESSAGE, Answer.ASK, False, id="irreversible"),
    ],
)
def test_no_rules_tier_decides(
    effect: Effect, label: Provenance, answer: Answer, *, asks_requester: bool | None
) -> None:
    """Without a rule the tier answers."""
    verdict = policy().judge(subject(effect=effect, labels={"/name": label}))
    assert verdict.answer is answer
    assert (verdict.ask.requester if verdict.ask else None) is asks_requester


def test_allow_rule_on_irreversible_call_still_asks() -> None:
    """The floor: no rule waves the last tier through (S2, S6)."""
    allow = policy("  - {name: all, when: {connector: hubspot}, allow: true}")
    assert allow.judge(subject(effect=Effect.IRREVERSIBLE)).answer is Answer.ASK
    assert allow.judge(subject(always_asks=True)).answer is Answer.ASK
    assert allow.judge(subject()).answer is Answer.ALLOW


def test_allow_rule_with_outside_value_asks() -> None:
    """A stranger's value is never waved through by a rule."""
    allow = policy("  - {name: all, when: {connector: hubspot}, allow: true}")
    assert allow.judge(subject(labels={"/name": OUTSIDE})).answer is Answer.ASK


def test_deny_rule_wins_over_more_specific_rules() -> None:
    """A deny rule is final."""
    rules = policy(
        "  - {name: by-hand, when: {action: create_deal}, deny: Deals are made by hand.}\n"
        "  - {name: all, when: {action: create_deal, connector: hubspot}, allow: true}"
    )
    verdict = rules.judge(subject())
    assert (verdict.answer, verdict.reason) == (Answer.DENY, "Deals are made by hand.")


def test_more_conditions_win_and_ask_wins_a_tie() -> None:
    """The most specific rule answers; of two equal ones the asking one."""
    rules = policy(
        "  - {name: small, when: {connector: hubspot, action: create_deal}, allow: true}\n"
        "  - name: big\n"
        "    when: {connector: hubspot, action: create_deal, arguments: {amount: {ge: 10000}}}\n"
        "    ask: {role: approver}\n"
        "  - {name: tie, when: {connector: hubspot, effect: shared_reversible},"
        " ask: {requester: true}}"
    )
    assert rules.judge(subject()).rule == "big"
    assert rules.judge(subject(arguments={"amount": "9999.99"})).rule == "tie"


@pytest.mark.parametrize(
    ("condition", "value", "matches"),
    [
        ("{eq: Acme}", "Acme", True),
        ("{eq: Acme}", "Globex", False),
        ("{gt: 10}", "10.01", True),
        ("{gt: 10}", "ten", False),
        ("{le: 10}", 10, True),
        ("{contains: ACME}", "the acme deal", True),
        ("{ends_with: ['@northwind.example']}", ["a@northwind.example"], True),
        ("{ends_with: ['@northwind.example']}", ["a@northwind.example", "b@x.example"], False),
        ("{ends_with: ['@northwind.example']}", [], False),
        ("{in_: [a, b]}", "b", True),
    ],
)
def test_condition_on_argument(condition: str, value: Any, *, matches: bool) -> None:
    """A condition compares numbers as decimals, and text without regard to case."""
    rules = policy(
        f"  - {{name: r, when: {{arguments: {{value: {condition}}}}}, ask: {{role: admin}}}}"
    )
    verdict = rules.judge(subject(effect=Effect.READ, arguments={"value": value}))
    assert (verdict.rule == "r") is matches


def test_condition_on_absent_argument_never_matches() -> None:
    """A missing argument matches no condition."""
    rules = policy("  - {name: r, when: {arguments: {value: {lt: 10}}}, deny: x}")
    assert rules.judge(subject()).rule != "r"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version: 2", "version"),
        ("version: 1\nrules: [{name: A B, allow: true}]", "rules.0.name"),
        ("version: 1\nrules: [{name: a}]", "exactly one"),
        ("version: 1\nrules: [{name: a, allow: true, wehn: {}}]", "wehn"),
        ("version: [", "YAML"),
        ("[]", "its top"),
    ],
)
def test_wrong_policy_names_the_place(text: str, place: str) -> None:
    """A wrong policy is refused with the place that is wrong."""
    with pytest.raises(PolicyError, match=place):
        Policy.parse(text)


def test_shipped_policy_asks_an_approver_for_what_others_see() -> None:
    """policy.yaml in the repository is valid and names the approvers for the last tier."""
    shipped = Policy.load(Path(__file__).parents[2] / "policy.yaml")
    verdict = shipped.judge(subject(effect=Effect.IRREVERSIBLE))
    assert verdict.ask is not None
    assert verdict.ask.role == "approver"
    assert shipped.judge(subject()).rule == "tier-shared"
