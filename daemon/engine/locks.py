"""Where broker and book disagree about an instrument: the difference as it is watched, and the lock it leads to."""

from __future__ import annotations

from datetime import datetime
from math import log

from msgspec import Struct


class Lock(Struct, kw_only=True):
    """Why an instrument takes no entries, since when, and how many clean reports in a row it has seen.

    `kind` is a discrepancy's (quantity_break, corporate_action or double_perm_id), or split_due: a split that is known
    of, and that the broker does not show yet. `broker_quantity` is the signed
    position the broker reported last, None if the break is not one of quantity or the figure may still be late.
    `split_ratio`: new shares for an old one, as the last report showed it in which nobody had traded beside the split;
    `price_before`: the last believable one when a report first showed it. `told`: the quantities that a person was told
    of last, whatever else locks the instrument.
    """

    cause: str
    since: datetime
    kind: str = "quantity_break"
    broker_quantity: float | None = None
    split_ratio: float | None = None
    price_before: float | None = None
    clean_reports: int = 0
    told: str = ""

    def show_split(self, ratio: float | None, price: float | None) -> None:
        """A report has shown so many new shares for an old one, or none; the last believable price was that."""
        if self.split_ratio is None:
            self.price_before = price
        self.split_ratio = ratio or self.split_ratio

    def end_split(self) -> None:
        """No split stands here any more, or none ever did; the instrument stays locked until reports are clean."""
        self.kind, self.split_ratio = "quantity_break", None


def shares_of_after(lock: Lock | None, price: float) -> float:
    """How many shares one of the book's makes in such a price: it may be of before a split that waits, or of after."""
    if lock is None or lock.split_ratio is None:
        return 1.0
    before, ratio = lock.price_before, lock.split_ratio
    is_of_before = before is not None and abs(log(price / before)) < abs(log(price * ratio / before))
    return 1.0 if is_of_before else ratio


class Break(Struct, kw_only=True):
    """A difference in quantity under observation.

    `reports` counts the reports that showed a difference, `same` those in a row that showed this one, each at least
    two seconds after the last counted (`seen_at`). An execution of the instrument in between begins the count anew:
    `executions` is how many were booked when it began. `may_be_late`: the broker's figure may lag behind one of them.
    `began_at` is `since` by the broker's clock, as far apart as the two were then; None in a journal of before.
    """

    kind: str
    text: str
    since: datetime
    seen_at: datetime
    broker_quantity: float
    average_cost: float
    executions: int
    may_be_late: bool = False
    reports: int = 1
    same: int = 1
    began_at: datetime | None = None


class SplitTaken(Struct, frozen=True, kw_only=True):
    """A split that a person has taken over: new shares for an old one.

    When it took place is by the broker's clock, when he did by ours.
    """

    happened_at: datetime
    taken_at: datetime
    ratio: float = 1.0
