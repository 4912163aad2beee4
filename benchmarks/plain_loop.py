"""The plain loop that the engine is compared with: the openai SDK, tools, and nothing stored.

It is what a careful person writes in an hour: typed tools, parallel calls, a question to a person
before the write. It survives nothing: no crash, no second process, no look at what ran.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import openai
from pydantic import BaseModel

from benchmarks.tools import READS, REQUEST, WRITE, Meeting
from connectors.actions import Action

_SYSTEM = (
    "You finish work for people. Use the tools to look things up before you write anything, call "
    "tools that do not depend on each other at once, never invent an id, and close with one "
    "sentence that says what was done."
)
_MAX_TURNS = 8

Approve = Callable[[BaseModel], Awaitable[bool]]


class PlainLoop:
    """Runs the goal by asking the model turn by turn."""

    def __init__(self, client: openai.AsyncOpenAI, *, approve: Approve) -> None:
        self._client = client
        self._approve = approve
        self._actions = {action.name: action for action in (*READS, WRITE)}
        self._tools: list[Any] = [_tool(action) for action in self._actions.values()]

    async def run(self) -> str:
        """Run the goal once and return its closing sentence.

        Raises:
            RuntimeError: the model did not come to an end.
        """
        messages: list[Any] = [
            {"role": "system", "content": _SYSTEM},
            {"role": "user", "content": REQUEST},
        ]
        for _ in range(_MAX_TURNS):
            answer = await self._client.chat.completions.create(
                model="scripted", messages=messages, tools=self._tools
            )
            message = answer.choices[0].message
            if not message.tool_calls:
                return message.content or ""
            messages.append(message.model_dump(exclude_none=True))
            results = await asyncio.gather(*(self._call(call) for call in message.tool_calls))
            messages += results
        raise RuntimeError("no end")

    async def _call(self, call: Any) -> dict[str, Any]:
        action = self._actions[call.function.name]
        arguments = action.arguments.model_validate_json(call.function.arguments)
        if isinstance(arguments, Meeting) and not await self._approve(arguments):
            content = json.dumps({"error": "a person refused"})
        else:
            nothing: Any = None
            content = (await action.run(nothing, arguments)).model_dump_json()
        return {"role": "tool", "tool_call_id": call.id, "content": content}


def _tool(action: Action) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": action.name,
            "description": action.summary,
            "parameters": action.arguments.model_json_schema(),
        },
    }
