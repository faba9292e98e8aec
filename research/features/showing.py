"""One stored feature of one instrument, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from research.features.picture import chart
from research.features.reading import StoredFeatures
from shared.errors import NotFound
from shared.indicators.feature_name import Feature
from shared.indicators.indicator import FloatArray, IntArray

_NAMED_MAX = 8


class Stretch(Struct, frozen=True, kw_only=True, eq=False):
    """Values (T,) of rows that open at `opened_at` (T,), nanoseconds UTC."""

    title: str
    feature: str
    symbol: str
    opened_at: IntArray
    values: FloatArray

    def facts(self, last: int) -> dict[str, Any]:
        """What --json prints; a value that is not known is null."""
        known = int(np.isfinite(self.values).sum())
        rows = [
            {"opened_at": _moment(int(at)), "value": float(value) if np.isfinite(value) else None}
            for at, value in zip(self.opened_at[-last:], self.values[-last:], strict=True)
        ]
        total = len(self.values)
        return {"feature": self.feature, "symbol": self.symbol, "rows": total, "known": known, "last": rows}

    def lines(self, last: int) -> list[str]:
        """Table and picture."""
        rows = [
            f"{_moment(int(at))}  {value:>18.10g}"
            for at, value in zip(self.opened_at[-last:], self.values[-last:], strict=True)
        ]
        span = f"{_moment(int(self.opened_at[0]))} to {_moment(int(self.opened_at[-1]))}"
        return [self.title, *rows, "", *chart(self.values), f"{'':>13} {span}, {len(self.values):,} rows"]


def stretch_of(folder: Path, feature: Feature, symbol: str) -> Stretch:
    """The whole of it.

    Raises:
        NotFound: no such folder, feature or symbol. DataError: what is stored is not usable.
    """
    stored = StoredFeatures(folder)
    if symbol not in stored.symbols:
        known = ", ".join(stored.symbols[:_NAMED_MAX]) + (", ..." if len(stored.symbols) > _NAMED_MAX else "")
        raise NotFound(f"{folder}: no features of {symbol}, there are those of {known}")
    values = stored.values(feature)[:, stored.symbols.index(symbol)]
    return Stretch(
        title=f"{feature} of {symbol}",
        feature=str(feature),
        symbol=symbol,
        opened_at=stored.opened_at,
        values=np.array(values),
    )


def _moment(nanoseconds: int) -> str:
    return f"{np.datetime64(nanoseconds, 'ns').astype('datetime64[m]')}Z"
