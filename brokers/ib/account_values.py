"""An account's values out of the broker's texts: complete and in our currency, or unknown; never 0 for want of one."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from brokers.ib.translate import amount
from shared.account import Account

NEEDED = ("NetLiquidation", "TotalCashValue", "BuyingPower")
WANTED = (*NEEDED, "MaintMarginReq", "ExcessLiquidity")


class Told(Struct, frozen=True):
    """A value as the broker writes it."""

    text: str
    currency: str


def account_of(account_id: str, told: Mapping[str, Told], currency: str) -> Account | str:
    """The account, or in one line why it is unknown. `currency` is that of the universe, which every limit is in."""
    values = {tag: amount(told[tag].text) if tag in told else None for tag in WANTED}
    net, cash, power = (values[tag] for tag in NEEDED)
    if net is None or cash is None or power is None:
        missing = ", ".join(tag for tag in NEEDED if values[tag] is None)
        return f"the broker did not tell {missing}"
    foreign = sorted({told[tag].currency for tag in WANTED if tag in told} - {currency, ""})
    if foreign:
        return f"the broker tells it in {', '.join(foreign)}, allowed is {currency}, the currency of the universe"
    return Account(
        account_id=account_id,
        net_liquidation=net,
        cash=cash,
        buying_power=power,
        currency=currency,
        maintenance_margin=values["MaintMarginReq"],
        excess_liquidity=values["ExcessLiquidity"],
    )
