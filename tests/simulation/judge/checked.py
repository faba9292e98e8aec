"""What the world has found by itself, of whichever invariant: I15, I17, I20 to I22 show in no other record."""

from __future__ import annotations

from tests.simulation.history import Checked, Record
from tests.simulation.judge.breach import Invariant


class Found(Invariant):
    """A bad Checked is a breach of the invariant it names."""

    def take(self, record: Record) -> None:
        if isinstance(record, Checked) and not record.is_good:
            self.breach(record.invariant, f"{record.what} {record.detail}", f"{record.what}: {record.detail}")
