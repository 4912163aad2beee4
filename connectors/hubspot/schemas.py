"""What HubSpot's actions take and give, and which of it a stranger could have written.

HubSpot's ids, a deal's stage, amount and currency are `record`: only people with a seat in the
account set them. Names are `outside`: web forms and mail fill contacts, HubSpot makes companies
of their domains, and workflows name deals after what a form said.
"""

import re
from typing import Annotated, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, Field, model_validator

from connectors.actions import Arg, Arguments, Out, Result
from connectors.labels import Label

Given = TypeVar("Given", bound=Arguments)

STAGES = {
    "appointmentscheduled": "Appointment scheduled",
    "qualifiedtobuy": "Qualified to buy",
    "presentationscheduled": "Presentation scheduled",
    "decisionmakerboughtin": "Decision maker bought-in",
    "contractsent": "Contract sent",
    "closedwon": "Closed won",
    "closedlost": "Closed lost",
}
"""Stages of the default deal pipeline, in order.

Source: https://developers.hubspot.com/docs/api-reference/latest/crm/pipelines/guide
"""

FIRST_STAGE = "appointmentscheduled"
"""HubSpot demands a stage; this is the first of the default pipeline."""


def _is_money(value: str) -> str:
    if not re.fullmatch(r"\d{1,13}(\.\d{1,6})?", value):
        message = "write an amount such as 48000 or 48000.00"
        raise ValueError(message)
    whole, _, cents = value.partition(".")
    return f"{int(whole)}.{cents:0<2}"


def _is_email(value: str) -> str:
    if not re.fullmatch(r"[^@\s<>,;]{1,64}@[^@\s<>,;]+\.[^@\s<>,;.]+", value):
        message = "write one e-mail address such as jane.doe@acme.example"
        raise ValueError(message)
    return value.lower()


def _is_currency(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", value):
        message = "write a currency as three letters, such as USD"
        raise ValueError(message)
    return value.upper()


def _is_stage(value: str) -> str:
    """Return a stage's id; the names of the default pipeline's stages count too."""
    known = {label.casefold(): stage for stage, label in STAGES.items()}
    stage = known.get(value.casefold(), value)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", stage):
        message = f"write a stage of the pipeline, for example {STAGES['contractsent']}"
        raise ValueError(message)
    return stage


def _one_of(model: Given, *names: str) -> Given:
    if all(getattr(model, name) is None for name in names):
        message = f"give at least one of {', '.join(names)}"
        raise ValueError(message)
    return model


Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
RecordId: TypeAlias = Annotated[str, Field(pattern=r"^\d{1,20}$")]
Money: TypeAlias = Annotated[str, AfterValidator(_is_money)]
"""Text with at least two decimals (HubSpot keeps up to six); never a float."""
Currency: TypeAlias = Annotated[str, AfterValidator(_is_currency)]
Email: TypeAlias = Annotated[str, Field(max_length=254), AfterValidator(_is_email)]
Stage: TypeAlias = Annotated[str, AfterValidator(_is_stage)]


class SearchCompanies(Arguments):
    query: Annotated[Text, Arg(title="Company")]


class SearchContacts(Arguments):
    query: Annotated[Text | None, Arg(title="Name or e-mail address")] = None
    company: Annotated[Text | None, Arg(title="Company")] = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        return _one_of(self, "query", "company")


class SearchDeals(Arguments):
    query: Annotated[Text | None, Arg(title="Words in the deal's name")] = None
    company: Annotated[Text | None, Arg(title="Company")] = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        return _one_of(self, "query", "company")


class CreateContact(Arguments):
    email: Annotated[Email, Arg(title="E-mail address")]
    first_name: Annotated[Text | None, Arg(title="First name")] = None
    last_name: Annotated[Text | None, Arg(title="Last name")] = None
    company_id: Annotated[RecordId | None, Arg(title="Company", id_kind="hubspot.company")] = None


class CreateDeal(Arguments):
    """A deal without a stage starts in the first one: the frozen call and its card say so."""

    name: Annotated[Text, Arg(title="Deal name")]
    amount: Annotated[Money | None, Arg(title="Amount")] = None
    currency: Annotated[Currency | None, Arg(title="Currency")] = None
    company_id: Annotated[RecordId | None, Arg(title="Company", id_kind="hubspot.company")] = None
    stage: Annotated[Stage, Arg(title="Stage", choices=STAGES)] = FIRST_STAGE


class UpdateDeal(Arguments):
    """Null leaves a value as it is; `clear_amount` empties the amount."""

    deal_id: Annotated[RecordId, Arg(title="Deal", id_kind="hubspot.deal")]
    stage: Annotated[Stage | None, Arg(title="Stage", choices=STAGES)] = None
    amount: Annotated[Money | None, Arg(title="Amount")] = None
    currency: Annotated[Currency | None, Arg(title="Currency of the amount")] = None
    name: Annotated[Text | None, Arg(title="Deal name")] = None
    clear_amount: Annotated[bool, Arg(title="Remove the amount")] = False

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.clear_amount and self.amount is not None:
            message = "give a new amount or remove it, not both"
            raise ValueError(message)
        return self if self.clear_amount else _one_of(self, "stage", "amount", "name")


class ArchiveDeal(Arguments):
    deal_id: Annotated[RecordId, Arg(title="Deal", id_kind="hubspot.deal")]


class ArchiveContact(Arguments):
    contact_id: Annotated[RecordId, Arg(title="Contact", id_kind="hubspot.contact")]


class Company(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="hubspot.company")]
    name: Annotated[str | None, Out(Label.OUTSIDE)]
    domain: Annotated[str | None, Out(Label.OUTSIDE)]
    city: Annotated[str | None, Out(Label.OUTSIDE)]
    country: Annotated[str | None, Out(Label.OUTSIDE)]
    url: Annotated[str | None, Out(Label.RECORD)]


