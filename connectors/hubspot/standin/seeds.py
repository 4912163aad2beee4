from connectors.hubspot.standin.properties import Property
from connectors.hubspot.standin.records import Record, RecordBook

_COMPANIES = (
    {"name": "Acme", "domain": "acme.example", "city": "Hamburg", "country": "Germany"},
    {"name": "Globex", "domain": "globex.example", "city": "Vienna", "country": "Austria"},
)

_CONTACTS = (
    ("Acme", {"email": "jane.doe@acme.example", "firstname": "Jane", "lastname": "Doe"}),
    ("Acme", {"email": "john.park@acme.example", "firstname": "John", "lastname": "Park"}),
    ("Globex", {"email": "petra.novak@globex.example", "firstname": "Petra", "lastname": "Novak"}),
)

_DEALS = (
    ("Acme", {"dealname": "Acme renewal", "amount": "12000", "dealstage": "contractsent"}),
    ("Acme", {"dealname": "Acme pilot", "amount": "4500", "dealstage": "qualifiedtobuy"}),
    ("Globex", {"dealname": "Globex rollout", "amount": "30000", "dealstage": "closedwon"}),
)


_KEY = "countersign_key"


def seed(books: dict[str, RecordBook], *, is_prepared: bool) -> None:
    """Fill an empty account with Northwind's customers.

    Args:
        books: the account's records.
        is_prepared: whether an admin has added the unique property `countersign_key` already.
    """
    for book in books.values():
        book.seed_properties()
    if is_prepared:
        for plural, group in (("contacts", "contactinformation"), ("deals", "dealinformation")):
            books[plural].properties.create(
                Property(name=_KEY, label="Countersign key", groupName=group, hasUniqueValue=True)
            )
    companies = {
        values["name"]: books["companies"].create(values, is_old=True) for values in _COMPANIES
    }
    for name, values in _CONTACTS:
        contact = books["contacts"].create(values | {"company": name}, is_old=True)
        companies[name] = _tie(books, contact, "contacts", companies[name])
    for name, values in _DEALS:
        deal = books["deals"].create(values, is_old=True)
        companies[name] = _tie(books, deal, "deals", companies[name])


def _tie(books: dict[str, RecordBook], record: Record, plural: str, company: Record) -> Record:
    books[plural].link(record, plural="companies", other_id=company.id, is_old=True)
    return books["companies"].link(company, plural=plural, other_id=record.id, is_old=True)
