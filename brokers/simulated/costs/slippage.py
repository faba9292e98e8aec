"""How far a market or stop fill lies from the price of the bar: fixed part, spread, impact. PURE.

Three parts, each in basis points of the price, added up, always against us; a limit order pays none of them.

- fixed: so many basis points, whatever the instrument.
- spread: `spread_share` of the quoted or estimated bid-ask spread. 0.5 is what crossing costs against the mid.
- impact: Y * sigma * sqrt(Q / V), the square-root law: sigma the daily volatility, V the shares of an average day, Q
  the shares of the order filled so far, this execution included. Toth, Lemperiere, Deremble, de Lataillade,
  Kockelkoren and Bouchaud, "Anomalous price impact and the critical nature of liquidity in financial markets",
  Physical Review X 1, 021006 (2011), with Y of order one; Almgren, Thum, Hauptmann and Li, "Direct estimation of equity
  market impact" (2005), find the power 0.6. The law is the price move at the end of the order; the average execution
  pays about two thirds of it. The whole is charged here.

What is known of an instrument (`Liquidity`) comes from sessions that are over. Where nothing is known yet, the
assumptions of the model stand in; they are worse than the market of most days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct

BASIS_POINT = 1e-4
UNKNOWN_SPREAD_BPS = 20.0
UNKNOWN_VOLATILITY = 0.03
"""Of a day, as a fraction."""
UNKNOWN_SHARE_OF_DAY = 0.1


class Liquidity(Struct, frozen=True):
    """One instrument's market before the session that runs; NaN where it is not known.

    Spread in basis points of the price, daily volatility as a fraction, shares of an average day.
    """

    spread_bps: float = math.nan
    volatility: float = math.nan
    volume: float = math.nan


class Slip(Struct, frozen=True):
    """The three parts of one execution's slippage, in basis points of its price, >= 0."""

    fixed_bps: float = 0.0
    spread_bps: float = 0.0
    impact_bps: float = 0.0

    @property
    def bps(self) -> float:
        return self.fixed_bps + self.spread_bps + self.impact_bps


class SlippageModel(Struct, frozen=True, kw_only=True):
    """The assumptions: `spread_share` of the whole spread, `impact` is the Y of the square-root law."""

    fixed_bps: float = 0.0
    spread_share: float = 0.0
    impact: float = 0.0

    @property
    def needs_liquidity(self) -> bool:
        return self.spread_share > 0 or self.impact > 0

    def slip(self, liquidity: Liquidity, quantity: float) -> Slip:
        """What an order that has filled `quantity` shares (not negative) pays."""
        return Slip(
            fixed_bps=self.fixed_bps,
            spread_bps=self.spread_share * _known(liquidity.spread_bps, UNKNOWN_SPREAD_BPS) if self.spread_share else 0,
            impact_bps=self._impact_bps(liquidity, quantity) if self.impact else 0.0,
        )

    def _impact_bps(self, liquidity: Liquidity, quantity: float) -> float:
        share = quantity / liquidity.volume if liquidity.volume > 0 else UNKNOWN_SHARE_OF_DAY
        return self.impact * _known(liquidity.volatility, UNKNOWN_VOLATILITY) * math.sqrt(share) / BASIS_POINT


class MarketSlippage:
    """The model over the instruments of a universe, by index; `begin_session` tells what is known of them."""

    def __init__(self, model: SlippageModel) -> None:
        self._model = model
        self._liquidity: Mapping[int, Liquidity] = {}

    def begin_session(self, liquidity: Mapping[int, Liquidity]) -> None:
        self._liquidity = liquidity

    def slip(self, instrument: int, quantity: float) -> Slip:
        """The parts of what an order of the instrument pays that has filled so many shares."""
        return self._model.slip(self._liquidity.get(instrument, _NOTHING), quantity)


_NOTHING = Liquidity()


def _known(value: float, otherwise: float) -> float:
    return otherwise if math.isnan(value) else value
