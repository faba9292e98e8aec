"""Rows of the registry: one number out of the prices of one bar."""

from __future__ import annotations

from shared.indicators import price_rows
from shared.indicators.lockstep import spec

SPECS = (
    spec(
        price_rows.avgprice,
        "price",
        "open high low close -> avgprice",
        rows=lambda _: 1,
        warm_up=lambda _: 1,
        formula="(open + high + low + close) / 4",
        source="TA-Lib AVGPRICE",
    ),
    spec(
        price_rows.medprice,
        "price",
        "high low -> medprice",
        rows=lambda _: 1,
        warm_up=lambda _: 1,
        formula="(high + low) / 2",
        source="TA-Lib MEDPRICE",
    ),
    spec(
        price_rows.typprice,
        "price",
        "high low close -> typprice",
        rows=lambda _: 1,
        warm_up=lambda _: 1,
        formula="(high + low + close) / 3",
        source="TA-Lib TYPPRICE",
    ),
    spec(
        price_rows.wclprice,
        "price",
        "high low close -> wclprice",
        rows=lambda _: 1,
        warm_up=lambda _: 1,
        formula="(high + low + 2 close) / 4",
        source="TA-Lib WCLPRICE",
    ),
    spec(
        price_rows.heikin_ashi,
        "price",
        "open high low close -> open high low close",
        rows=lambda _: 4,
        warm_up=lambda _: 1,
        formula="close = mean of four, open = (open + close of the last) / 2, from (open + close) / 2",
        source="TA-Lib HA",
    ),
)
