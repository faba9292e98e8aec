"""A price with its trend, drawn by a command."""

import numpy as np
import pytest

from research.filters.picture import draw_trend, main, trend_of
from shared.errors import DataError
from shared.io.bar_store import BarPanel, save_bars
from tests.indicators.panels import a_walk


def bars(rows=80):
    high, low, close = a_walk(rows, 1)
    at = np.datetime64("2013-10-07T20:00", "ns").astype(np.int64) + np.arange(rows) * 86_400_000_000_000
    day = 86_400_000_000_000
    return BarPanel(
        symbols=("SPY",),
        opened_at=at,
        closed_at=at + day,
        interval_s=86400,
        open=close,
        high=high,
        low=low,
        close=close,
        volume=np.full_like(close, 100.0),
    )


def test_the_command_writes_a_png_of_one_symbol(tmp_path):
    save_bars(tmp_path / "bars.parquet", bars())
    out = tmp_path / "trend.png"
    assert main(["--data", str(tmp_path / "bars.parquet"), "--symbol", "SPY", "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_an_unknown_symbol_is_one_line_and_no_file(tmp_path, capsys):
    save_bars(tmp_path / "bars.parquet", bars())
    out = tmp_path / "trend.png"
    assert main(["--data", str(tmp_path / "bars.parquet"), "--symbol", "NOPE", "--out", str(out)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()


def test_the_band_is_two_deviations_of_the_level():
    # A level a thousand times as restless as its observation is known to a thousandth of what it moves.
    close = bars(400).close
    _, band, _ = trend_of(close, 1e6, 0.0)
    deviation = np.std(np.diff(np.log(close[:, 0])))
    assert band[-2] == pytest.approx(2 * deviation / 1000, rel=0.2)
    assert np.isnan(band[-1])


def test_too_few_bars_are_refused():
    with pytest.raises(DataError, match="picture: 10 bars of SPY, allowed: from 30"):
        draw_trend(bars(10))
