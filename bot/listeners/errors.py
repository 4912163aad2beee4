"""What a listener cannot read."""


class ListenerError(Exception):
    """A payload cannot be handled; the person reads the docstring's sentence."""


class BadPayloadError(ListenerError):
    """I cannot read that click. The card may be out of date: please open it anew."""
