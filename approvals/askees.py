"""Who may decide: the people that an ask names, as they are right now (S13)."""

from dataclasses import dataclass

from approvals.policy import Ask
from storage.database import Transaction
from storage.tables.people import Person, Role


@dataclass(frozen=True, slots=True)
class Askees:
    """The people who may decide a call, and why it is they."""

    people: tuple[str, ...]
    why: str
    alone: bool = False
    """True when the requester decides alone because there is nobody else to ask."""


def may_decide(person: Person | None) -> bool:
    """Whether somebody may decide anything: an active member, no guest, no bot (S13)."""
    return person is not None and person.is_active and not person.is_guest and not person.is_bot


async def resolve(tx: Transaction, *, team_id: str, requester_id: str, ask: Ask) -> Askees:
    """Return who may decide now; nobody named means the admins; nobody at all means nobody.

    The requester counts only where the policy lets them, or where they are an admin without
    any colleague to ask: a team of one decides alone and is told so.
    """
    if ask.requester:
        return Askees((requester_id,), "the policy asks you")
    people = {person.person_id: person for person in await tx.people.list_active(team_id)}
    able = [person for person in people.values() if may_decide(person)]
    named = [person for person in able if _is_named(person, ask)]
    others = _without(named, requester_id, ask=ask)
    if others:
        return Askees(tuple(person.person_id for person in others), _why(ask))
    admins = _without(
        [person for person in able if person.role is Role.ADMIN], requester_id, ask=ask
    )
    if admins:
        return Askees(
            tuple(person.person_id for person in admins),
            "nobody else is named for this, so the admins are asked",
        )
    requester = people.get(requester_id)
    if requester is not None and may_decide(requester) and requester.role is Role.ADMIN:
        return Askees(
            (requester_id,), "there is nobody else to ask, so you decide alone", alone=True
        )
    return Askees((), "nobody may approve this yet; an admin must be named")


def _is_named(person: Person, ask: Ask) -> bool:
    if ask.role is not None and person.role.value == ask.role:
        return True
    email = (person.email or "").casefold()
    return any(
        name == person.person_id or (email and name.casefold() == email) for name in ask.people
    )


def _without(people: list[Person], requester_id: str, *, ask: Ask) -> list[Person]:
    return [
        person for person in people if ask.requester_may_decide or person.person_id != requester_id
    ]


def _why(ask: Ask) -> str:
    if ask.role is None:
        return "the policy names you for this"
    return f"you are an {ask.role}" if ask.role[:1] in "aeiou" else f"you are a {ask.role}"
