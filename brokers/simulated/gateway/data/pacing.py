"""The limits of historical and market data (TWS.md 3.36), in market seconds; in force unless pacing is off.

No identical request within 15 seconds; at most five for one contract and kind in two seconds; 60 in ten minutes, where
BID_ASK counts twice; 100 market data lines at once. Answers leave at once here, so fifty are never open together.
"""

from __future__ import annotations

from collections import deque

from brokers.simulated.gateway.orders.refusals import Refusal

SAME_AGAIN_S, BURST_S, WINDOW_S = 15.0, 2.0, 600.0
BURST_MAX, WINDOW_MAX, LINES_MAX = 5, 60, 100
COUNTS_TWICE = "BID_ASK"
VIOLATION = Refusal(162, "Historical Market Data Service error message:Historical data request pacing violation")
TOO_MANY_LINES = Refusal(101, "Max number of tickers has been reached")

Asked = tuple[float, tuple[object, ...], tuple[object, ...]]


class HistoryPace:
    """What one client has asked for in the last ten minutes."""

    def __init__(self) -> None:
        self._asked: deque[Asked] = deque()

    def takes(self, at: float, contract: tuple[object, ...], request: tuple[object, ...], what: str) -> bool:
        """Whether a request is within the limits; one that is not does not count."""
        while self._asked and self._asked[0][0] <= at - WINDOW_S:
            self._asked.popleft()
        recent = [one for one in self._asked if one[0] > at - BURST_S and one[1] == contract]
        is_repeated = any(one[0] > at - SAME_AGAIN_S and one[2] == request for one in self._asked)
        weight = 2 if what == COUNTS_TWICE else 1
        if is_repeated or len(recent) >= BURST_MAX or len(self._asked) + weight > WINDOW_MAX:
            return False
        self._asked.extend([(at, contract, request)] * weight)
        return True
