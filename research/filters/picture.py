"""`python -m research.filters.picture --data BARS --symbol AAPL --out trend.png`: a price with its Kalman trend."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import numpy as np

from research.ingest.whole_bytes import write_bytes
from shared.errors import DataError, OpenbellError
from shared.indicators.indicator import FloatArray
from shared.indicators.kalman_trend import KalmanTrend
from shared.indicators.registry import indicator_of
from shared.io.bar_store import BarPanel, load_bars

ROWS_MIN = 30


def draw_trend(bars: BarPanel, level_ratio: float = 0.1, slope_ratio: float = 1e-4) -> bytes:
    """PNG of the first symbol of `bars`: price, filtered level with two deviations, and the slope's z-score below."""
    if len(bars.close) < ROWS_MIN:
        raise DataError(f"picture: {len(bars.close)} bars of {bars.symbols[0]}, allowed: from {ROWS_MIN}")
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    level, band, zscore = trend_of(bars.close[:, :1], level_ratio, slope_ratio)
    at = bars.opened_at.astype("datetime64[ns]")
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(10, 6), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    above.plot(at, bars.close[:, 0], color="#9aa4b2", linewidth=0.8, label="close")
    above.plot(at, level, color="#0b62a8", linewidth=1.4, label="filtered level")
    above.fill_between(at, level * np.exp(-band), level * np.exp(band), color="#0b62a8", alpha=0.18, linewidth=0)
    above.set_title(f"{bars.symbols[0]}: Kalman trend, level {level_ratio:g}, slope {slope_ratio:g}", loc="left")
    above.set_yscale("log")
    above.yaxis.set_major_formatter("{x:g}")
    above.yaxis.set_minor_formatter("{x:g}")
    above.legend(frameon=False)
    below.plot(at, zscore, color="#b4541a", linewidth=0.9)
    below.axhline(0, color="#444444", linewidth=0.6)
    below.set_ylabel("slope, deviations")
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=110, metadata={"Software": "openbell"})
    plt.close(figure)
    return written.getvalue()


def trend_of(close: FloatArray, level_ratio: float, slope_ratio: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Filtered level (T,), two deviations of it in log price (T,), z-score of the slope (T,); of closes (T, 1)."""
    made = indicator_of("kalman_trend", 1, level_ratio=level_ratio, slope_ratio=slope_ratio)
    level, _, zscore, _, volatility, _ = made.update_many(close)[:, :, 0]
    plain = KalmanTrend(1, level_variance=level_ratio, slope_variance=slope_ratio, observation_variance=1.0)
    variance, ahead = plain.update_fields(np.log(close), ("level_variance", "innovation_variance"))[:, :, 0]
    following = np.append(ahead[1:], np.nan)  # the volatility is that of the next print's prediction
    return level, 2 * volatility * np.sqrt(variance / following), zscore


def main(given: list[str] | None = None) -> int:
    """Draw; exit code 1 with one line where the bars are not to be had."""
    parser = argparse.ArgumentParser(prog="python -m research.filters.picture", description="A price and its trend.")
    parser.add_argument("--data", required=True, type=Path, help="bars, a Parquet file")
    parser.add_argument("--symbol", required=True, help="which instrument")
    parser.add_argument("--out", required=True, type=Path, help="the PNG to write")
    chosen = parser.parse_args(given)
    try:
        write_bytes(chosen.out, draw_trend(load_bars(chosen.data, [chosen.symbol])))
    except OpenbellError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
