"""Where stop loss and take profit stand."""

from __future__ import annotations

import math
from typing import Literal, Protocol

from shared.market import Instrument
from shared.orders import Side

_GRID_DUST = 1e-9  # of a tick


class ExitRule(Protocol):
    """Distances from the entry price: in percent of it, or in average true ranges; a target of 0 is none."""

    @property
    def method(self) -> Literal["percent", "atr"]: ...
    @property
    def stop(self) -> float: ...
    @property
    def target(self) -> float: ...


def stop_and_target(
    *, side: Side, price: float, policy: ExitRule, atr: float | None, instrument: Instrument
) -> tuple[float, float | None] | None:
    """Stop-loss and take-profit price of an entry on `side` at `price`, or None: then there is no entry.

    Both are on tick, positive and at least one tick away from `price`, the stop on the losing side, the
    target on the winning one. None where price, ATR (currency per share) or the stop's distance is not a
    positive number, or where there is no room for a stop above zero. A short's target at or below zero
    could never fill: left out.
    """
    unit = price / 100 if policy.method == "percent" else atr
    if unit is None or not _is_positive(price) or not _is_positive(unit * policy.stop):
        return None
    stop = _away(price, -side.sign, unit * policy.stop, instrument)
    if stop is None:
        return None
    if not _is_positive(unit * policy.target):
        return stop, None
    return stop, _away(price, side.sign, unit * policy.target, instrument)


def _away(price: float, direction: int, distance: float, instrument: Instrument) -> float | None:
    """The price on tick about `distance` from `price`, at least one tick away; None if not above zero."""
    wanted = price + direction * max(distance, instrument.tick)
    found = instrument.round_to_tick(wanted)
    if direction * (found - price) < instrument.tick * (1 - _GRID_DUST):
        found = instrument.round_to_tick(found + direction * instrument.tick)
    return found if found >= instrument.tick * (1 - _GRID_DUST) else None


def _is_positive(number: float) -> bool:
    return 0 < number < math.inf  # NaN is neither
