"""The model reader: one request of the small model, whose answer is no more than a proposal."""

import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from bot.llm.errors import ModelError
from bot.llm.messages import Completion, Message, Size
from bot.planning.prompting import load_prompt
from bot.planning.reading import MessageKind, NewValue, Read, Reading, ReadRequest, StepSeen, Unread
from bot.planning.schema import reading_schema
from bot.planning.text import json_part, plain

if TYPE_CHECKING:
    from bot.llm.client import ModelClient  # importing `openai` costs half a second of CPU

READING_FORM = """\
{"kind": "change|goal|either|question|small_talk", "drop": [ids],
"set": [{"step": id, "field": name, "value": text}], "add": true or false}"""
_NO_SENSE = "I could not make out what that changes."


class _Set(BaseModel):
    model_config = ConfigDict(extra="ignore")

    step: str
    field: str
    value: str


class _Answer(BaseModel):
    """What the small model made of a message."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    kind: MessageKind
    drop: list[str] = []
    set: list[_Set] = []
    add: bool = False


class ModelReader:
    """Reads with the small model. The engine's checks, not the prompt, are the guard."""

    def __init__(self, client: "ModelClient") -> None:
        self._client = client

    async def read(self, request: ReadRequest) -> Read:
        """Return what the message means; a model that is down or makes no sense is `Unread`."""
        try:
            reply = await self._client.complete(_completion(request))
        except ModelError as error:
            return Unread(str(error))
        try:
            answer = _Answer.model_validate_json(json_part(reply.text))
        except ValidationError:
            return Unread(_NO_SENSE)
        values = tuple(NewValue(item.step, item.field, item.value) for item in answer.set)
        return Reading(answer.kind, tuple(answer.drop), values, answer.add)


def _completion(request: ReadRequest) -> Completion:
    prompt = load_prompt("read")
    return Completion(
        purpose="read",
        size=Size.SMALL,
        messages=(Message("system", prompt.text), Message("user", _content(request))),
        schema=reading_schema(
            (step.key for step in request.steps if step.is_open),
            kinds=(kind.value for kind in MessageKind),
        ),
        form=READING_FORM,
        prompt_hash=prompt.hash,
        team_id=request.team_id,
        goal_id=request.goal_id,
    )


def _content(request: ReadRequest) -> str:
    """Return the last message of the prompt: the goal, its steps, and what was written."""
    local = request.now.astimezone(request.zone)
    content: dict[str, JsonValue] = {
        "now": f"{local:%A} {local.isoformat(timespec='minutes')}",
        "zone": request.zone.key,
        "goal": plain(request.goal),
        "steps": [_step(step) for step in request.steps],
        "message": plain(request.text),
    }
    if request.asked is not None:
        step, field = request.asked
        content["asked"] = {"step": step, "field": field}
    return json.dumps(content, ensure_ascii=False)


def _step(step: StepSeen) -> dict[str, Any]:
    fields = [
        {"name": one.name, "title": one.title, "kind": one.kind, "value": one.value}
        | ({"options": list(one.options)} if one.options else {})
        for one in step.fields
    ]
    state = "open" if step.is_open else "done or under way"
    return {"id": step.key, "does": step.does, "state": state} | (
        {"fields": fields} if fields else {}
    )
