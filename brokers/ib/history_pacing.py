"""How fast the history farm may be asked (TWS.md 3.36). Pure: instants are seconds of any one clock.

No identical request within 15 s and at most 5 for one contract, exchange and kind within 2 s: always kept. At most 60
within ten minutes, real-time bars included: IB enforces that for bars below a minute only, and a universe of fifty
needs a hundred requests to begin with; so it is kept from the first time that TWS speaks of a pacing violation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from msgspec import Struct

IDENTICAL_S = 15.0
BURST_S, BURST_MAX = 2.0, 5
WINDOW_S, WINDOW_MAX = 600.0, 60
MARGIN_S = 0.25
"""TWS measures when it reads, not when we write; a simulated gateway's market may run faster than the wall."""


class Asked(Struct, frozen=True):
    """`series` names contract, exchange and kind of data; `question` what else makes two requests different."""

    series: Hashable
    question: Hashable


class HistoryLedger:
    """The requests of the last ten minutes, those included that are to leave at a later instant."""

    def __init__(self, margin_s: float = MARGIN_S) -> None:
        self.margin_s = margin_s
        self.is_strict = False
        """Whether the ten minutes count: TWS has refused a request for its pace."""
        self._taken: deque[tuple[float, Asked]] = deque()

    def allowed_at_s(self, wanted: Asked, now_s: float) -> float:
        """The first instant at which the request may leave."""
        while self._taken and self._taken[0][0] <= now_s - WINDOW_S - self.margin_s:
            self._taken.popleft()
        taken = sorted(self._taken, key=lambda entry: entry[0])
        until = [at_s + IDENTICAL_S for at_s, one in taken if one == wanted]
        alike = [at_s for at_s, one in taken if one.series == wanted.series]
        if len(alike) >= BURST_MAX:
            until.append(alike[-BURST_MAX] + BURST_S)
        if self.is_strict and len(taken) >= WINDOW_MAX:
            until.append(taken[-WINDOW_MAX][0] + WINDOW_S)
        return max(now_s, max(until) + self.margin_s) if until else now_s

    def take(self, wanted: Asked, at_s: float) -> None:
        """The request leaves at that instant."""
        self._taken.append((at_s, wanted))
