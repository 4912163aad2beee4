"""Conditions that statements of several repositories share."""

from sqlalchemy import ColumnElement, Text, cast, exists, literal, or_
from sqlalchemy.orm import InstrumentedAttribute

from storage.tables.goals import Goal
from storage.tables.halts import EVERY_TEAM, Halt
from storage.tables.slack import OutboxCard


def halted(team_id: str | InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition that a team is halted, by itself or with all others (S39)."""
    return exists().where(or_(Halt.team_id == team_id, Halt.team_id == EVERY_TEAM))


def noted(prefix: str) -> ColumnElement[bool]:
    """Return the condition that a note was shown whose subject is this text and the goal's id."""
    return exists().where(
        OutboxCard.team_id == Goal.team_id,
        OutboxCard.noun == "note",
        OutboxCard.subject == literal(prefix) + cast(Goal.id, Text),
        OutboxCard.channel_id == Goal.channel_id,
    )
