"""Our instruments as IB contracts, and IB contracts by our symbols."""

from __future__ import annotations

import math
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from ib_insync import Contract, ContractDetails

from shared.errors import ConfigError
from shared.market import Instrument, Universe

_WHOLE = 1e-6


class Contracts:
    """The qualified contracts of the universe: conId from the broker, exchange as configured."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self._by_symbol: dict[str, Contract] = {}
        self._by_con_id: dict[int, str] = {}
        self._zones: dict[str, tzinfo] = {}

    def question(self, instrument: Instrument) -> Contract:
        """The contract as the configuration names it."""
        return Contract(
            secType=instrument.sec_type,
            symbol=instrument.symbol,
            exchange=instrument.exchange,
            primaryExchange=instrument.primary_exchange,
            currency=instrument.currency,
        )

    def knows(self, symbol: str) -> bool:
        return symbol in self._by_symbol

    def accept(self, instrument: Instrument, details: list[ContractDetails]) -> None:
        """Take the broker's answer.

        Raises:
            ConfigError: none or several contracts fit, or the configured tick is not a multiple of the
                broker's.
        """
        found = {d.contract.conId: d for d in details if d.contract is not None}
        if len(found) != 1:
            names = ", ".join(f"{d.contract.primaryExchange} ({con_id})" for con_id, d in found.items() if d.contract)
            what = (
                f"fits several contracts: {names}; name its primary exchange" if found else "is unknown to the broker"
            )
            raise ConfigError(f"universe.symbols: {instrument.symbol} ({instrument.currency}) {what}")
        con_id, detail = next(iter(found.items()))
        _check_tick(instrument, detail.minTick)
        contract = self.question(instrument)
        contract.conId = con_id
        self._by_symbol[instrument.symbol] = contract
        self._by_con_id[con_id] = instrument.symbol
        self._zones[instrument.symbol] = _zone_of(detail)

    def of(self, symbol: str) -> Contract:
        """The qualified contract of one of our symbols."""
        return self._by_symbol[symbol]

    def zone_of(self, symbol: str) -> tzinfo:
        """The exchange's time zone; UTC for a foreign instrument."""
        return self._zones.get(symbol, UTC)

    def symbol_of(self, con_id: int, symbol: str, sec_type: str, currency: str) -> str:
        """Our symbol of a contract; a foreign one is told apart by type, currency and conId."""
        known = self._by_con_id.get(con_id)
        if known is not None:
            return known
        for instrument in self.universe.instruments:
            wanted = (instrument.symbol, instrument.sec_type, instrument.currency)
            if (symbol, sec_type, currency) == wanted:
                return symbol
        return f"{symbol} {sec_type} {currency} {con_id}"


def _check_tick(instrument: Instrument, min_tick: float) -> None:
    if not (math.isfinite(min_tick) and min_tick > 0):
        raise ConfigError(f"universe.tick: the broker names no smallest price step for {instrument.symbol}: {min_tick}")
    steps = instrument.tick / min_tick
    if steps < 1 - _WHOLE or abs(steps - round(steps)) > _WHOLE * max(steps, 1.0):
        raise ConfigError(
            f"universe.tick: {instrument.tick:g} is not allowed for {instrument.symbol}, whose smallest "
            f"price step at the broker is {min_tick:g}; allowed are its multiples"
        )


def _zone_of(detail: ContractDetails) -> tzinfo:
    try:
        return ZoneInfo(detail.timeZoneId)
    except (KeyError, ValueError, OSError):
        return UTC
