"""How many messages a second a client may send (TWS.md 3.36): 50, half of its market data lines.

TWS either reads on later (`silent`; what a client asks for with `+PACEAPI`) or answers error 100, and closes the
socket at the third breach (`reject`). Seconds are the wall's, or those of a virtual clock.
"""

from __future__ import annotations

from collections import deque

BREACHES_MAX = 3
WINDOW_S = 1.0


class MessageRate:
    """The messages of one client within the last second."""

    def __init__(self) -> None:
        self.breaches = 0
        self._arrived: deque[float] = deque()

    def wait_s(self, at: float, limit: int) -> float:
        """How long a message that arrives now has to wait to stay within the limit."""
        self._forget(at)
        return 0.0 if len(self._arrived) < limit else self._arrived[-limit] + WINDOW_S - at

    def count(self, at: float) -> None:
        """A message is taken."""
        self._arrived.append(at)

    def breaches_with(self, at: float, limit: int) -> bool:
        """Count a message; True if it is one too many. The count then begins anew."""
        self._forget(at)
        self._arrived.append(at)
        if len(self._arrived) <= limit:
            return False
        self._arrived.clear()
        self.breaches += 1
        return True

    def _forget(self, at: float) -> None:
        while self._arrived and self._arrived[0] <= at - WINDOW_S:
            self._arrived.popleft()
