"""The account values a TWS reports, by its own keys (a recorded sample of 2022 has them for several currencies)."""

from __future__ import annotations

from collections.abc import Iterator

from brokers.simulated.gateway.accounts.ledger import Ledger

NO_CURRENCY = {
    "AccountReady": "true",
    "AccountType": "INDIVIDUAL",
    "DayTradesRemaining": "-1",
    "NLVAndMarginInReview": "false",
}
SECURITIES = "-S"
"""The same figure for the securities segment, which is all there is."""
NO_SEGMENT = frozenset(("BuyingPower", "SettledCash"))


def values_of(ledger: Ledger) -> Iterator[tuple[str, str, str]]:
    """Key, value and currency of everything a TWS reports about the account."""
    yield "AccountCode", ledger.account, ""
    yield from ((key, value, "") for key, value in NO_CURRENCY.items())
    equity, gross = ledger.net_liquidation, ledger.gross_position_value
    cushion = max((equity - ledger.margin.maintenance) / equity, 0.0) if equity > 0 else 0.0
    yield "Cushion", f"{cushion:.6f}", ""
    yield f"Leverage{SECURITIES}", f"{gross / equity if equity > 0 else 0.0:.2f}", ""
    yield "LookAheadNextChange", "0", ""
    for key, amount in ledger.account_values().items():
        yield key, f"{amount:.2f}", "USD"
        if key not in NO_SEGMENT:
            yield key + SECURITIES, f"{amount:.2f}", "USD"
    for currency in ("BASE", "USD"):
        yield "AccountOrGroup", ledger.account, currency
        yield "Currency", currency, currency
        yield from ((key, f"{amount:.2f}", currency) for key, amount in ledger.currency_values().items())
