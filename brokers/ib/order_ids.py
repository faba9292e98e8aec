"""The order ids that one client id has had, as far as we were told; lives as long as the process.

TWS hands ids out again that it has forgotten (nextValidId rolls back, TWS.md 3.14) and refuses one that it has not
(103): of a bracket then the entry alone, its legs find the order that had the id before and work without it.
"""

from __future__ import annotations


class OrderIds:
    """Knows the highest of them; what TWS says of the next one counts only where it is higher still."""

    def __init__(self, client_id: int) -> None:
        self.client_id = client_id
        self.highest = 0

    def note(self, client_id: int, order_id: int) -> None:
        """An order was sent, shown or executed under this id."""
        if client_id == self.client_id:
            self.highest = max(self.highest, order_id)
