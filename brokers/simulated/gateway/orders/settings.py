"""How this broker treats orders, as a TWS user and IB itself would have set it up."""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

from brokers.simulated.commission import CommissionModel


class OrderSettings(Struct, frozen=True, kw_only=True):
    """What stays the same for a session; what changes under a client's eyes is in conduct.py."""

    commission_model: CommissionModel = "ib_fixed"
    read_only: bool = False
    """The API checkbox: orders and binding are answered with 321 (TWS.md 3.46)."""
    resubmit: bool = True
    """Maintain and resubmit orders when connection is restored (TWS.md 3.18)."""
    closed_market: Literal["hold", "reject"] = "hold"
    """A market order while the market is closed waits with 399, or is refused with 201 (TWS.md 3.10)."""
    close_cutoff_s: float = 600.0
    """MOC and LOC are taken until so long before the close: NYSE and ARCA 15:50."""
    quantity_max: float = math.inf
    """Larger orders get 201: a size limit (TWS.md 3.9)."""
    price_band: float = math.inf
    """How far, as a share of the market price, a limit may reach through the market (TWS.md 3.9)."""
    beyond_band: Literal["cap", "cancel"] = "cap"
    """What happens beyond `price_band`: the price is capped and told in mktCapPrice, or 202 cancels."""
    locate_retry_s: float = 60.0
    """A short sale without shares to borrow is tried again so often."""
    gtc_ends_with_next_quarter: bool = False
    """GTC orders end with the quarter after the one in which they were placed (TWS.md 3.20)."""
    what_if_twice: bool = False
    """A preview comes twice, first unset, then with values (TWS.md 3.17). ib_insync stops at the first."""
