"""`doctor` on the settings: what is wrong, doubtful or unknown."""

import difflib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from approvals.errors import PolicyError
from approvals.policy import Policy
from bot.cli.findings import Finding, note, ok, problem
from bot.config import Settings

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_OURS = ("COUNTERSIGN_", "SLACK_", "HUBSPOT_", "GOOGLE_", "OPENAI_")
_FOREIGN = frozenset({"OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "GOOGLE_APPLICATION_CREDENTIALS"})


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Yield what the settings mean, beyond being well-formed."""
    yield ok("Settings are complete.")
    yield from _check_url(settings)
    if settings.countersign_admins:
        yield ok(f"{len(settings.countersign_admins)} admins are named.")
    else:
        yield note(
            "COUNTERSIGN_ADMINS names nobody, so the workspace's primary owner is the admin.",
            "Name the people who decide when nobody else is named.",
        )
    yield _check_policy(settings)
    if settings.has_model:
        yield ok(f"Plans come from {settings.countersign_model_large}.")
    else:
        yield note(
            "No model is set: the offline planner serves, which understands simple sentences only.",
            "Set OPENAI_API_KEY, or OPENAI_BASE_URL for another OpenAI-compatible service.",
        )


def check_names(env_file: Path) -> Iterator[Finding]:
    """Yield variables that look like ours but are read by nobody: most are misspelt."""
    known = [name.upper() for name in Settings.model_fields]
    for name in sorted({*os.environ, *dotenv_values(env_file)}):
        if not name.startswith(_OURS) or name in known or name in _FOREIGN:
            continue
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
        if close:
            yield note(f"{name} is read by nobody.", f"Did you mean {close[0]}?")
        elif name.startswith("COUNTERSIGN_"):
            yield note(f"{name} is read by nobody.", "See .env.example for all variables.")


def problems_of(sentences: Iterable[str]) -> Iterator[Finding]:
    """Yield the problems that kept the settings from being read."""
    for sentence in sentences:
        text, _, remedy = sentence.partition(". ")
        yield problem(f"{text.rstrip('.')}.", remedy)


def _check_url(settings: Settings) -> Iterator[Finding]:
    parts = urlsplit(settings.countersign_url)
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        yield problem(
            "COUNTERSIGN_URL begins with http://: Slack, HubSpot and Google refuse it.",
            "Put a TLS proxy in front and use its https:// address.",
        )


def _check_policy(settings: Settings) -> Finding:
    if settings.countersign_policy is None:
        return note(
            "COUNTERSIGN_POLICY is not set: the built-in tiers decide, and admins countersign.",
            "docs/approvals.md shows how to name approvers.",
        )
    try:
        policy = Policy.load(settings.countersign_policy)
    except PolicyError as error:
        return problem(str(error), "Mend the file; nothing runs without a readable policy.")
    return ok(f"The policy is readable (version {policy.version}).")
