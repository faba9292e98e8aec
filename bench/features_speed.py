"""Features from Parquet to Parquet: bars read, 160 features computed, written and brought to the disk."""

from __future__ import annotations

import gc
import resource
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.result import Comparison, Measured
from research.experiments.crew import crew_of
from research.features.asked import default_features
from research.features.build import SMALL_CELLS, Way, build
from research.features.reading import StoredFeatures
from shared.config_cluster import ClusterConfig
from shared.indicators.feature_name import Feature, feature_of
from shared.io.bar_files import at_new_york
from shared.io.bar_store import DAY_LASTS_NS, BarPanel, load_bars, save_bars

FEATURES, WORKERS = 160, 2
ALLOWED_S = {500: 10.0, 5_000: 120.0}
_DAY_NS = 86_400 * 1_000_000_000


def daily_bars(symbols: int, days: int, seed: int = 7) -> BarPanel:
    """Random walks of 2 % a day, seeded."""
    from datetime import date
    from datetime import time as clock

    rng = np.random.default_rng(seed)
    close = np.round(50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (days, symbols)), axis=0)), 2) + 1.0
    opened = np.vstack((close[:1], close[:-1]))
    reach = np.round(np.abs(rng.normal(0.0, 0.01, (2, days, symbols))) * close, 2)
    opened_at = at_new_york(date(2000, 1, 3), clock(9, 30)) + np.arange(days, dtype=np.int64) * _DAY_NS
    return BarPanel(
        symbols=tuple(f"S{number:04d}" for number in range(symbols)),
        opened_at=opened_at,
        closed_at=opened_at + DAY_LASTS_NS,
        interval_s=86_400,
        open=opened,
        high=np.maximum(opened, close) + reach[0],
        low=np.minimum(opened, close) - np.minimum(reach[1], np.minimum(opened, close) / 2),
        close=close,
        volume=np.round(rng.lognormal(13.0, 0.5, (days, symbols))),
    )


def chosen() -> list[Feature]:
    """The first of the default set, one after the other; means of other lengths where the registry has not so many."""
    more = [feature_of(f"sma({period})") for period in range(5, 5 + FEATURES)]
    return list(dict.fromkeys([*default_features(), *more]))[:FEATURES]


def compare_features(symbols: int, days: int) -> Comparison:
    """Seconds of a whole build, of the same with one more day, of a day and of a column read back."""
    folder = Path(tempfile.mkdtemp(prefix="openbell-features-"))
    try:
        panel = daily_bars(symbols, days)
        save_bars(folder / "bars.parquet", panel)
        save_bars(folder / "more.parquet", daily_bars_and_one_more(panel))
        del panel
        return _compared(folder, symbols, days)
    finally:
        shutil.rmtree(folder)


def _compared(folder: Path, symbols: int, days: int) -> Comparison:
    features, crew = chosen(), crew_of(ClusterConfig(workers=WORKERS))
    build(daily_bars(4, 40), features, folder / "warm", crew)  # compiled kernels lie in numba's cache from here on
    _forget_peak()
    began, worked = time.perf_counter(), _processor_s()
    way = Way(here_cells=SMALL_CELLS)
    done = build(load_bars(folder / "bars.parquet"), features, folder / "features", crew, way)
    whole_s, whole_cpu_s = time.perf_counter() - began, _processor_s() - worked
    if done.failed:
        raise RuntimeError(f"features: {done.failed[0]}")
    began, worked = time.perf_counter(), _processor_s()
    build(load_bars(folder / "more.parquet"), features, folder / "features", crew, way)
    night_s, night_cpu_s = time.perf_counter() - began, _processor_s() - worked
    here_mb, worker_mb = _peak_mb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    stored = StoredFeatures(folder / "features")
    stored.day(0, features[:1])
    for feature in features:
        stored.record(feature)
    began = time.perf_counter()
    stored.day(days // 2, features)
    day_s = time.perf_counter() - began
    began = time.perf_counter()
    stored.values(features[0])
    column_s = time.perf_counter() - began
    size = sum(path.stat().st_size for path in (folder / "features").rglob("*") if path.is_file())
    allowed = ALLOWED_S.get(symbols, ALLOWED_S[500] * symbols * days / (500 * 2_520))
    return Comparison(
        title=f"{len(features)} features of {symbols:,} x {days:,} from Parquet to Parquet, {WORKERS} processes",
        measured=(
            Measured("whole build", "s", whole_s),
            Measured("its processor time, all processes", "s", whole_cpu_s),
            Measured("one more row", "s", night_s),
            Measured("its processor time, all processes", "s", night_cpu_s),
            Measured("a day of all features", "ms", day_s * 1e3),
            Measured("one feature over time", "ms", column_s * 1e3),
            Measured("on the disk", "MB", size / 1e6),
            Measured("this process at its largest", "MB", here_mb),
            Measured("a worker at its largest, the bars they share included", "MB", worker_mb),
        ),
        ratio=allowed / whole_s,
        ratio_says=f"times faster than the {allowed:g} s asked",
    )


def _forget_peak() -> None:
    """From here on `_peak_mb` counts: what made the bars is no part of a build."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb() -> float:
    """The largest resident size of this process since `_forget_peak`."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) / 1e3


def _processor_s() -> float:
    """Seconds of processor time of this process and of the workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def daily_bars_and_one_more(panel: BarPanel) -> BarPanel:
    """The panel, and its last bar once more a day later."""
    values = {
        name: np.vstack((getattr(panel, name), getattr(panel, name)[-1:]))
        for name in ("open", "high", "low", "close", "volume")
    }
    opened_at = np.append(panel.opened_at, panel.opened_at[-1] + _DAY_NS)
    return BarPanel(
        symbols=panel.symbols,
        opened_at=opened_at,
        closed_at=opened_at + DAY_LASTS_NS,
        interval_s=panel.interval_s,
        open=values["open"],
        high=values["high"],
        low=values["low"],
        close=values["close"],
        volume=values["volume"],
    )
