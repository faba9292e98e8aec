"""The crash states of a recording: what a kill leaves at each operation, and what a power cut may leave.

After a power cut at an operation, of the writes not yet synced there arrive: all, none, all but the first, all but the
last, all but any single one, the last or any other one torn (its first 512 bytes, or its first half) with the later
ones there or not, those of one file only or of all but one file, and seeded selections in which each arrives, is lost
or is torn. Names not yet synced (a file made, removed, renamed; a folder made) arrive likewise. States that are equal
are counted once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from tests.simulation.power.disk import Disk
from tests.simulation.power.operations import Cut, Recording, Wrote

_SECTOR = 512
_SINGLES_MAX = 8
_RECENT = 64
"""Each pending write by itself meets its fate while it is one of so many last operations; later only in selections."""
_SELECTIONS = 4


class State(Struct, frozen=True, kw_only=True):
    """The disk after `operations` operations and these fates; `owed_at` is the last moment at which it may look so."""

    operations: int
    fates: dict[int, int]
    is_kill: bool
    what: str
    owed_at: int


def states_of(recording: Recording, seed: int) -> list[State]:
    """Every state: the kills in the order in which they come up, then the power cuts that are no kill's image again."""
    kills: dict[object, State] = {}
    cuts: dict[object, State] = {}
    disk, chance = Disk(recording.before), random.Random(seed)
    for operation in [None, *recording.operations]:
        if operation is not None:
            disk.apply(operation)
        _note(kills, disk, {}, "kill")
        for what, fates in _power_cuts(disk, chance):
            _note(cuts, disk, fates, what)
    rest = [state for shape, state in cuts.items() if shape not in kills or _owes_more(recording, state, kills[shape])]
    return [*kills.values(), *rest]


def _note(found: dict[object, State], disk: Disk, fates: dict[int, int], what: str) -> None:
    """A state that comes up again is the same state, but may owe more by then."""
    shape = disk.shape(fates)
    known = found.get(shape)
    if known is None:
        is_kill = what == "kill"
        found[shape] = State(operations=disk.done, fates=fates, is_kill=is_kill, what=what, owed_at=disk.done)
    else:
        found[shape] = replace(known, owed_at=disk.done)


def _owes_more(recording: Recording, state: State, than: State) -> bool:
    return recording.promised_by(state.owed_at) != recording.promised_by(than.owed_at)


def _power_cuts(disk: Disk, chance: random.Random) -> Iterator[tuple[str, dict[int, int]]]:
    writes = disk.pending()
    names = [number for number, _, _ in disk.pending_names]
    no_writes: dict[int, int] = dict.fromkeys((number for number, _ in writes), 0)
    no_names: dict[int, int] = dict.fromkeys(names, 0)
    yield "nothing arrived", no_writes | no_names
    yield "no name arrived", no_names
    yield "only names arrived", no_writes
    for number in names:
        yield "a name lost", {number: 0}
        yield "a name lost and all writes", {number: 0} | no_writes
    recent = [(number, write) for number, write in writes if number >= disk.done - _RECENT]
    yield from _singles(recent, chance)
    yield from _by_file(disk)
    for _ in range(_SELECTIONS if len(writes) + len(names) > 1 else 0):
        yield "a selection", _selection(writes, names, chance)


def _singles(writes: list[tuple[int, Wrote | Cut]], chance: random.Random) -> Iterator[tuple[str, dict[int, int]]]:
    inner = range(1, len(writes) - 1)
    chosen = sorted({0, len(writes) - 1, *chance.sample(inner, min(_SINGLES_MAX, len(inner)))}) if writes else []
    for place in chosen:
        number, write = writes[place]
        later = dict.fromkeys((each for each, _ in writes[place + 1 :]), 0)
        yield "one lost", {number: 0}
        for kept in _tears(write):
            yield "one torn", {number: kept}
            yield "one torn, none after it", {number: kept} | later


def _by_file(disk: Disk) -> Iterator[tuple[str, dict[int, int]]]:
    open_files = [[number for number, _ in file.pending] for file in disk.files if file.pending]
    for numbers in open_files if len(open_files) > 1 else []:
        yield "one file lost", dict.fromkeys(numbers, 0)
        others = [number for each in open_files if each is not numbers for number in each]
        yield "one file arrived", dict.fromkeys(others, 0)


def _selection(writes: list[tuple[int, Wrote | Cut]], names: list[int], chance: random.Random) -> dict[int, int]:
    share = chance.random()
    fates: dict[int, int] = {number: 0 for number in names if chance.random() < share}
    for number, write in writes:
        if chance.random() < share:
            fates[number] = chance.choice([0, 0, *_tears(write)])
    return fates


def _tears(write: Wrote | Cut) -> list[int]:
    match write:
        case Wrote(_, _, data):
            return sorted({kept for kept in (_SECTOR, len(data) // 2) if 0 < kept < len(data)})
        case Cut():
            return []
