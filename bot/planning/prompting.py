"""Prompt files: read once, versioned by the hash of their bytes."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import JsonValue

from bot.planning.outcome import PlanRequest, Progress
from bot.planning.text import folded, plain

_FOLDER = Path(__file__).parent / "prompts"


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text of a prompt file and the first 12 hexadecimal digits of its SHA-256."""

    text: str
    hash: str


@cache
def load_prompt(name: str) -> Prompt:
    """Return the prompt in `prompts/<name>.md`."""
    raw = (_FOLDER / f"{name}.md").read_bytes()
    return Prompt(raw.decode().strip(), hashlib.sha256(raw).hexdigest()[:12])


def request_text(request: PlanRequest) -> str:
    """Return the request as the last message of a prompt: what changes with every goal.

    Of the colleagues only those whom the message names are told.
    """
    text = plain(request.text)
    said = folded(request.said)
    local = request.now.astimezone(request.zone)
    named: list[JsonValue] = [
        {"name": person.name, "email": person.email}
        for person in request.people
        if folded(person.name).split(" ")[0] in said.split() or person.person_id.casefold() in said
    ]
    content: dict[str, JsonValue] = {
        "now": f"{local:%A} {local.isoformat(timespec='minutes')}",
        "zone": request.zone.key,
        "person": request.person_name,
        "colleagues": named,
        "message": text,
        "clarifications": [
            {"question": item.question, "answer": plain(item.answer)}
            for item in request.clarifications
        ],
    }
    if request.progress is not None:
        content["progress"] = _progress(request.progress)
    return json.dumps(content, ensure_ascii=False)


def _progress(progress: Progress) -> dict[str, JsonValue]:
    """Return what became of the plan so far; only a later round's prompt has it."""
    tight: dict[str, JsonValue] = {"budget": progress.budget} if progress.budget else {}
    return {
        "problem": progress.problem,
        **tight,
        "past": [
            {
                "id": task.key,
                "call": {task.action: task.arguments},
                "state": task.state,
                "result": task.result,
                "problem": task.problem,
            }
            for task in progress.past
        ],
        "left": [task.call for task in progress.left],
        "writes": list(progress.writes),
        "last round": progress.is_last,
    }
