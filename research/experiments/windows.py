"""Sessions into train and trade windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from research.experiments.axes import WrongUsage


class Window(Struct, frozen=True, kw_only=True):
    """All days are sessions and included. Nothing of the embargo between train and trade is used by either."""

    number: int
    train_first: date
    train_last: date
    trade_first: date
    trade_last: date


class Walk(Struct, frozen=True, kw_only=True):
    """How the windows lie, in sessions. `anchored`: every train window begins with the first session."""

    train: int = 252
    trade: int = 5
    embargo: int = 0
    anchored: bool = False


def windows_of(sessions: Sequence[date], walk: Walk) -> tuple[Window, ...]:
    """Trade windows follow each other without gap or overlap to the last session; the last one may be shorter.

    The first trades behind `train + embargo` sessions. Raises WrongUsage for lengths that cannot be and where no
    session is left to trade.
    """
    for name, length, least in (("train", walk.train, 2), ("trade", walk.trade, 1), ("embargo", walk.embargo, 0)):
        if length < least:
            raise WrongUsage(f"--{name} {length} sessions, allowed: at least {least}")
    first_traded = walk.train + walk.embargo
    if first_traded >= len(sessions):
        raise WrongUsage(
            f"--train {walk.train} and --embargo {walk.embargo}: the data has {len(sessions)} sessions, "
            f"allowed: at least {first_traded + 1}, so that one is left to trade"
        )
    return tuple(
        Window(
            number=number,
            train_first=sessions[0 if walk.anchored else begin - walk.embargo - walk.train],
            train_last=sessions[begin - walk.embargo - 1],
            trade_first=sessions[begin],
            trade_last=sessions[min(begin + walk.trade, len(sessions)) - 1],
        )
        for number, begin in enumerate(range(first_traded, len(sessions), walk.trade))
    )
