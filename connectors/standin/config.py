from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """A made-up person who can sign in at a stand-in."""

    email: str
    name: str
    time_zone: str = "Europe/Berlin"


def default_accounts() -> tuple[Account, ...]:
    """Return the people of Northwind, the made-up company of the demo."""
    return (
        Account(email="dana@northwind.example", name="Dana Reyes"),
        Account(email="mo@northwind.example", name="Mo Haddad"),
        Account(email="ada@northwind.example", name="Ada Lindqvist"),
    )


@dataclass(frozen=True, slots=True)
class StandinConfig:
    """What a stand-in needs to know before it starts.

    Args:
        data_dir: Folder of the stand-in's own database; made if missing.
        base_url: Where people's browsers reach the stand-in, without a closing slash; the page
            links in its answers begin with it.
        client_id: The one OAuth client that is registered.
        client_secret: Its secret.
        redirect_uris: The redirect URIs that are registered, compared exactly.
        access_token_ttl_s: Life of an access token; short, so that refreshing is exercised.
        search_lag_s: How long a write stays invisible to search (HubSpot only).
        accounts: Who can sign in; the first is the one that is preselected.
        is_prepared: Whether an admin has set the account up as `countersign doctor --fix` does;
            otherwise it is as a new one (HubSpot only).
        is_rate_limited: Whether the vendor's published request limits are enforced.
    """

    data_dir: Path
    base_url: str
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    access_token_ttl_s: float = 120.0
    search_lag_s: float = 1.0
    accounts: tuple[Account, ...] = default_accounts()
    is_prepared: bool = False
    is_rate_limited: bool = True

    def find_account(self, email: str) -> Account | None:
        wanted = email.strip().casefold()
        return next((who for who in self.accounts if who.email.casefold() == wanted), None)
