"""Figures as text that Prometheus reads.

All of them are gauges, read from the database when somebody asks: a client library keeps counters
of one process, of which there are none here.
"""

from collections.abc import Iterable, Mapping

from storage.metrics import Figures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Source: https://prometheus.io/docs/instrumenting/exposition_formats/"""


def exposition(figures: Figures) -> str:
    """Return the figures, one line each, below what they mean."""
    lines = [
        *_by("open_goals", "Goals that have not ended.", "status", figures.open_goals),
        *_by("waiting_jobs", "Jobs that wait to be run.", "job", figures.waiting_jobs),
        *_one("oldest_job_seconds", "How long the oldest job has waited.", figures.oldest_job_s),
        *_by("last_attempts", "The last 1000 attempts.", "outcome", figures.last_attempts),
        *_one("held_steps", "Steps whose provider does not answer.", figures.held_steps),
        *_by(
            "open_breaker_seconds",
            "Hosts to which nothing is sent, and for how long.",
            "host",
            figures.open_breakers,
        ),
        *_one("cards_due", "Cards that Slack does not show yet.", figures.cards_due),
        *_one(
            "unsealed_audit_rows",
            "Audit rows that are not in the chain yet.",
            figures.unsealed_audit_rows,
        ),
        *_one("open_handoffs", "Defects that nobody has settled.", figures.open_handoffs),
    ]
    return "\n".join(lines) + "\n"


def _one(name: str, meaning: str, value: float) -> Iterable[str]:
    return (*_head(name, meaning), f"countersign_{name} {value:g}")


def _by(name: str, meaning: str, label: str, values: Mapping[str, int]) -> Iterable[str]:
    rows = (
        f'countersign_{name}{{{label}="{_escaped(key)}"}} {value}'
        for key, value in sorted(values.items())
    )
    return (*_head(name, meaning), *rows)


def _head(name: str, meaning: str) -> tuple[str, str]:
    return f"# HELP countersign_{name} {meaning}", f"# TYPE countersign_{name} gauge"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
