"""A seeded market that needs no file.

A log price moves with one market factor and a noise of its own; volatility and volume are high at the open
and the close; spreads are whole ticks; thin names leave steps without a trade. The running session opens at
the listing's price and history leads up to it: each earlier session ends where, but for an overnight gap, the
next begins.

Determinism: everything of one symbol on one day is a function of (seed, day, symbol), its price level of the
running session too. The other symbols asked for do not matter, nor does the order of questions. Another
running session is another history: its opening price is the listing's again. The bits hold for one version of
numpy.
"""

import datetime as dt
import itertools
import math
import zlib
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from brokers.simulated.market.grid import (
    STEP_S,
    TICK,
    Flags,
    GridMarket,
    SessionBars,
    SessionGrid,
    quotes_around,
)
from brokers.simulated.market.listings import LISTINGS
from brokers.simulated.market.source import Floats
from brokers.simulated.market.trading_days import OPENS, epoch_s, is_trading_day, trading_days_before
from shared.errors import DataError

DEFAULT_SESSION = dt.date(2026, 11, 20)
DEFAULT_SYMBOLS = tuple(LISTINGS)
STEPS = 4680  # five-second steps from 09:30 to 16:00
SESSIONS_A_YEAR = 252

MARKET_VOLATILITY = 0.14  # annual, of the factor
OWN_SHARE_MIN = 0.25  # of the volatility of a symbol, at least, is its own
OVERNIGHT_SHARE = 0.2  # of the variance of a day
SHARES_A_PRINT = 400.0  # the fewer prints a step expects, the likelier it has none
VOLUME_SPREAD = 0.7  # log standard deviation of the volume of a step
SPREAD_SCALE = 1.2  # basis points of spread of a name with REFERENCE_VOLUME
REFERENCE_VOLUME = 20e6


class _Chance(msgspec.Struct, frozen=True):
    """All chance of one day: standard normals (STEPS, n), `prints` uniform in [0, 1)."""

    moves: Floats
    up: Floats
    down: Floats
    volumes: Floats
    prints: Floats


