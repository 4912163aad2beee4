"""A local Google: its OAuth and its Calendar API's refusals, as far as the connector goes."""

from connectors.google_calendar.standin.app import build_standin

__all__ = ["build_standin"]
