"""The peer: what an ib_insync user writes. The order is placed in the bar's callback: no checks, no journal.

`python -m bench.bare_script PORT` runs until its connection ends.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from ib_insync import IB, Contract, MarketOrder, Stock

QUANTITY = 100


class BareScript:
    """Buys a bracket on one bar and sells it on the next."""

    def __init__(self, ib: IB, contract: Contract) -> None:
        self.ib = ib
        self.contract = contract
        self.is_long = False
        self.brackets = 0

    def on_bar(self, bars: Any, _has_new_bar: bool) -> None:  # noqa: ANN401 - ib_insync is untyped
        group = f"bare-{self.brackets}"
        if self.is_long:
            self.ib.placeOrder(self.contract, MarketOrder("SELL", QUANTITY, ocaGroup=group, ocaType=3))
        else:
            self.brackets += 1
            self._buy(f"bare-{self.brackets}", bars[-1].close)
        self.is_long = not self.is_long

    def _buy(self, group: str, price: float) -> None:
        entry, target, stop = self.ib.bracketOrder(
            "BUY", QUANTITY, price, round(price * 1.02, 2), round(price * 0.99, 2)
        )
        entry.orderType, entry.lmtPrice = "MKT", 0.0
        for leg in (target, stop):
            leg.ocaGroup, leg.ocaType = group, 3
        for leg in (entry, target, stop):
            self.ib.placeOrder(self.contract, leg)


async def main(port: int) -> None:
    """Connect, subscribe, trade until the server goes."""
    ib = IB()  # type: ignore[no-untyped-call]  # ib_insync has no types here
    await ib.connectAsync("127.0.0.1", port, clientId=7)
    (contract,) = await ib.qualifyContractsAsync(Stock("SPY", "SMART", "USD"))
    bars = ib.reqRealTimeBars(contract, 5, "TRADES", useRTH=True)
    script = BareScript(ib, contract)  # eventkit holds its listeners weakly: without a name it would be gone
    bars.updateEvent += script.on_bar
    ib.reqMktData(contract)
    gone = asyncio.Event()
    ib.disconnectedEvent += gone.set
    await gone.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
