"""Two sources of the same bars, held against each other."""

from __future__ import annotations

import numpy as np

from research.ingest.quality.finding import Finding, Limits
from research.ingest.quality.order import disordered, unsound
from research.ingest.quality.table import Series, Table
from shared.errors import DataError
from shared.io.bar_checks import Floats

_SCALED, _HUNDRED = 1.05, 20.0
"""From where on the usual ratio of two closes, or of two volumes, is no disagreement but another unit."""
_FEW = 5


def compare(table: Table, other: Table, limits: Limits) -> list[Finding]:
    """Per symbol of both: closes that differ by more than the limit, or that differ by a factor throughout.

    Raises:
        DataError: no symbol and time is in both.
    """
    if table.is_quotes or other.is_quotes or table.interval_s != other.interval_s:
        raise DataError(
            f"{table.name}, {other.name}: bars of {table.interval_s} s and {other.interval_s} s, "
            "allowed: two tables of bars of one length"
        )
    beside = {series.symbol: series for series in other.series}
    pairs = [(_sound(each), _sound(beside[each.symbol])) for each in table.series if each.symbol in beside]
    shared = [_both(ours, theirs) for ours, theirs in pairs]
    if not sum(len(ours) for ours, _ in shared):
        raise DataError(f"{table.name}, {other.name}: no bar in both, allowed: two sources of the same bars")
    return [finding for ours, theirs in shared if len(ours) for finding in _differences(ours, theirs, limits)]


def _sound(series: Series) -> Series:
    return disordered(series.at(unsound(series)[1]))[1]


def _both(ours: Series, theirs: Series) -> tuple[Series, Series]:
    _, at, of_theirs = np.intersect1d(ours.opened_at, theirs.opened_at, return_indices=True)
    return ours.at(at), theirs.at(of_theirs)


def _differences(ours: Series, theirs: Series, limits: Limits) -> list[Finding]:
    ratio = theirs.values["close"] / ours.values["close"]
    found = _scaled(ours, "close", ratio, _SCALED)
    if "volume" in ours.values and "volume" in theirs.values:
        traded = (ours.values["volume"] > 0) & (theirs.values["volume"] > 0)
        volumes = theirs.values["volume"][traded] / ours.values["volume"][traded]
        found += _scaled(ours, "volume", volumes, _HUNDRED)
    if any(finding.detail.startswith("close") for finding in found):
        return found
    apart = np.abs(ratio - 1) * 100
    differs = np.flatnonzero(apart > limits.sources_differ_pct)
    if len(differs):
        worst = int(differs[np.argmax(apart[differs])])
        prices = f"{ours.values['close'][worst]:g} here, {theirs.values['close'][worst]:g} there"
        found.append(
            Finding(
                kind="sources_differ",
                symbol=ours.symbol,
                at=int(ours.opened_at[worst]),
                row=int(ours.row[worst]),
                count=len(differs),
                detail=f"{len(differs)} of {len(ratio)} closes, the worst {prices}",
            )
        )
    return found


def _scaled(ours: Series, what: str, ratio: Floats, least: float) -> list[Finding]:
    if len(ratio) < _FEW:
        return []
    usual = float(np.median(ratio))
    if 1 / least < usual < least:
        return []
    return [
        Finding(
            kind="sources_scaled",
            symbol=ours.symbol,
            at=int(ours.opened_at[0]),
            row=int(ours.row[0]),
            count=len(ratio),
            detail=f"{what} there is usually {usual:.4g} times the one here",
        )
    ]
