"""One call of an indicator over bars: every feature made of it, part by part, and the state to go on from.

The rows go through the streaming kernels in stretches of one part, each from the state that the last one left: what a
worker holds does not grow with time, and rows that are computed tonight are, bit for bit, those of a whole build.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from research.features.parts import part_bytes
from research.features.record import (
    CALL_FILE,
    CallRecord,
    part_name,
    read_call_record,
    read_rows,
    slug,
    state_name,
    write_record,
)
from research.features.sectors import Sectors
from research.features.write_behind import written_behind
from shared.errors import DataError
from shared.indicators.feature_name import Call, Feature, spec_of
from shared.indicators.feature_transforms import transformed
from shared.io.bar_disk import Disk
from shared.io.bar_store import BarPanel
from strategies.state import Snapshot, pack, unpack

SHORT = 4
"""A last part of less than so many times the rows that come is written anew with them, so that parts stay few."""


class Order(Struct, frozen=True, kw_only=True):
    """What to compute: `features` of `call` up to the panel's end, whose bars have `digest`, by this `code`.

    `after` is the number of rows that are there and stay, 0 for a build from the beginning.
    """

    call: Call
    features: tuple[Feature, ...]
    code: str
    digest: str
    after: int
    rows_per_part: int
    sectors: Sectors | None = None


def carry_out(panel: BarPanel, order: Order, folder: Path, disk: Disk) -> CallRecord:
    """Write the files of a call into its folder and then its record, which makes them count; what is old goes.

    Raises:
        DataError: what is there cannot be gone on from. OSError: something cannot be written; the old state stays.
    """
    home = folder / slug(str(order.call))
    disk.make_folder(home)
    before = _record_before(home)
    record = _begun(panel, order, before)
    spec = spec_of(order.call)
    indicator = spec.make(record.width, **dict(order.call.params))
    if order.after:
        assert before is not None
        indicator = _restored(home / state_name(before.generation), before, panel.symbols)
    with written_behind(disk) as write:
        for first, end in [span[:2] for span in record.spans() if span[2] == record.generation]:
            began = max(first, order.after)
            found = indicator.update_many(*(np.asarray(getattr(panel, name))[began:end] for name in spec.inputs))
            sectors = None if order.sectors is None else order.sectors.codes(began, end)
            for feature in order.features:
                output = found[spec.outputs.index(feature.output)] if feature.output else found
                values = transformed(output, feature.transforms, sectors)
                if first < order.after:
                    assert before is not None
                    values = np.concatenate((*read_rows(home, before, str(feature), first, order.after), values))
                said = {"feature": str(feature), "first_row": str(first)}
                path = home / part_name(str(feature), first, record.generation)
                write(path, part_bytes(values, record.rows_per_part, said))
    disk.write(home / state_name(record.generation), _packed(indicator, record, panel.symbols))
    disk.sync_folder(home)
    write_record(disk, home / CALL_FILE, record)
    _clear(home, record)
    return record


def _record_before(home: Path) -> CallRecord | None:
    """What is there; a record that cannot be read is as good as none, its files are not written over."""
    try:
        return read_call_record(home)
    except DataError:
        return None


def _begun(panel: BarPanel, order: Order, before: CallRecord | None) -> CallRecord:
    generation = _next_generation(before)
    step, rows = order.rows_per_part, len(panel)
    kept = list(before.parts) if before is not None and order.after else []
    start = order.after
    while kept and order.after - kept[-1][0] < step and start - kept[-1][0] < SHORT * (rows - start):
        start = kept.pop()[0]
    return CallRecord(
        call=str(order.call),
        features=tuple(map(str, order.features)),
        code=order.code,
        digest=order.digest,
        rows=rows,
        width=len(panel.symbols),
        rows_per_part=step,
        generation=generation,
        parts=(*kept, *((first, generation) for first in range(start, rows, step))),
        sectors="" if order.sectors is None else order.sectors.digest(rows),
    )


def _next_generation(before: CallRecord | None) -> int:
    return 1 if before is None else before.generation + 1


def _packed(indicator: Any, record: CallRecord, symbols: tuple[str, ...]) -> bytes:  # noqa: ANN401 - packs what it can
    state = {"indicator": indicator}
    return pack(Snapshot(strategy=record.call, symbols=symbols, params={"rows": record.rows}, state=state))


def _restored(path: Path, before: CallRecord, symbols: tuple[str, ...]) -> Any:  # noqa: ANN401 - of whatever class
    try:
        found = unpack(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}), build again with --anew") from None
    mine = Snapshot(strategy=before.call, symbols=symbols, params={"rows": before.rows}, state={})
    mine.refuse_if_other(found)
    return found.state["indicator"]


def _clear(home: Path, record: CallRecord) -> None:
    """Remove what the record does not name."""
    kept = record.file_names()
    for path in sorted(home.iterdir()):
        if path.name not in kept:
            path.unlink(missing_ok=True)
