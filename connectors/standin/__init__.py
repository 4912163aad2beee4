"""The shared base of the stand-ins: local servers that behave, and refuse, as a vendor does.

The demo, the contract tests and the scenario tests use them; the running bot never imports
this package. A provider's own part is `connectors/<provider>/standin.py`.
"""

from connectors.standin.config import Account, StandinConfig, default_accounts

__all__ = ["Account", "StandinConfig", "default_accounts"]
