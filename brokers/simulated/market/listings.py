"""Well-known US listings: what a TWS says about them, and the character the synthetic market gives them.

Contract ids are those of Interactive Brokers where they are well known, otherwise derived from the symbol.
Price, volatility, beta and volume are round numbers of the right size, not data. For a market larger than the
well-known names there are made-up ones, SIM001 to SIM999, whose character follows from their ticker.
"""

import re
import zlib
from collections.abc import Sequence

import msgspec
import numpy as np

from shared.errors import DataError

LISTINGS_MAX = 1000
MADE_UP = re.compile(r"SIM(?!000)\d{3}")


class Listing(msgspec.Struct, frozen=True):
    """`annual_volatility` and `beta` describe daily log returns.

    `daily_volume` is shares in a usual session.
    """

    symbol: str
    long_name: str
    exchange: str
    con_id: int
    start_price: float
    annual_volatility: float
    beta: float
    daily_volume: float


_ROWS = (
    ("SPY", "SPDR S&P 500 ETF TRUST", "ARCA", 756733, 660.0, 0.16, 1.00, 75e6),
    ("QQQ", "INVESCO QQQ TRUST SERIES 1", "NASDAQ", 320227571, 600.0, 0.21, 1.20, 50e6),
    ("IWM", "ISHARES RUSSELL 2000 ETF", "ARCA", 9579970, 240.0, 0.22, 1.15, 35e6),
    ("DIA", "SPDR DJIA TRUST", "ARCA", 73128548, 465.0, 0.15, 0.90, 4e6),
    ("AAPL", "APPLE INC", "NASDAQ", 265598, 265.0, 0.27, 1.15, 48e6),
    ("MSFT", "MICROSOFT CORP", "NASDAQ", 272093, 505.0, 0.24, 1.05, 22e6),
    ("AMZN", "AMAZON.COM INC", "NASDAQ", 3691937, 230.0, 0.31, 1.25, 42e6),
    ("GOOGL", "ALPHABET INC-CL A", "NASDAQ", 208813719, 280.0, 0.29, 1.10, 32e6),
    ("META", "META PLATFORMS INC-CLASS A", "NASDAQ", 107113386, 610.0, 0.34, 1.20, 14e6),
    ("NVDA", "NVIDIA CORP", "NASDAQ", 4815747, 185.0, 0.45, 1.70, 180e6),
    ("TSLA", "TESLA INC", "NASDAQ", 76792991, 410.0, 0.55, 1.80, 85e6),
    ("NFLX", "NETFLIX INC", "NASDAQ", 15124833, 110.0, 0.33, 1.10, 35e6),
    ("INTC", "INTEL CORP", "NASDAQ", 270639, 36.0, 0.45, 1.20, 90e6),
    ("JPM", "JPMORGAN CHASE & CO", "NYSE", 1520593, 305.0, 0.23, 1.00, 9e6),
    ("BAC", "BANK OF AMERICA CORP", "NYSE", 10098, 52.0, 0.25, 1.10, 38e6),
    ("XOM", "EXXON MOBIL CORP", "NYSE", 13977, 117.0, 0.23, 0.60, 15e6),
    ("JNJ", "JOHNSON & JOHNSON", "NYSE", 8719, 200.0, 0.16, 0.35, 8e6),
    ("PG", "PROCTER & GAMBLE CO/THE", "NYSE", 0, 148.0, 0.17, 0.40, 8e6),
    ("KO", "COCA-COLA CO/THE", "NYSE", 8894, 71.0, 0.15, 0.40, 16e6),
    ("WMT", "WALMART INC", "NYSE", 13824, 103.0, 0.21, 0.60, 16e6),
    ("DIS", "WALT DISNEY CO/THE", "NYSE", 6459, 107.0, 0.26, 1.05, 9e6),
    ("IBM", "INTL BUSINESS MACHINES CORP", "NYSE", 8314, 300.0, 0.25, 0.75, 5e6),
    ("GS", "GOLDMAN SACHS GROUP INC", "NYSE", 0, 790.0, 0.26, 1.20, 2e6),
    ("BRK B", "BERKSHIRE HATHAWAY INC-CL B", "NYSE", 72063691, 505.0, 0.16, 0.65, 4e6),
)


def con_id_of(symbol: str) -> int:
    """The contract id of any symbol: a positive 31-bit number, the same in every run."""
    known = LISTINGS.get(symbol)
    return known.con_id if known is not None else _derived(symbol)


def long_name_of(symbol: str) -> str:
    return LISTINGS[symbol].long_name if symbol in LISTINGS else symbol


def exchange_of(symbol: str) -> str:
    return LISTINGS[symbol].exchange if symbol in LISTINGS else "NYSE"


def symbols_of(count: int) -> tuple[str, ...]:
    """The first `count` symbols: the well-known ones, then made-up ones."""
    if not 1 <= count <= LISTINGS_MAX:
        raise DataError(f"synthetic market: {count} symbols, allowed are 1 to {LISTINGS_MAX}")
    made_up = (f"SIM{number:03d}" for number in range(1, count - len(LISTINGS) + 1))
    return (*tuple(LISTINGS)[:count], *made_up)


def listings_of(symbols: Sequence[str]) -> list[Listing]:
    """Raises DataError for symbols that are neither well known nor made up."""
    unknown = [symbol for symbol in symbols if symbol not in LISTINGS and not MADE_UP.fullmatch(symbol)]
    if unknown:
        known = f"{', '.join(LISTINGS)} and SIM001 to SIM999"
        raise DataError(f"synthetic market: unknown symbols {', '.join(unknown)}, known are {known}")
    return [LISTINGS[symbol] if symbol in LISTINGS else _made_up(symbol) for symbol in symbols]


def _made_up(symbol: str) -> Listing:
    uniform = np.random.default_rng(zlib.crc32(symbol.encode())).random(4).tolist()
    return Listing(
        symbol,
        f"MADE-UP LISTING {symbol.removeprefix('SIM')}",
        exchange_of(symbol),
        _derived(symbol),
        start_price=round(15.0 * 20.0 ** uniform[0], 2),  # 15 to 300 dollars
        annual_volatility=round(0.18 + 0.40 * uniform[1] ** 2, 2),
        beta=round(0.4 + 1.1 * uniform[2], 2),
        daily_volume=round(4e5 * 50.0 ** uniform[3], -4),  # 0.4 to 20 million shares
    )


def _derived(symbol: str) -> int:
    """900 million upwards, above the real ids in use here, below 2**31."""
    return 900_000_000 + zlib.crc32(symbol.encode()) % 1_000_000_000


LISTINGS = {
    symbol: Listing(symbol, name, exchange, con_id or _derived(symbol), *character)
    for symbol, name, exchange, con_id, *character in _ROWS
}
