"""Bars in, features out: what is there and still right stays, what is behind goes on from its state, the rest is built.

Every call of an indicator is finished by one rename: a build that is killed has done so many calls wholly and the
others not at all, and the same command goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from research.experiments.crew import Crew
from research.features.bar_prints import digest_of, prints_of
from research.features.code_hash import code_of
from research.features.compute import Order
from research.features.job import FeatureJob, Here, job_of, run_job
from research.features.parts import part_bytes, rows_per_part
from research.features.record import (
    BARS_FILE,
    BarsRecord,
    CallRecord,
    axis_names,
    read_bars_record,
    read_call_record,
    slug,
    write_record,
)
from research.features.sectors import Sectors
from shared.errors import DataError
from shared.indicators.feature_name import Call, Feature
from shared.indicators.indicator import IntArray
from shared.io.bar_disk import Disk, RealDisk, only_writer
from shared.io.bar_store import BarPanel


class Built(Struct, frozen=True, kw_only=True):
    """What a build did. Of the calls `kept` were there, `extended` by the new rows, `rebuilt` from the first row."""

    folder: Path
    features: int
    calls: int
    rows: int
    symbols: int
    kept: int
    extended: int
    rebuilt: int
    failed: tuple[tuple[str, str], ...]


Watcher = Callable[[int, int], None]
"""Told how many calls are done, of how many."""


def nobody(_done: int, _total: int) -> None:
    """Nobody waits."""


class Way(Struct, frozen=True, kw_only=True):
    """How a build goes: `anew` whatever is there, told to whom, in parts of how many rows (None: of a good size).

    Work of up to `here_cells` values is done in this process, which is sooner than workers are there. `sectors` are for
    features that are taken within them.
    """

    anew: bool = False
    watch: Watcher = nobody
    rows_per_part: int | None = None
    here_cells: int = 0
    sectors: Sectors | None = None


_PLAIN = Way()
SMALL_CELLS = 10_000_000
"""About two seconds of work: what two workers need to start."""


def build(panel: BarPanel, features: Sequence[Feature], folder: Path, crew: Crew, way: Way = _PLAIN) -> Built:
    """Bring the features of `folder` up to the bars.

    Raises:
        DataError: the folder cannot be written. Refused: another build is at work there.
    """
    if not len(panel) or not panel.symbols:
        raise DataError("features: no bars, allowed: at least one")
    calls = grouped(features)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with only_writer(folder):
            return _built(panel, calls, folder, crew, way)
    except OSError as error:
        raise DataError(f"{error.filename or folder}: cannot be written ({error.strerror})") from None


def grouped(features: Iterable[Feature]) -> dict[Call, tuple[Feature, ...]]:
    """The features of each call, each of them once, with what a transform is made of: a replay reads that."""
    found: dict[Call, dict[Feature, None]] = {}
    for feature in features:
        found.setdefault(feature.call, {}).update({feature.untransformed: None, feature: None})
    return {call: tuple(sorted(wanted, key=str)) for call, wanted in found.items()}


def _built(panel: BarPanel, calls: dict[Call, tuple[Feature, ...]], folder: Path, crew: Crew, way: Way) -> Built:
    prints = prints_of(panel.opened_at, panel)
    bars = _write_bars(panel, prints, folder, RealDisk())
    orders = [_order_of(call, wanted, (panel, prints, bars.digest), folder, way) for call, wanted in calls.items()]
    due = [order for order in orders if order.after < len(panel)]
    jobs = [job_of(order, folder.absolute(), number) for number, order in enumerate(due)]
    cells = sum(len(panel) - order.after for order in due) * len(panel.symbols)
    failed = _run(panel, jobs, Here() if cells <= way.here_cells else crew, way.watch)
    wrong = {str(call) for call, _ in failed}
    return Built(
        folder=folder,
        features=sum(map(len, calls.values())),
        calls=len(calls),
        rows=len(panel),
        symbols=len(panel.symbols),
        kept=len(orders) - len(due),
        extended=sum(order.after > 0 and str(order.call) not in wrong for order in due),
        rebuilt=sum(order.after == 0 and str(order.call) not in wrong for order in due),
        failed=tuple((str(call), why) for call, why in failed),
    )


def _order_of(
    call: Call, wanted: tuple[Feature, ...], bars: tuple[BarPanel, IntArray, str], folder: Path, way: Way
) -> Order:
    """What is to be done for a call; `after` is all rows where nothing is."""
    panel, prints, digest = bars
    step = way.rows_per_part or rows_per_part(len(panel.symbols))
    order = Order(
        call=call,
        features=wanted,
        code=code_of(call),
        digest=digest,
        after=0,
        rows_per_part=step,
        sectors=way.sectors if any(feature.needs_sectors for feature in wanted) else None,
    )
    with suppress(DataError):
        before = read_call_record(folder / slug(str(call)))
        if not way.anew and before is not None and _still_right(before, order) and _same_bars(before, panel, prints):
            return replace(order, after=before.rows)
    return order


def _still_right(before: CallRecord, order: Order) -> bool:
    told = (before.call, before.features, before.code, before.rows_per_part, before.sectors)
    sectors = "" if order.sectors is None else order.sectors.digest(before.rows)
    wanted = (str(order.call), tuple(map(str, order.features)), order.code, order.rows_per_part, sectors)
    return told == wanted


def _same_bars(before: CallRecord, panel: BarPanel, prints: IntArray) -> bool:
    """Whether the record was made from the first rows of these very bars."""
    if not 0 < before.rows <= len(panel):
        return False
    return before.digest == digest_of(panel.symbols, panel.interval_s, prints, before.rows)


def _write_bars(panel: BarPanel, prints: IntArray, folder: Path, disk: Disk) -> BarsRecord:
    digest = digest_of(panel.symbols, panel.interval_s, prints, len(panel))
    record = BarsRecord(symbols=panel.symbols, interval_s=panel.interval_s, rows=len(panel), digest=digest)
    names = axis_names(digest)
    with suppress(DataError):
        if read_bars_record(folder) == record and all((folder / name).is_file() for name in names):
            return record
    opened_at = np.array(panel.opened_at, dtype=np.int64).reshape(-1, 1)
    for name, values in zip(names, (opened_at, prints), strict=True):
        disk.write(folder / name, part_bytes(values, rows_per_part(values.shape[1]), {"what": name.partition("-")[0]}))
    disk.sync_folder(folder)
    write_record(disk, folder / BARS_FILE, record)
    for path in sorted(folder.glob("*.parquet")):
        if path.name not in names:
            path.unlink(missing_ok=True)
    return record


def _run(panel: BarPanel, jobs: list[FeatureJob], crew: Crew, watch: Watcher) -> list[tuple[Call, str]]:
    failed: dict[int, str] = {}
    watch(0, len(jobs))
    if jobs:
        for done, outcome in enumerate(crew.outcomes(run_job, panel, jobs), start=1):
            if outcome.state == "failed":
                failed[outcome.number] = outcome.why
            watch(done, len(jobs))
    return [(jobs[number].order.call, why) for number, why in sorted(failed.items())]
