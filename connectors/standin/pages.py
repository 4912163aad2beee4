from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import jinja2
from starlette.responses import HTMLResponse

from connectors.standin.authorize import Consent
from connectors.standin.config import StandinConfig
from connectors.standin.vendor import Vendor

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("connectors.standin"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a page's table; `href` links the value."""

    label: str
    value: str
    href: str | None = None


class Pages:
    """The pages that a person sees at a stand-in; each says that it is one."""

    def __init__(self, config: StandinConfig, vendor: Vendor) -> None:
        self._config = config
        self._vendor = vendor

    def consent(self, consent: Consent, *, action: str) -> HTMLResponse:
        """Return the page that asks a person to allow or deny, the hinted account chosen."""
        hinted = self._config.find_account(consent.login_hint)
        chosen = hinted or self._config.accounts[0]
        target = urlsplit(consent.redirect_uri)
        rules = self._vendor.oauth
        return self._render(
            "consent.html",
            {
                "action": action,
                "request_id": consent.id,
                "accounts": self._config.accounts,
                "chosen": chosen.email,
                "scopes": [(name, rules.scopes[name]) for name in consent.scopes],
                "can_untick": rules.can_untick,
                "target_host": target.netloc,
            },
            # Chromium applies form-action to the redirect after the form, too.
            form_action=f"'self' {target.scheme}://{target.netloc}",
        )

    def message(self, heading: str, text: str, *, status: int) -> HTMLResponse:
        values = {"heading": heading, "text": text}
        return self._render("message.html", values, status=status)

    def table(
        self, heading: str, sections: Mapping[str, Sequence[Row]], *, note: str = ""
    ) -> HTMLResponse:
        """Return a page of titled tables (a record, or what the stand-in holds)."""
        values = {"heading": heading, "sections": sections, "note": note}
        return self._render("table.html", values)

    def _render(
        self,
        template: str,
        values: Mapping[str, object],
        *,
        status: int = 200,
        form_action: str = "'none'",
    ) -> HTMLResponse:
        html = _TEMPLATES.get_template(template).render(vendor=self._vendor, **values)
        policy = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action {form_action}"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }
        return HTMLResponse(html, status_code=status, headers=headers)