class SyntheticMarket(GridMarket):
    """A MarketSource out of a seed. Nothing happens before the open."""

    def __init__(
        self,
        *,
        seed: int = 7,
        symbols: Sequence[str] = DEFAULT_SYMBOLS,
        session: dt.date = DEFAULT_SESSION,
        history_sessions: int = 60,
    ) -> None:
        unknown = [symbol for symbol in symbols if symbol not in LISTINGS]
        if unknown:
            raise DataError(f"synthetic market: unknown symbols {', '.join(unknown)}, known are {', '.join(LISTINGS)}")
        if not symbols or len(set(symbols)) != len(symbols):
            raise DataError("synthetic market: symbols must be given, each once")
        if not is_trading_day(session):
            raise DataError(f"synthetic market: {session} is not a trading day in New York")
        super().__init__(symbols, session)
        self._seed = seed
        self._history_sessions = history_sessions
        listings = [LISTINGS[symbol] for symbol in symbols]
        self._beta = np.array([one.beta for one in listings])
        self._volatility = np.array([one.annual_volatility for one in listings])
        self._daily_volume = np.array([one.daily_volume for one in listings])
        start_prices = np.array([one.start_price for one in listings])
        self._log_opens = {session: np.log(start_prices)}

    def _earlier_days(self) -> Iterator[dt.date]:
        return itertools.islice(trading_days_before(self.session), self._history_sessions)

    def _make_grid(self, day: dt.date) -> SessionGrid:
        chance = self._chance(day)
        path = self._path(chance)
        log_open = self._log_open(day, path)
        latent = np.exp(log_open + path)
        return self._dressed(day, _on_tick(np.exp(log_open)), _on_tick(latent), chance)

    def _log_open(self, day: dt.date, path: Floats) -> Floats:
        """The level at which a day opens: back from the next one, over its gap and this day's whole move."""
        if day not in self._log_opens:
            later = next(one for one in _weekdays_after(day) if is_trading_day(one))
            if later not in self._log_opens:
                chance_later = self._chance(later)
                self._log_open(later, self._path(chance_later))
            gap = self._gap(later)
            self._log_opens[day] = self._log_opens[later] - gap - path[-1]
        log_open: Floats = self._log_opens[day]
        return log_open

    def _gap(self, day: dt.date) -> Floats:
        market = self._generator(day, "").standard_normal()
        own = np.array([self._generator(day, symbol).standard_normal() for symbol in self.symbols])
        scaled: Floats = math.sqrt(OVERNIGHT_SHARE) * self._daily_return(market, own)
        return scaled

    def _generator(self, day: dt.date, symbol: str) -> np.random.Generator:
        """The chance of one symbol on one day; the market factor has the empty name."""
        return np.random.default_rng([self._seed, day.toordinal(), zlib.crc32(symbol.encode())])

    def _chance(self, day: dt.date) -> _Chance:
        """The first number drawn is the overnight gap, the steps follow."""
        factor = self._generator(day, "")
        factor.standard_normal()
        market_moves = factor.standard_normal(STEPS)
        count = len(self.symbols)
        own = np.empty((4, STEPS, count))
        prints = np.empty((STEPS, count))
        for column, symbol in enumerate(self.symbols):
            generator = self._generator(day, symbol)
            generator.standard_normal()
            own[:, :, column] = generator.standard_normal((4, STEPS))
            prints[:, column] = generator.random(STEPS)
        moves = self._daily_return(market_moves[:, None], own[0])
        return _Chance(moves, np.abs(own[1]), np.abs(own[2]), own[3], prints)

    def _daily_return(self, market: Floats | float, own: Floats) -> Floats:
        """Standard normals of the factor and of the symbols, made into log returns of one whole day."""
        systematic = self._beta * MARKET_VOLATILITY
        idiosyncratic = np.sqrt(
            np.maximum(self._volatility**2 - systematic**2, (OWN_SHARE_MIN * self._volatility) ** 2)
        )
        scaled: Floats = (systematic * market + idiosyncratic * own) / math.sqrt(SESSIONS_A_YEAR)
        return scaled

    def _path(self, chance: _Chance) -> Floats:
        """Log price at the end of each step, relative to the open."""
        return np.cumsum(chance.moves * _step_deviation()[:, None], axis=0)

    def _dressed(self, day: dt.date, first: Floats, close: Floats, chance: _Chance) -> SessionGrid:
        """Bars and quotes around the prices at the ends of the steps."""
        opened = np.vstack([first, close[:-1]])
        reach = self._volatility / math.sqrt(SESSIONS_A_YEAR) * 0.5 * _step_deviation()[:, None]
        high = np.maximum(_on_tick(np.maximum(opened, close) * (1 + reach * chance.up)), np.maximum(opened, close))
        low = np.minimum(_on_tick(np.minimum(opened, close) * (1 - reach * chance.down)), np.minimum(opened, close))
        volume, traded = self._volumes(chance)
        bid, ask = quotes_around(close, close >= opened, self._spread_ticks(close))
        starts_at = epoch_s(day, OPENS) + STEP_S * np.arange(STEPS, dtype=np.float64)
        prices = (np.where(traded, values, np.nan) for values in (opened, high, low, close, volume))
        return SessionGrid(SessionBars(starts_at, *prices), bid, ask)

    def _volumes(self, chance: _Chance) -> tuple[Floats, Flags]:
        """Shares per step, and where anything traded; the first and the last step (auctions) always do."""
        expected = self._daily_volume * _volume_curve()[:, None]
        silence = np.exp(-expected / SHARES_A_PRINT)
        traded = chance.prints >= silence
        traded[0] = traded[-1] = True
        noise = np.exp(VOLUME_SPREAD * chance.volumes - VOLUME_SPREAD**2 / 2)
        return np.maximum(1.0, np.round(expected * noise / (1 - silence))), traded

    def _spread_ticks(self, close: Floats) -> Floats:
        """Whole ticks, wider for dear and for thin names, and three times as wide at the open."""
        seconds = STEP_S * np.arange(STEPS)[:, None]
        basis_points = SPREAD_SCALE * np.sqrt(REFERENCE_VOLUME / self._daily_volume) * (1 + 2 * np.exp(-seconds / 300))
        ticks: Floats = np.maximum(1.0, np.round(close * basis_points * 1e-4 / TICK))
        return ticks


def _weekdays_after(day: dt.date) -> Iterator[dt.date]:
    while True:
        day += dt.timedelta(days=1)
        yield day


def _on_tick(prices: Floats) -> Floats:
    return np.maximum(TICK, np.round(np.round(prices / TICK) * TICK, 8))


def _volume_curve() -> Floats:
    """The share of a day's volume in each step: a U, heavier at the close than at noon by about six times."""
    x = np.linspace(-1, 1, STEPS)
    curve = 0.55 + 1.2 * x**2 + 1.8 * x**8
    share: Floats = curve / curve.sum()
    return share


def _step_deviation() -> Floats:
    """The standard deviation of each step as a share of a day's: a U that leans to the open."""
    x = np.linspace(-1, 1, STEPS)
    variance = 0.6 + 0.8 * x**2 + 1.8 * np.exp(-(x + 1) * 12)
    deviation: Floats = np.sqrt((1 - OVERNIGHT_SHARE) * variance / variance.sum())
    return deviation
