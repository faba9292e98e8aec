"""The universe of one day: every instrument that could be meant, included or with every reason against it.

It holds for the session after the day: bars of the day itself count, later ones, later actions, later lists and later
spells do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from research.ingest.point_in_time.as_of import PointInTimeTable, as_of, instants
from research.ingest.point_in_time.known_by import end_of_day
from research.ingest.sources.tickers import written
from research.ingest.universe.liquidity import (
    Liquidity,
    known_on,
    liquidity,
    reverse_splits,
    shown_splits,
    volatility_tiers,
)
from research.ingest.universe.spells import Spell, members_on
from shared.errors import DataError
from shared.io.bar_checks import Floats
from shared.io.bar_store import BarPanel

if TYPE_CHECKING:
    import pandas as pd

NOT_LISTED = "not on NYSE or Nasdaq"
NO_BARS = "no bars"
SILENT = "no longer printing"
TOO_NEW = "too few sessions"
CHEAP = "price below minimum"
ILLIQUID = "dollar volume below minimum"
ZOMBIE = "repeated reverse splits"
NOT_MEMBER = "not in the index"
REASONS = (NOT_LISTED, NO_BARS, SILENT, TOO_NEW, CHEAP, ILLIQUID, ZOMBIE, NOT_MEMBER)


class UniverseRules(Struct, frozen=True, kw_only=True):
    """What an instrument needs; prices and volumes in dollars, windows in sessions."""

    price_min: float = 5.0
    dollar_volume_min: float = 1_000_000.0
    window_sessions: int = 63
    printed_sessions_min: int = 50
    silent_sessions_max: int = 3
    reverse_splits_max: int = 1
    reverse_split_years: int = 5
    tiers: int = 5

    def __post_init__(self) -> None:
        whole = (self.silent_sessions_max, self.reverse_splits_max, self.reverse_split_years)
        sound = min(whole) >= 0 and 0 < self.printed_sessions_min <= self.window_sessions and self.tiers > 0
        if not (sound and self.price_min >= 0 and self.dollar_volume_min >= 0):
            raise DataError(
                f"universe: {self}, allowed: nothing below 0, 1 or more tiers, printed_sessions_min at most "
                f"window_sessions"
            )


class Sources(Struct, frozen=True, kw_only=True, eq=False):
    """What is known beside the bars; what is None is not asked.

    `listed` is a list of tickers (tickers.py) and `listed_on` its day; `spells` who used each ticker when; `members`
    index membership, which is demanded; `sectors` and `actions` are tables.
    """

    listed: pd.DataFrame | None = None
    listed_on: date | None = None
    spells: tuple[Spell, ...] = ()
    members: tuple[Spell, ...] | None = None
    sectors: PointInTimeTable | None = None
    actions: pd.DataFrame | None = None


def build_universe(day: date, panel: BarPanel, rules: UniverseRules, sources: Sources) -> pd.DataFrame:
    """One row per symbol of the bars, the list and the index, sorted by symbol.

    Columns symbol, instrument, cik, exchange, sector, close, dollar_volume, volatility, tier (among the included,
    1 calmest, else 0), reverse_splits, included, reasons (all of them, joined by "; ").
    """
    import pandas as pd

    if sources.listed_on is not None and sources.listed_on > day:
        raise DataError(f"universe: tickers of {sources.listed_on}, allowed: a list of {day} or before")
    begins = _new_companies(day, sources.spells)
    known = known_on(panel, day, {symbol: begins[_key(symbol)] for symbol in panel.symbols if _key(symbol) in begins})
    rows = pd.DataFrame({"symbol": _candidates(known, day, sources)}, dtype=object)
    rows = _measured(rows, known, _splits(known, day, sources), rules, day)
    rows = _described(rows, day, sources)
    reasons = [_reasons(row, rules) for row in rows.to_dict("records")]
    included = np.array([not each for each in reasons], dtype=np.bool_)
    tiers = volatility_tiers(np.where(included, rows["volatility"], np.nan), rules.tiers)
    return rows.drop(columns=["printed", "silent", "is_listed", "is_member"]).assign(
        tier=tiers, included=included, reasons=["; ".join(each) for each in reasons]
    )


def counts(universe: pd.DataFrame) -> dict[str, int]:
    """How many symbols each reason keeps out, in the order of REASONS; one with two reasons counts twice."""
    found = Counter(reason for text in universe["reasons"] if text for reason in text.split("; "))
    return {reason: found[reason] for reason in REASONS if found[reason]}


def universe_file(folder: Path, day: date) -> Path:
    """Where the universe of this day stands."""
    return folder / f"Universe_{day}.parquet"


def _key(symbol: str) -> str:
    """Share classes as the SEC writes them: BRK-B."""
    return written(symbol, "-")


def _new_companies(day: date, spells: tuple[Spell, ...]) -> dict[str, date]:
    """The first day of the present company of each ticker that another one (another CIK) had before."""
    now = {spell.ticker: spell for spell in spells if spell.holds_on(day)}
    had = {spell.ticker for spell in spells if spell.ticker in now and spell.cik != now[spell.ticker].cik}
    return {ticker: now[ticker].first_day for ticker in sorted(had)}


def _candidates(known: BarPanel, day: date, sources: Sources) -> list[str]:
    """Symbols of the bars, and those of the list and the index that the bars do not have."""
    held = {_key(symbol) for symbol in known.symbols}
    others = [] if sources.listed is None else [str(ticker) for ticker in sources.listed["ticker"]]
    others += members_on(sources.members or (), day)
    more = dict.fromkeys(sorted(ticker for ticker in others if _key(ticker) not in held))
    return sorted([*known.symbols, *more])


def _splits(known: BarPanel, day: date, sources: Sources) -> tuple[tuple[str, int, float], ...]:
    if sources.actions is None:
        return ()
    import pandas as pd

    end = end_of_day(pd.Series([pd.Timestamp(day)]).astype("datetime64[ns]"))[0]
    is_known = (sources.actions["ex_date"].dt.date <= day) & (sources.actions["known_by"] <= end)
    return shown_splits(known, sources.actions[is_known])


def _measured(
    rows: pd.DataFrame, known: BarPanel, splits: tuple[tuple[str, int, float], ...], rules: UniverseRules, day: date
) -> pd.DataFrame:
    measured: Liquidity = liquidity(known, splits, rules.window_sessions)
    since = day - timedelta(days=round(365.25 * rules.reverse_split_years))
    reversed_ = reverse_splits(known, splits, since)
    column = {symbol: at for at, symbol in enumerate(known.symbols)}
    places = np.array([column.get(symbol, -1) for symbol in rows["symbol"]], dtype=np.int64)

    def spread(values: np.ndarray, missing: float) -> Floats:
        return np.append(values.astype(np.float64), missing)[places]

    return rows.assign(
        close=spread(measured.close, np.nan),
        dollar_volume=spread(measured.dollar_volume, np.nan),
        volatility=spread(measured.volatility, np.nan),
        printed=spread(measured.printed, 0).astype(np.int64),
        silent=spread(measured.silent, -1).astype(np.int64),
        reverse_splits=[reversed_.get(symbol, 0) for symbol in rows["symbol"]],
    )


def _described(rows: pd.DataFrame, day: date, sources: Sources) -> pd.DataFrame:
    """Add what lists, spells, index and sectors say."""
    listed = _listed(sources)
    keys = [_key(symbol) for symbol in rows["symbol"]]
    members = None if sources.members is None else {_key(ticker) for ticker in members_on(sources.members, day)}
    spells = {spell.ticker: spell for spell in sources.spells if spell.holds_on(day)}
    sectors = _sectors(rows, day, sources.sectors)
    return rows.assign(
        instrument=[
            spells[key].instrument if key in spells else symbol
            for key, symbol in zip(keys, rows["symbol"], strict=True)
        ],
        cik=[listed.get(key, (0, ""))[0] for key in keys],
        exchange=[listed.get(key, (0, ""))[1] for key in keys],
        is_listed=[sources.listed is None or key in listed for key in keys],
        is_member=[members is None or key in members for key in keys],
        sector=sectors,
    )


def _listed(sources: Sources) -> Mapping[str, tuple[int, str]]:
    if sources.listed is None:
        return {}
    each = zip(sources.listed["ticker"], sources.listed["cik"], sources.listed["exchange"], strict=True)
    return {_key(str(ticker)): (int(cik), str(exchange)) for ticker, cik, exchange in each}


def _sectors(rows: pd.DataFrame, day: date, table: PointInTimeTable | None) -> list[str]:
    if table is None:
        return [""] * len(rows)
    import pandas as pd

    end = end_of_day(pd.Series([pd.Timestamp(day)]).astype("datetime64[ns]"))
    found = as_of(table, [*rows["symbol"]], instants(end)).texts("sector")[0]
    return [sector or "" for sector in found]


def _reasons(row: dict[str, object], rules: UniverseRules) -> list[str]:
    """Every reason against a symbol, in the order of REASONS; of one without bars nothing is said about its bars."""
    silent, printed, close, dollars = (
        float(str(row[name])) for name in ("silent", "printed", "close", "dollar_volume")
    )
    has_bars = silent >= 0
    against = {
        NOT_LISTED: not row["is_listed"],
        NO_BARS: not has_bars,
        SILENT: has_bars and silent > rules.silent_sessions_max,
        TOO_NEW: has_bars and printed < rules.printed_sessions_min,
        CHEAP: has_bars and not close >= rules.price_min,
        ILLIQUID: has_bars and not dollars >= rules.dollar_volume_min,
        ZOMBIE: int(str(row["reverse_splits"])) > rules.reverse_splits_max,
        NOT_MEMBER: not row["is_member"],
    }
    return [reason for reason in REASONS if against[reason]]
