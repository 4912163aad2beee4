import hashlib
import hmac

import pytest

from bot.intake.signature import is_genuine

SECRET = "0123456789abcdef"
BODY = b'{"type":"event_callback"}'
NOW = 1_732_180_000.0


def sign(timestamp: str, *, secret: str = SECRET, body: bytes = BODY) -> str:
    mac = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256)
    return f"v0={mac.hexdigest()}"


@pytest.mark.parametrize("age_s", [-300, 0, 300])
def test_signed_body_within_five_minutes_is_genuine(age_s: int) -> None:
    """Slack's signature holds for five minutes either way."""  # S19
    timestamp = str(int(NOW) - age_s)
    assert is_genuine(SECRET, timestamp=timestamp, signature=sign(timestamp), body=BODY, now=NOW)


FRESH = str(int(NOW))


@pytest.mark.parametrize(
    ("timestamp", "signature"),
    [
        pytest.param(str(int(NOW) - 301), sign(str(int(NOW) - 301)), id="stale"),
        pytest.param(str(int(NOW) + 301), sign(str(int(NOW) + 301)), id="from the future"),
        pytest.param(FRESH, sign(FRESH, secret="other"), id="other secret"),
        pytest.param(FRESH, sign(FRESH, body=b"{}"), id="other body"),
        pytest.param(FRESH, sign(FRESH).upper(), id="upper case"),
        pytest.param(FRESH, "", id="no signature"),
        pytest.param(FRESH, "v0=ä\udcff".encode("utf-8", "replace").decode(), id="not ascii"),
        pytest.param("", sign(""), id="no timestamp"),
        pytest.param("abc", sign("abc"), id="no number"),
        pytest.param("-1", sign("-1"), id="negative"),
        pytest.param("١٢٣", sign("١٢٣"), id="other digits"),
        pytest.param("9" * 5000, sign("9" * 5000), id="endless number"),
    ],
)
def test_anything_else_is_not_genuine(timestamp: str, signature: str) -> None:
    """No header whatsoever passes or raises but a fresh signature of this very body."""  # S19
    assert not is_genuine(SECRET, timestamp=timestamp, signature=signature, body=BODY, now=NOW)