class Contact(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="hubspot.contact")]
    name: Annotated[str | None, Out(Label.OUTSIDE)]
    first_name: Annotated[str | None, Out(Label.OUTSIDE)]
    last_name: Annotated[str | None, Out(Label.OUTSIDE)]
    email: Annotated[str | None, Out(Label.OUTSIDE)]
    phone: Annotated[str | None, Out(Label.OUTSIDE)]
    url: Annotated[str | None, Out(Label.RECORD)]


class Deal(Result):
    id: Annotated[str, Out(Label.RECORD, id_kind="hubspot.deal")]
    name: Annotated[str | None, Out(Label.OUTSIDE)]
    amount: Annotated[str | None, Out(Label.RECORD)]
    currency: Annotated[str | None, Out(Label.RECORD)]
    stage: Annotated[str | None, Out(Label.RECORD)]
    stage_id: Annotated[str | None, Out(Label.RECORD)]
    close_date: Annotated[str | None, Out(Label.RECORD)]
    url: Annotated[str | None, Out(Label.RECORD)]


class ChangedDeal(Result):
    """A deal after a change; stage, amount and currency are null where they were not changed."""

    id: Annotated[str, Out(Label.RECORD, id_kind="hubspot.deal")]
    name: Annotated[str | None, Out(Label.OUTSIDE)]
    stage: Annotated[str | None, Out(Label.RECORD)]
    amount: Annotated[str | None, Out(Label.RECORD)]
    currency: Annotated[str | None, Out(Label.RECORD)]
    url: Annotated[str | None, Out(Label.RECORD)]


class Companies(Result):
    companies: Annotated[list[Company], Out(Label.OUTSIDE)]
    total: Annotated[int, Out(Label.RECORD)]


class Contacts(Result):
    contacts: Annotated[list[Contact], Out(Label.OUTSIDE)]
    total: Annotated[int, Out(Label.RECORD)]


class Deals(Result):
    deals: Annotated[list[Deal], Out(Label.OUTSIDE)]
    total: Annotated[int, Out(Label.RECORD)]


class Archived(Result):
    id: Annotated[str, Out(Label.RECORD)]
