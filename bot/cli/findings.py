"""What `doctor` finds, and how it says so."""

from dataclasses import dataclass
from enum import StrEnum

import click


class Grade(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Works, but somebody may want to know."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `remedy` says how to mend it."""

    grade: Grade
    text: str
    remedy: str = ""


def ok(text: str) -> Finding:
    return Finding(Grade.OK, text)


def note(text: str, remedy: str = "") -> Finding:
    return Finding(Grade.NOTE, text, remedy)


def problem(text: str, remedy: str = "") -> Finding:
    return Finding(Grade.PROBLEM, text, remedy)


_COLOURS = {Grade.OK: "green", Grade.NOTE: "yellow", Grade.PROBLEM: "red"}


def show(finding: Finding) -> None:
    """Print a finding; the grade is a word, so that it can be read without colours."""
    grade = click.style(f"{finding.grade.value:<8}", fg=_COLOURS[finding.grade])
    click.echo(f"{grade} {finding.text}")
    if finding.remedy:
        click.echo(f"{'':9}→ {finding.remedy}")
