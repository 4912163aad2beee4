"""What `countersign serve` begins with."""

import gc

import pytest

from bot.serve import bind


def test_taken_port_is_refused_without_leaving_a_socket() -> None:
    """Looking for the next free port leaks nothing: warnings are errors."""
    taken = bind("127.0.0.1", 0)
    try:
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", taken.getsockname()[1])
        gc.collect()
    finally:
        taken.close()
