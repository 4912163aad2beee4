"""Conditions that statements of several repositories share."""

from sqlalchemy import ColumnElement, exists, or_
from sqlalchemy.orm import InstrumentedAttribute

from storage.tables.halts import EVERY_TEAM, Halt


def halted(team_id: str | InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition that a team is halted, by itself or with all others (S39)."""
    return exists().where(or_(Halt.team_id == team_id, Halt.team_id == EVERY_TEAM))
