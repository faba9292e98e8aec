"""A rule at work: what it has counted, how often it has happened, and what ends it."""

from __future__ import annotations

import random
from collections import Counter

from brokers.simulated.gateway.faults.fault import Act, Undo
from brokers.simulated.gateway.faults.rule import Rule

LATER = "orderStatus"
"""An Act that found nobody waits for the next of these: an order has come or moved."""


class Armed:
    """Mutable; `chance` is the rule's own, so that no rule's draws depend on another rule's."""

    def __init__(self, rule: Rule, chance: random.Random, day_began_at: float) -> None:
        self.rule = rule
        self.day_began_at = day_began_at
        self.began_at: float | None = None
        self.is_over = False
        self.found_nobody = False
        self.undos: list[Undo] = []
        self._chance = chance
        self._happened = 0
        self._waited = 0
        self._met: Counter[tuple[int, str]] = Counter()

    @property
    def is_at_work(self) -> bool:
        return self.began_at is not None and not self.is_over

    @property
    def is_spent(self) -> bool:
        """Whether it has happened as often as it may."""
        return self.rule.count_max is not None and self._happened >= self.rule.count_max

    def begin(self, at: float) -> None:
        self.began_at = at

    def is_for(self, client_id: int, name: str) -> bool:
        """Whether it counts messages or requests of this kind to or from this client."""
        timing = self.rule.timing
        if (timing.client if timing.whose is None else timing.whose) not in {None, client_id}:
            return False
        if self.found_nobody:
            return name == LATER
        kinds = self.rule.kinds
        if isinstance(self.rule.fault.way, Act):
            return name in kinds or (not kinds and not self.rule.begins_at_once)
        return name in kinds or not kinds

    def meet(self, client_id: int, name: str) -> int | None:
        """Count one; its number among those of this kind and client if it is hit, None otherwise."""
        self._met[client_id, name] += 1
        self._waited += 1
        timing = self.rule.timing
        is_drawn = timing.probability is None or self._chance.random() < timing.probability
        if self.is_spent or not is_drawn or self._waited < (timing.nth or 1):
            return None
        return self._met[client_id, name]

    def count(self) -> None:
        """It has happened once more."""
        self._happened += 1
        self.found_nobody = False
