"""Slack's request signature, checked over the raw body before anything is parsed (S19)."""

import hashlib
import hmac

MAX_AGE_S = 300
"""Source: https://docs.slack.dev/authentication/verifying-requests-from-slack"""

_LONGEST_TIMESTAMP = 20


def is_genuine(secret: str, *, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Tell whether Slack signed this body within the last five minutes.

    Never raises, whatever the headers hold; compares in constant time.

    Args:
        secret: the app's signing secret.
        timestamp: the header X-Slack-Request-Timestamp, "" when absent.
        signature: the header X-Slack-Signature, "" when absent.
        body: the body as received, byte for byte.
        now: seconds since the epoch.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < _LONGEST_TIMESTAMP):
        return False
    if abs(now - int(timestamp)) > MAX_AGE_S:
        return False
    mac = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return hmac.compare_digest(b"v0=" + mac.hexdigest().encode(), signature.encode())
