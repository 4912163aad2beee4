from dataclasses import dataclass

from connectors.hubspot.standin.properties import PIPELINE, STAGES, Property, PropertyType


@dataclass(frozen=True, slots=True)
class Kind:
    """One of HubSpot's object types, as far as the stand-in holds it.

    Args:
        needs_all: Properties without which a record is not created.
        needs_any: At least one of these must be set.
        searched: Properties that a free-text query looks in.
        shown: Properties returned when none are asked for.
        modified: The property that holds the last change.
    """

    plural: str
    singular: str
    type_id: str
    group: str
    needs_all: tuple[str, ...]
    needs_any: tuple[str, ...]
    searched: tuple[str, ...]
    shown: tuple[str, ...]
    modified: str
    title: tuple[str, ...]


CONTACTS = Kind(
    plural="contacts",
    singular="contact",
    type_id="0-1",
    group="contactinformation",
    needs_all=(),
    needs_any=("email", "firstname", "lastname"),
    searched=("firstname", "lastname", "email", "phone", "company"),
    shown=("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    modified="lastmodifieddate",
    title=("firstname", "lastname"),
)
COMPANIES = Kind(
    plural="companies",
    singular="company",
    type_id="0-2",
    group="companyinformation",
    needs_all=(),
    needs_any=("name", "domain"),
    searched=("name", "domain", "website", "phone"),
    shown=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    modified="hs_lastmodifieddate",
    title=("name",),
)
DEALS = Kind(
    plural="deals",
    singular="deal",
    type_id="0-3",
    group="dealinformation",
    needs_all=("dealname", "dealstage"),
    needs_any=(),
    searched=("dealname", "pipeline", "dealstage", "description", "dealtype"),
    shown=(
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    ),
    modified="hs_lastmodifieddate",
    title=("dealname",),
)
KINDS = (CONTACTS, COMPANIES, DEALS)

ASSOCIATION_TYPES = {
    ("contacts", "companies"): (279, 1),
    ("companies", "contacts"): (280, 2),
    ("deals", "companies"): (341, 5),
    ("companies", "deals"): (342, 6),
    ("deals", "contacts"): (3,),
    ("contacts", "deals"): (4,),
}
"""Association type ids, the unlabelled default first, then the primary one.

Source: https://developers.hubspot.com/docs/api-reference/latest/crm/associations/overview
"""


CURRENCIES = {"USD": "US dollar", "EUR": "Euro"}
"""What the made-up account counts money in, its company currency first."""


def find_kind(name: str) -> Kind | None:
    """Return the object type by its plural, singular or numeric name."""
    return next((k for k in KINDS if name in (k.plural, k.singular, k.type_id)), None)


def default_properties(kind: Kind) -> list[Property]:
    """Return HubSpot's own properties of the object type; an excerpt."""
    own = {"contacts": _CONTACT, "companies": _COMPANY, "deals": _DEAL}[kind.plural]
    made = [_property(kind, name, "string") for name in own]
    made += [
        _property(kind, "hs_object_id", "number", is_read_only=True),
        _property(kind, "createdate", "datetime"),
        _property(kind, kind.modified, "datetime", is_read_only=True),
    ]
    if kind is CONTACTS:
        made.append(_property(kind, "email", "string", is_unique=True))
    if kind is DEALS:
        made += [
            _property(kind, "amount", "number"),
            _property(kind, "closedate", "datetime"),
            _property(kind, "pipeline", "enumeration", options={PIPELINE: "Sales pipeline"}),
            _property(kind, "dealstage", "enumeration", options=STAGES),
            _property(kind, "dealtype", "enumeration", options=_DEAL_TYPES),
            _property(kind, "deal_currency_code", "enumeration", options=CURRENCIES),
        ]
    return made


_CONTACT = ("firstname", "lastname", "phone", "jobtitle", "company", "hubspot_owner_id")
_COMPANY = ("name", "domain", "website", "phone", "city", "country", "description")
_DEAL = ("dealname", "description", "hubspot_owner_id")
_DEAL_TYPES = {"newbusiness": "New Business", "existingbusiness": "Existing Business"}


def _property(
    kind: Kind,
    name: str,
    type_: PropertyType,
    *,
    is_read_only: bool = False,
    is_unique: bool = False,
    options: dict[str, str] | None = None,
) -> Property:
    return Property(
        name=name,
        label=name.replace("_", " ").capitalize(),
        type=type_,
        groupName=kind.group,
        hasUniqueValue=is_unique,
        hubspotDefined=True,
        readOnly=is_read_only,
        options=[
            {"value": value, "label": label, "displayOrder": order, "hidden": False}
            for order, (value, label) in enumerate((options or {}).items())
        ],
    )
