"""Using what the bot shows as a person does; and what only tests do: reset, replay, failures."""

from bot.workspace.clicks import Click
from bot.workspace.deed import Deed
from bot.workspace.errors import RefusedError
from bot.workspace.interactions import click_message, click_view, command, open_home
from bot.workspace.responses import show_answer
from bot.workspace.shapes import JsonObject
from bot.workspace.submissions import close_view, submit_view


async def run_command(deed: Deed) -> JsonObject:
    """Send a slash command and show what the bot answers."""
    person = deed.person
    channel_id = deed.conversation.id if deed.body.get("channel") else person.id
    answer = await command(
        deed.workspace,
        person,
        name=deed.required("command"),
        text=str(deed.body.get("text") or ""),
        channel_id=channel_id,
    )
    response = show_answer(deed.workspace, answer, user_id=person.id, channel_id=channel_id)
    return {"status": answer.status, "response": response, "delivery_error": answer.error}


async def interact(deed: Deed) -> JsonObject:
    """Use an element of a message, modal or Home; a stale or forged use is delivered too."""
    click = Click(
        action_id=deed.required("action_id"),
        block_id=deed.optional("block_id"),
        value=deed.optional("value"),
        selected=deed.body.get("selected"),
        state=deed.typed("state"),
    )
    view_id = deed.optional("view_id")
    if view_id:
        answer = await click_view(deed.workspace, deed.person, view_id=view_id, click=click)
    else:
        ts = deed.optional("ts") or deed.required("message_ts")
        answer = await click_message(
            deed.workspace, deed.person, channel_id=deed.place.id, ts=ts, click=click
        )
    response: object = answer.json() or answer.text
    return {"status": answer.status, "response": response, "delivery_error": answer.error}


async def submit(deed: Deed) -> JsonObject:
    """Submit a modal."""
    return await submit_view(
        deed.workspace,
        deed.person,
        view_id=deed.optional("view_id"),
        typed=deed.typed("values"),
    )


async def close(deed: Deed) -> JsonObject:
    """Close the top modal; with `clear` true, all of them."""
    return await close_view(
        deed.workspace,
        deed.person,
        view_id=deed.optional("view_id"),
        clear=bool(deed.body.get("clear")),
    )


async def home(deed: Deed) -> JsonObject:
    """Open the bot's Home tab, or with `tab` "messages" its Messages tab."""
    open_home(deed.workspace, deed.person, tab=deed.optional("tab") or "home")
    return {}


async def reset(deed: Deed) -> JsonObject:
    """Forget all messages and views."""
    deed.workspace.reset()
    return {}


async def deliver(deed: Deed) -> JsonObject:
    """Deliver any body to the bot: `to` is events, interactivity or commands."""
    config = deed.workspace.config
    urls = {
        "events": config.events_url,
        "interactivity": config.interactivity_url,
        "commands": config.commands_url,
    }
    target = deed.optional("to") or "events"
    if target not in urls:
        raise RefusedError("invalid_arguments", messages=[f"`to` is one of {', '.join(urls)}"])
    headers = {str(k): str(v) for k, v in (deed.body.get("headers") or {}).items()}
    answer = await deed.workspace.delivery.send_raw(
        url=urls[target], body=str(deed.body.get("body") or ""), headers=headers
    )
    response: object = answer.json() or answer.text
    return {"status": answer.status, "response": response, "delivery_error": answer.error}


async def faults(deed: Deed) -> JsonObject:
    """Make coming calls fail; see `Faults`."""
    return {"faults": deed.workspace.faults.set(deed.body)}
