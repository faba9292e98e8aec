"""What the plans of the session have lost since it began: the account's, each strategy's, each instrument's.

Sums run from the oldest plan to the newest, plain and in that order, so that they are the same numbers on every
Python. Plans that are over change no more: their part is kept between two looks, as long as the book only adds to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from msgspec import Struct, field

from daemon.engine.book import Book
from daemon.engine.plan import Plan

Profit = Callable[[Plan], float | None]


class Sum(Struct):
    """Currency: what plans had earned when the session began, and have now; None = a price is missing."""

    base: float = 0.0
    profit: float | None = 0.0

    def add(self, base: float, profit: float | None) -> None:
        """One more plan."""
        self.base += base
        self.profit = None if self.profit is None or profit is None else self.profit + profit

    @property
    def loss(self) -> float | None:
        """Positive if money was lost."""
        return None if self.profit is None else self.base - self.profit

    def copy(self) -> Sum:
        return Sum(self.base, self.profit)


class Sums(Struct, kw_only=True):
    """Strategies and symbols stand in the order in which their first plan does."""

    account: Sum = field(default_factory=Sum)
    strategies: dict[str, Sum] = field(default_factory=dict)
    instruments: dict[str, Sum] = field(default_factory=dict)

    def add(self, plan: Plan, base: float, profit: float | None) -> None:
        """One more plan."""
        self.account.add(base, profit)
        for sums, name in ((self.strategies, plan.strategy), (self.instruments, plan.symbol)):
            kept = sums.get(name)
            if kept is None:
                kept = sums[name] = Sum()
            kept.add(base, profit)

    def copy(self) -> Sums:
        return Sums(
            account=self.account.copy(),
            strategies={name: kept.copy() for name, kept in self.strategies.items()},
            instruments={name: kept.copy() for name, kept in self.instruments.items()},
        )


class DayLosses:
    """Reads the book; what it keeps follows from the plans that are over."""

    def __init__(self, book: Book, profit: Profit) -> None:
        self._book = book
        self._profit = profit
        self._over = Sums()
        self._epoch, self._counted = -1, 0

    def sums(self) -> Sums:
        """As of now, over the plans that are over and those that live."""
        book = self._book
        if self._epoch != book.index.retired_epoch:
            self._epoch, self._counted, self._over = book.index.retired_epoch, 0, Sums()
        if self._counted < len(book.retired):
            self._add(self._over, islice(book.retired.values(), self._counted, None))
            self._counted = len(book.retired)
        sums = self._over.copy()
        self._add(sums, book.plans.values())
        return sums

    def _add(self, sums: Sums, plans: Iterable[Plan]) -> None:
        bases = self._book.watch.base
        for plan in plans:
            sums.add(plan, bases.get(plan.plan_id, 0.0), self._profit(plan))
