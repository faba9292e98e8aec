"""200 settings on real days: one worker, two workers, a dask cluster of two. Seconds, and whether the tables are equal.

    python -m bench.sweep_200

Needs ../shared/data; takes minutes. Edit nothing meanwhile: workers refuse code that changed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import pyarrow as pa
from distributed import LocalCluster

from research.experiments.bars import Bars, bars_of
from research.experiments.crew import crew_of
from research.experiments.progress import Lines
from research.experiments.running import Runner
from research.experiments.space import space_of
from research.experiments.store import opened
from research.experiments.sweep import run_sweep
from research.experiments.table import results_alone, table_of
from research.experiments.variants import Variants, variants_of
from research.measures.ledger import Ledger
from shared.config_cluster import ClusterConfig
from shared.io.bar_store import load_bars
from tests.backtest.builders import SMA, a_config

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "daily" / "panel_a_2009_2018.parquet"
SYMBOLS = ("AAPL", "IBM", "XOM", "WMT")


def table_by(name: str, cluster: ClusterConfig, variants: Variants, bars: Bars) -> bytes:
    """Sweep, print the seconds, give back the table without the columns of the run."""
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as store:
        began = time.perf_counter()
        runner = Runner(crew=crew_of(cluster), store=store, progress=Lines(name))
        ledger = Ledger(Path(folder) / "trials.sqlite")
        result = run_sweep(variants, bars, runner=runner, ledger=ledger, measure="sharpe")
        print(f"{name}: {time.perf_counter() - began:.1f} s, {len(result.failed)} failed", flush=True)
    table = results_alone(table_of(result.rows))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    return bytes(sink.getvalue())


def main() -> int:
    """0 if all three tables are the same, byte for byte."""
    panel = load_bars(DATA, symbols=SYMBOLS, start=date(2015, 1, 1))
    config = a_config(*SYMBOLS, strategy=SMA, interval_s=86_400)
    bars = bars_of(config, panel)
    variants = variants_of(config, space_of(config, written=["one.fast=1:20:1", "one.slow=21:30:1"]))
    print(f"{len(variants.tried)} settings, {len(bars.panel)} days, {len(SYMBOLS)} symbols", flush=True)
    tables = [table_by("two workers", ClusterConfig(workers=2), variants, bars)]
    tables.append(table_by("one worker", ClusterConfig(workers=1), variants, bars))
    with LocalCluster(  # type: ignore[no-untyped-call]  # dask has no types
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        tables.append(table_by("dask", ClusterConfig(address=cluster.scheduler_address), variants, bars))
    is_same = len(set(tables)) == 1
    print("the same table" if is_same else "DIFFERENT tables", flush=True)
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
