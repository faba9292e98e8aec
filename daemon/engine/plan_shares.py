"""How many shares the plans hold, and how many of them may be sold for each.

Less than a plan holds where the broker denies shares of it, and where it lends none for what would be a short sale.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from daemon.engine.beliefs import Beliefs
from daemon.engine.plan import Plan
from shared.orders import Order, Side

SPLITS = ("corporate_action", "split_due")
NOTHING: Mapping[str, Any] = {}


class PlanShares(Beliefs):
    """What the plans of an instrument hold together, and each of them."""

    def plans_in(self, symbol: str) -> Collection[Plan]:
        """All plans in the instrument, oldest first."""
        return self.index.plans_in.get(symbol, NOTHING).values()

    def quantity(self, symbol: str) -> int:
        """Signed shares in an instrument over all strategies."""
        shares = 0
        for plan in self.index.plans_in.get(symbol, NOTHING).values():
            shares += plan.side.sign * (plan.opened - plan.closed)
        return shares

    def believable(self, plan: Plan) -> int:
        """Open shares of the plan that the broker does not deny; what it does not hold must not be sold for it.

        In an instrument whose quantity is broken the side that has too many loses, the youngest plans first.
        """
        theirs = self._told_quantity(plan.symbol) if self.is_disputed else None
        if theirs is None:
            return self.sellable(plan)
        lacking = plan.side.sign * (self.quantity(plan.symbol) - theirs)
        return min(self._share_of(plan, int(self._held_on_side(plan) - lacking)), self.sellable(plan))

    def sellable(self, plan: Plan) -> int:
        """Open shares of the plan; once TWS has held a sale back as a short one, of those only what the account has.

        Other plans are short of the rest. Where the account has none, all may wait for a loan: nothing waits with it.
        Shares that the broker shows beyond the book's may be those of before an execution, and are not counted beside
        the book's: of a sale that is too large TWS holds all.
        """
        account = self.net(plan.symbol)
        if plan.symbol not in self.unlent or plan.side is Side.SELL or account <= 0:
            return plan.open_quantity
        ours = self.quantity(plan.symbol)
        sure = min(ours, account) if ours > 0 else account
        return self._share_of(plan, int(min(sure, self._held_on_side(plan))))

    def net(self, symbol: str) -> float:
        """Signed shares the account has of it, a stranger's as well."""
        return self.quantity(symbol) + self.foreign_positions.get(symbol, 0.0)

    def is_short_sale(self, order: Order) -> bool:
        """Whether all that it sells would have to be borrowed."""
        return order.side is Side.SELL and self.net(order.symbol) <= 0

    def _held_on_side(self, plan: Plan) -> int:
        return sum(max(each.open_quantity, 0) for each in self.plans_in(plan.symbol) if each.side is plan.side)

    def _share_of(self, plan: Plan, left: int) -> int:
        """The plan's part of so many shares that are left to its side: the youngest plans lose first."""
        for each in self.plans_in(plan.symbol):
            if each is plan:
                return max(min(left, each.open_quantity), 0)
            if each.side is plan.side:
                left -= max(each.open_quantity, 0)
        return 0

    def forget_unlent(self) -> None:
        """Where no plan is long any more nothing waits for shares to borrow."""
        for symbol in list(self.unlent):
            if not any(plan.side is Side.BUY and plan.open_quantity > 0 for plan in self.plans_in(symbol)):
                del self.unlent[symbol]

    def to_give_back(self, plan: Plan) -> int:
        """Shares that exits of the plan closed too many, as far as the broker does not hold them all the same."""
        too_many = max(-plan.open_quantity, 0)
        theirs = self._told_quantity(plan.symbol) if self.is_disputed else None
        if theirs is None:
            return too_many
        return max(too_many - max(int(plan.side.sign * (theirs - self.quantity(plan.symbol))), 0), 0)

    @property
    def is_disputed(self) -> bool:
        """Whether in any instrument what one plan may sell depends on others.

        The broker holds something else there than the book, or lately did, or lends no shares of it.
        """
        return bool(self.locks or self.breaks or self.unlent)

    def _told_quantity(self, symbol: str) -> float | None:
        """What the broker says it holds of an instrument where that is not the book's; None if it says nothing else."""
        lock, seen = self.locks.get(symbol), self.breaks.get(symbol)
        if lock is not None:
            return lock.broker_quantity
        return None if seen is None or seen.may_be_late else seen.broker_quantity

    def follow_execution(self, symbol: str, signed: int) -> None:
        """An execution told just now moves what the broker last said it holds where that is not the book's."""
        lock, seen = self.locks.get(symbol), self.breaks.get(symbol)
        if lock is not None and lock.broker_quantity is not None:
            lock.broker_quantity += signed
        if seen is not None:
            seen.broker_quantity += signed

    def protectable(self, plan: Plan) -> int:
        """Open shares for which a stop may be placed: none while a split waits for a person."""
        if not self.is_disputed:
            return plan.open_quantity
        return 0 if self.has_split(plan.symbol) else self.believable(plan)

    def has_split(self, symbol: str) -> bool:
        """Whether a split, or what looks like one, waits for a person."""
        lock = self.locks.get(symbol)
        return lock is not None and lock.kind in SPLITS
