"""Messages that the bot sends by response_url, or as the direct answer to a slash command.

Source: https://docs.slack.dev/interactivity/handling-user-interaction (response_type,
replace_original, delete_original; ephemeral unless said otherwise).
"""

import time

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.workspace.blocks import check_blocks, with_ids
from bot.workspace.core import Draft, Workspace
from bot.workspace.delivery import Answer
from bot.workspace.errors import RefusedError
from bot.workspace.jsonbody import parse_object
from bot.workspace.shapes import JsonObject
from bot.workspace.store import StoredMessage
from bot.workspace.tickets import ResponseTicket


class Responses:
    """Answers `POST /response/<secret>`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def routes(self) -> list[Route]:
        """Return the routes to mount."""
        return [Route("/response/{secret}", self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        """Carry out one response; an unusable URL is 404 with Slack's word for why."""
        started = time.perf_counter()
        raw = await request.body()
        error, status = None, 200
        response: Response = PlainTextResponse("ok")
        try:
            ticket = self._workspace.tickets.redeem_response(request.path_params["secret"])
            respond(self._workspace, ticket, parse_object(raw))
        except RefusedError as refusal:
            error = refusal.code
            status = 404 if error in {"expired_url", "used_url"} else 400
            response = JSONResponse(refusal.body(), status_code=status)
        self._workspace.journal.note(
            kind="response_url",
            name="response_url",
            status=status,
            started=started,
            error=error,
            body=raw.decode("utf-8", "replace"),
        )
        return response


def respond(workspace: Workspace, ticket: ResponseTicket, wanted: JsonObject) -> None:
    """Post, replace or delete a message in the place that the ticket names.

    Raises:
        RefusedError: `no_text`, `invalid_blocks` or `message_not_found`.
    """
    if wanted.get("delete_original") in {True, "true"}:
        original = _original(workspace, ticket)
        workspace.remove(workspace.conversation(original.channel), original)
        return
    blocks = _blocks(wanted)
    text = str(wanted.get("text") or "")
    if not text.strip() and not blocks:
        raise RefusedError("no_text")
    conversation = workspace.conversation(ticket.channel_id)
    bot = workspace.config.bot_user_id
    if wanted.get("replace_original") in {True, "true"}:
        changes: JsonObject = {"text": text, "blocks": blocks}
        workspace.edit(conversation, _original(workspace, ticket), changes, by=bot)
        return
    is_shared = wanted.get("response_type") == "in_channel"
    draft = Draft(
        user_id=bot,
        text=text,
        blocks=blocks,
        thread_ts=str(wanted.get("thread_ts") or "") or ticket.thread_ts,
        ephemeral_to=None if is_shared else ticket.user_id,
    )
    workspace.post(conversation, draft)


def show_answer(
    workspace: Workspace, answer: Answer, *, user_id: str, channel_id: str
) -> JsonObject | str:
    """Show what the bot answered a slash command with, and return it; empty if nothing.

    Raises:
        RefusedError: As `respond`.
    """
    parsed = answer.json()
    wanted = parsed or {"text": answer.text}
    if not answer.is_ok or not (wanted.get("text") or wanted.get("blocks")):
        return parsed or answer.text
    conversation = workspace.conversation(channel_id)
    ticket = ResponseTicket(user_id, conversation.id, None, None, 0.0)
    respond(workspace, ticket, wanted)
    return parsed or answer.text


def _blocks(wanted: JsonObject) -> list[JsonObject] | None:
    blocks = wanted.get("blocks")
    if not blocks:
        return None
    problems = check_blocks(blocks)
    if problems:
        raise RefusedError("invalid_blocks", messages=problems)
    return with_ids(blocks)


def _original(workspace: Workspace, ticket: ResponseTicket) -> StoredMessage:
    message = (
        workspace.store.find(ticket.channel_id, ticket.message_ts) if ticket.message_ts else None
    )
    if message is None or message.deleted:
        raise RefusedError("message_not_found")
    return message
