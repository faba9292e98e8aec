"""How long things took: told to who waits, and no part of any result."""

from __future__ import annotations

import time


def seconds() -> float:
    """Seconds of a clock that only ever rises; differences mean something, the number itself does not."""
    return time.perf_counter()
