"""Rows of the registry: the dominant cycle."""

from __future__ import annotations

from shared.indicators import hilbert
from shared.indicators.lockstep import spec
from shared.indicators.spec import real

_EHLERS = "Ehlers, Rocket Science for Traders, 2001; TA-Lib"

SPECS = (
    spec(
        hilbert.ht_dcperiod,
        "cycle",
        "close -> ht_dcperiod",
        rows=lambda _: 1 + hilbert.ROWS,
        warm_up=lambda _: 33,
        formula="prints of the dominant cycle, 6 to 50, smoothed twice",
        source=f"{_EHLERS} HT_DCPERIOD",
    ),
    spec(
        hilbert.ht_phasor,
        "cycle",
        "close -> in_phase quadrature",
        rows=lambda _: 2 + hilbert.ROWS,
        warm_up=lambda _: 33,
        formula="detrended price of three prints ago, and its Hilbert transform",
        source=f"{_EHLERS} HT_PHASOR",
    ),
    spec(
        hilbert.ht_dcphase,
        "cycle",
        "close -> ht_dcphase",
        rows=lambda _: 1 + hilbert.ROWS,
        warm_up=lambda _: 64,
        formula="phase of the dominant cycle in degrees, -45 to 315",
        source=f"{_EHLERS} HT_DCPHASE",
    ),
    spec(
        hilbert.ht_sine,
        "cycle",
        "close -> sine lead_sine",
        rows=lambda _: 2 + hilbert.ROWS,
        warm_up=lambda _: 64,
        formula="sin(phase), sin(phase + 45)",
        source=f"{_EHLERS} HT_SINE",
    ),
    spec(
        hilbert.ht_trendmode,
        "cycle",
        "close -> ht_trendmode",
        rows=lambda _: 1 + hilbert.ROWS,
        warm_up=lambda _: 64,
        formula="1 in a trend, 0 in a cycle",
        source=f"{_EHLERS} HT_TRENDMODE",
    ),
    spec(
        hilbert.ht_trendline,
        "overlap",
        "close -> ht_trendline",
        rows=lambda _: 1 + hilbert.ROWS,
        warm_up=lambda _: 64,
        formula="mean price of one dominant cycle, smoothed by 4, 3, 2, 1",
        source=f"{_EHLERS} HT_TRENDLINE",
    ),
    spec(
        hilbert.mama,
        "overlap",
        "close -> mama fama",
        (real("fast", 0.5, 0.01, 0.99), real("slow", 0.05, 0.01, 0.99)),
        rows=lambda _: 2 + hilbert.ROWS,
        warm_up=lambda _: 33,
        formula="mama += alpha (close - mama), alpha = fast / change of phase, at least slow; fama with alpha / 2",
        source="Ehlers, MESA Adaptive Moving Averages, 2001; TA-Lib MAMA",
    ),
)
