"""The account values a TWS reports, by its own keys (a recorded sample of 2022 has them for several currencies)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct, field

from brokers.simulated.gateway.accounts.ledger import Ledger

BASE, USD = "BASE", "USD"
NO_CURRENCY = {
    "AccountReady": "true",
    "AccountType": "INDIVIDUAL",
    "DayTradesRemaining": "-1",
    "NLVAndMarginInReview": "false",
}
SECURITIES = "-S"
"""The same figure for the securities segment, which is all there is."""
NO_SEGMENT = frozenset(("BuyingPower", "NetLiquidationUncertainty", "SettledCash"))
LEDGER, ALL_CURRENCIES = "$LEDGER", "ALL"
"""`$LEDGER` asks for the balances in the base currency, `$LEDGER:USD` and `$LEDGER:ALL` for those in others."""


class Value(NamedTuple):
    """One account value as it is told; `currency` is empty where the value is no amount."""

    key: str
    value: str
    currency: str


class ValueSubscription(Struct):
    """Who wants which account values, and what has been told, because only changes are told again."""

    account: str
    """Empty for all accounts."""
    tags: tuple[str, ...] = ()
    """Of an account summary; otherwise everything is wanted."""
    model_code: str = ""
    is_light: bool = False
    """Only what stands per currency, and the net liquidation value."""
    told: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def changes(self, ledger: Ledger) -> Iterator[Value]:
        """What has changed since it was told last; the first time everything."""
        for row in self._wanted(ledger):
            place = (ledger.account, row.key, row.currency)
            if self.told.get(place) != row.value:
                self.told[place] = row.value
                yield row

    def _wanted(self, ledger: Ledger) -> Iterable[Value]:
        if self.tags:
            return summary_rows(ledger, self.tags)
        if self.is_light:
            amounts = ledger.currency_values()
            return (row for row in values_of(ledger) if row.key in amounts or row.key == "NetLiquidation")
        return values_of(ledger)


def values_of(ledger: Ledger) -> Iterator[Value]:
    """Everything a TWS reports about the account."""
    yield Value("AccountCode", ledger.account, "")
    yield from (Value(key, value, "") for key, value in NO_CURRENCY.items())
    equity, gross = ledger.net_liquidation, ledger.gross_position_value
    cushion = max((equity - ledger.margin.maintenance) / equity, 0.0) if equity > 0 else 0.0
    yield Value("Cushion", f"{cushion:.6f}", "")
    yield Value(f"Leverage{SECURITIES}", f"{gross / equity if equity > 0 else 0.0:.2f}", "")
    yield Value("LookAheadNextChange", "0", "")
    for key, amount in ledger.account_values().items():
        yield Value(key, f"{amount:.2f}", USD)
        if key not in NO_SEGMENT:
            yield Value(key + SECURITIES, f"{amount:.2f}", USD)
    balances = ledger.currency_values()
    for currency in (BASE, USD):
        yield Value("AccountOrGroup", ledger.account, currency)
        yield Value("Currency", currency, currency)
        yield from (Value(key, f"{amount:.2f}", currency) for key, amount in balances.items())


def summary_rows(ledger: Ledger, tags: Iterable[str]) -> list[Value]:
    """The rows of an account summary; tags that TWS does not know draw nothing, as ibi#589 reports."""
    told = list(values_of(ledger))
    known = {row.key: row for row in told if row.currency != BASE}
    known["Leverage"] = known[f"Leverage{SECURITIES}"]._replace(key="Leverage")
    rows: list[Value] = []
    for tag in tags:
        if tag in known:
            rows.append(known[tag])
        elif tag.partition(":")[0] == LEDGER:
            currencies = _currencies_of(tag)
            balances = {"Currency", *ledger.currency_values()}
            rows += [row for row in told if row.key in balances and row.currency in currencies]
    return rows


def _currencies_of(tag: str) -> tuple[str, ...]:
    """Which currencies a `$LEDGER` tag means; everything here is in dollars, the base currency."""
    wanted = tag.partition(":")[2] or BASE
    return (BASE, USD) if wanted == ALL_CURRENCIES else (wanted,)
