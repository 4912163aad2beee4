"""HTTP clients of the workspace, on one TLS context: to read the authorities takes 20 ms."""

import functools
import ssl
from typing import Any

import httpx2


@functools.cache
def tls() -> ssl.SSLContext:
    """Return what trusts the system's authorities."""
    return ssl.create_default_context()


def open_client(**options: Any) -> httpx2.AsyncClient:
    """Return a client that heeds no proxy settings; whoever opens it closes it."""
    return httpx2.AsyncClient(trust_env=False, verify=tls(), **options)
