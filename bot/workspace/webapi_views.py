"""views.open, push, update and publish."""

from bot.workspace.errors import RefusedError
from bot.workspace.modals import MAX_STACK, new_view, updated_view
from bot.workspace.shapes import JsonObject
from bot.workspace.webapi_call import Call, Method


async def views_open(call: Call) -> JsonObject:
    """Open a modal for the person whose click gave the trigger; it replaces any open ones."""
    workspace = call.workspace
    view = _view(call)
    user_id = workspace.tickets.redeem_trigger(call.required("trigger_id"))
    created = new_view(workspace, view, expected="modal")
    workspace.views.clear(user_id)
    workspace.views.push(user_id, created)
    workspace.bus.publish({"type": "view", "user": user_id})
    return {"view": created}


async def views_push(call: Call) -> JsonObject:
    """Put a modal on top of the open one, three deep at most."""
    workspace = call.workspace
    view = _view(call)
    user_id = workspace.tickets.redeem_trigger(call.required("trigger_id"))
    stack = workspace.views.stack(user_id)
    if not stack:
        raise RefusedError("not_found")
    if len(stack) >= MAX_STACK:
        raise RefusedError("push_limit_reached")
    created = new_view(workspace, view, expected="modal", below=stack)
    workspace.views.push(user_id, created)
    workspace.bus.publish({"type": "view", "user": user_id})
    return {"view": created}


async def views_update(call: Call) -> JsonObject:
    """Replace the contents of an open modal or a Home, unless its hash has moved on."""
    workspace = call.workspace
    view = _view(call)
    view_id, external_id = call.text("view_id"), call.text("external_id")
    found = workspace.views.find(view_id=view_id, external_id=external_id)
    if found is None:
        raise RefusedError("not_found")
    user_id, current = found
    _check_hash(call, current)
    replaced = updated_view(workspace, view, current=current)
    workspace.views.replace(replaced)
    workspace.bus.publish({"type": "view", "user": user_id})
    return {"view": replaced}


async def views_publish(call: Call) -> JsonObject:
    """Publish a person's Home."""
    workspace = call.workspace
    person = workspace.person(call.required("user_id"))
    view = _view(call)
    current = workspace.views.home(person.id)
    if current is None:
        published = new_view(workspace, view, expected="home")
    else:
        _check_hash(call, current)
        published = updated_view(workspace, view, current=current)
    workspace.views.publish(person.id, published)
    workspace.bus.publish({"type": "view", "user": person.id})
    return {"view": published}


def _view(call: Call) -> JsonObject:
    call.required("view")
    view = call.decoded("view", error="invalid_arguments")
    if not isinstance(view, dict):
        raise RefusedError("invalid_arguments", messages=["[ERROR] `view` must be an object"])
    return view


def _check_hash(call: Call, current: JsonObject) -> None:
    if call.text("hash") not in {"", current["hash"]}:
        raise RefusedError("hash_conflict")


METHODS = {
    "views.open": Method(handler=views_open, per_minute=100),
    "views.push": Method(handler=views_push, per_minute=100),
    "views.update": Method(handler=views_update, per_minute=100),
    "views.publish": Method(handler=views_publish, per_minute=100),
}
