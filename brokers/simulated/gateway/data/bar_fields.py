"""The fields that bars of every message share.

A market knows prices and volumes; what TWS adds is derived: a bar's average price is its typical price
(high + low + close) / 3, its count one trade per hundred shares.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brokers.simulated.gateway.protocol.wire import Value

WAP_DIGITS = 6


def bar_fields(open_: float, high: float, low: float, close: float, volume: float) -> dict[str, Value]:
    """A volume of -1 (bars of quotes) has no average and no count."""
    is_traded = volume >= 0
    return {
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": volume,
        "wap": round((high + low + close) / 3, WAP_DIGITS) if is_traded else -1,
        "count": math.ceil(volume / 100) if is_traded else -1,
    }
