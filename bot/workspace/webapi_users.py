"""users.info, users.list and users.lookupByEmail."""

from bot.workspace.config import Person
from bot.workspace.errors import RefusedError
from bot.workspace.payloads import user_object
from bot.workspace.shapes import JsonObject
from bot.workspace.webapi_call import Call, Method


async def users_info(call: Call) -> JsonObject:
    """Return one member."""
    return {"user": _shown(call, call.workspace.person(call.required("user")))}


async def users_list(call: Call) -> JsonObject:
    """Return all members on one page."""
    members = [_shown(call, person) for person in call.workspace.config.people]
    return {"members": members, "response_metadata": {"next_cursor": ""}}


async def users_lookup_by_email(call: Call) -> JsonObject:
    """Return the active member with this address."""
    wanted = call.required("email").casefold()
    for person in call.workspace.config.people:
        if person.email.casefold() == wanted and not person.deleted:
            return {"user": _shown(call, person)}
    raise RefusedError("users_not_found")


def _shown(call: Call, person: Person) -> JsonObject:
    config = call.workspace.config
    return user_object(person, config, with_email="users:read.email" in config.scopes)


METHODS = {
    "users.info": Method(handler=users_info, scope="users:read", per_minute=100),
    "users.list": Method(handler=users_list, scope="users:read", per_minute=20),
    "users.lookupByEmail": Method(handler=users_lookup_by_email, scope="users:read.email"),
}
