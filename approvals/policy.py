"""Policy: `policy.yaml` and the verdict on one call (ARCHITECTURE.md, section 6)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from approvals.conditions import When
from approvals.errors import PolicyError
from connectors.actions import Effect
from connectors.labels import Label, Labels

BULK_ROWS = 10
"""More calls than these in one go are of the last tier, whatever each of them does (S38)."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ask(_Model):
    """Who is asked. Empty means the admins."""

    requester: bool = False
    people: tuple[str, ...] = ()
    """Slack user ids or e-mail addresses."""
    role: Literal["approver", "admin"] | None = None
    requester_may_decide: bool = False
    deadline_hours: float | None = Field(default=None, gt=0, le=24 * 90)


class Rule(_Model):
    """One line of the policy: when it applies and what it answers."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    when: When = When()
    allow: bool = False
    deny: str | None = None
    """The reason that the person reads."""
    ask: Ask | None = None

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        if (self.allow, self.deny is not None, self.ask is not None).count(True) != 1:
            message = f"rule {self.name}: exactly one of allow, deny and ask"
            raise ValueError(message)
        return self


class PolicyFile(_Model):
    version: Literal[1]
    deadline_hours: float = Field(default=24, gt=0, le=24 * 90)
    rules: tuple[Rule, ...] = ()


class Answer(StrEnum):
    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What policy judges: a call, where its values came from, and who asks."""

    connector: str
    action: str
    effect: Effect
    arguments: Mapping[str, JsonValue]
    labels: Labels
    requester_role: str
    always_asks: bool = False
    """Deleting, merging, money, permissions (S6)."""
    control: Labels = field(default_factory=dict)
    """Where came from what decides whether and how often the call is made."""
    rows: int = 1
    """How many such calls are made in one go, this one among them (S38)."""


@dataclass(frozen=True, slots=True)
class PolicyVerdict:
    """What policy says about a call, and by which rule."""

    answer: Answer
    rule: str
    ask: Ask | None = None
    reason: str = ""
    deadline_hours: float = 24


class Policy:
    """Judges calls by the rules of one policy file."""

    def __init__(self, file: PolicyFile, *, version: str) -> None:
        self._file = file
        self.version = version

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the policy in a YAML text.

        Raises:
            PolicyError: names the place that is wrong.
        """
        try:
            data: Any = yaml.safe_load(text)
            file = PolicyFile.model_validate({} if data is None else data)
        except yaml.YAMLError as error:
            message = f"The policy is not well-formed YAML: {error}"
            raise PolicyError(message) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            message = f"The policy is wrong at {place or 'its top'}: {first['msg']}."
            raise PolicyError(message) from error
        return cls(file, version=hashlib.sha256(text.encode()).hexdigest()[:12])

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the policy in a file.

        Raises:
            PolicyError: when it cannot be read or is wrong.
        """
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except OSError as error:
            message = f"The policy file {path} cannot be read; set COUNTERSIGN_POLICY."
            raise PolicyError(message) from error

    def judge(self, subject: Subject) -> PolicyVerdict:
        """Return allow, ask or deny: a deny rule, the floor, the most specific rule, the tier."""
        matching = [rule for rule in self._file.rules if rule.when.matches(subject)]
        denied = next((rule for rule in matching if rule.deny is not None), None)
        if denied is not None:
            return PolicyVerdict(Answer.DENY, denied.name, reason=denied.deny or "")
        if _floor(subject):
            asks = [item for item in matching if item.ask is not None]
            return self._asking(_most_specific(asks), default=_FLOOR, name="tier-irreversible")
        rule = _most_specific(matching)
        if rule is not None and rule.ask is not None:
            return self._asking(rule, default=rule.ask, name=rule.name)
        if rule is not None and not _has_outside(subject):
            return PolicyVerdict(Answer.ALLOW, rule.name)
        return self._tier(subject)

    def _tier(self, subject: Subject) -> PolicyVerdict:
        match subject.effect:
            case Effect.READ:
                return PolicyVerdict(Answer.ALLOW, "tier-read")
            case Effect.OWN if not _has_outside(subject):
                return PolicyVerdict(Answer.ALLOW, "tier-own")
            case Effect.OWN | Effect.SHARED:
                return self._asking(None, default=Ask(requester=True), name=_tier_name(subject))
            case Effect.IRREVERSIBLE:
                return self._asking(None, default=_FLOOR, name="tier-irreversible")

    def _asking(self, rule: Rule | None, *, default: Ask, name: str) -> PolicyVerdict:
        ask = rule.ask if rule is not None and rule.ask is not None else default
        return PolicyVerdict(
            Answer.ASK,
            rule.name if rule is not None else name,
            ask=ask,
            deadline_hours=ask.deadline_hours or self._file.deadline_hours,
        )


_FLOOR = Ask(role="approver")
"""Whom the last tier asks without a rule: the approvers, and where nobody is one, the admins."""


def _tier_name(subject: Subject) -> str:
    return "tier-own-outside-value" if subject.effect is Effect.OWN else "tier-shared"


def _floor(subject: Subject) -> bool:
    """Whether a call is of the last tier; reading many records is still reading."""
    is_bulk = subject.rows > BULK_ROWS and subject.effect is not Effect.READ
    return subject.effect is Effect.IRREVERSIBLE or subject.always_asks or is_bulk


def _has_outside(subject: Subject) -> bool:
    judged = chain(subject.labels.values(), subject.control.values())
    return any(item.label is Label.OUTSIDE for item in judged)


def _most_specific(rules: list[Rule]) -> Rule | None:
    """Return the rule with most conditions; an ask wins a tie, then the earlier line."""
    return max(rules, key=lambda rule: (rule.when.specificity, rule.ask is not None), default=None)
