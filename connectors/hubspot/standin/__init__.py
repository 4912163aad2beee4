"""A local HubSpot: its OAuth, its CRM objects and its refusals, as far as the connector goes."""

from connectors.hubspot.standin.app import build_standin

__all__ = ["build_standin"]
