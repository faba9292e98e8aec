"""Shares that can be borrowed for short sales."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

PLENTY, AFTER_LOCATE, NONE = 3.0, 2.0, 1.0
THOUSAND = 1000.0


class Locates:
    """Available shares by conId; what is not named is there in plenty."""

    def __init__(self, available: Mapping[int, float] | None = None) -> None:
        self.available: dict[int, float] = dict(available or {})
        self.searches: Counter[int] = Counter()
        """By conId, those that go on: until the last of them has found shares there are none to borrow."""

    def left(self, con_id: int) -> float:
        return 0.0 if self.searches[con_id] else self.available.get(con_id, math.inf)

    def take(self, con_id: int, quantity: float) -> bool:
        """Borrow the shares; nothing is borrowed if there are not as many."""
        if self.left(con_id) < quantity:
            return False
        if con_id in self.available:
            self.available[con_id] -= quantity
        return True

    def shortable(self, con_id: int) -> float:
        """Tick 46: above 2.5 at least a thousand shares, above 1.5 some, otherwise none (TWS.md 3.32)."""
        left = self.left(con_id)
        return PLENTY if left >= THOUSAND else AFTER_LOCATE if left > 0 else NONE
