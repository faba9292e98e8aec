"""Many crash states of a story, opened one after the other; what broke, with what it takes to see it again."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tests.simulation.power.disk import Disk
from tests.simulation.power.operations import Recording
from tests.simulation.power.states import State, states_of
from tests.simulation.power.story import BACKUP, a_day, a_restart, an_upgrade
from tests.simulation.power.verdict import Judge

_MEMORY = Path("/dev/shm")
_SHOWN_MAX = 20
_RESTART_MINUTES = 3


class Breach(Struct, frozen=True, kw_only=True):
    """A state that is not as it must be."""

    story: str
    operations: int
    what: str
    fates: dict[int, int]
    fault: str

    def __str__(self) -> str:
        lost = ", ".join(f"{number}:{kept}" for number, kept in self.fates.items()) or "none"
        return f"{self.story}, after operation {self.operations} ({self.what}; fates {lost}): {self.fault}"


class Enumerated(Struct, frozen=True, kw_only=True):
    """States there are and states that were opened; `contents` different journals came out of them."""

    story: str
    kills_there: int
    cuts_there: int
    kills: int
    cuts: int
    contents: int
    breaches: tuple[Breach, ...]


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory where there is such a thing, gone afterwards."""
    parent = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="openbell-power-", dir=parent) as folder:
        yield Path(folder)


def enumerated(recording: Recording, *, kills_max: int, cuts_max: int, seed: int) -> Enumerated:
    """Open at most so many states of either kind, chosen evenly by the seed; at most 20 breaches are kept."""
    states = states_of(recording, seed)
    kills = [state for state in states if state.is_kill]
    cuts = [state for state in states if not state.is_kill]
    chance = random.Random(seed)
    chosen = [*_some(kills, kills_max, chance), *_some(cuts, cuts_max, chance)]
    breaches: list[Breach] = []
    with scratch() as folder:
        judge = Judge(recording, folder)
        for state, disk in _met(recording, chosen):
            found = judge.judge(disk.image(state.fates), state.owed_at)
            breaches += [_breach(recording, state, fault) for fault in found.faults]
        contents = judge.recovered
    return Enumerated(
        story=recording.name,
        kills_there=len(kills),
        cuts_there=len(cuts),
        kills=min(kills_max, len(kills)),
        cuts=min(cuts_max, len(cuts)),
        contents=contents,
        breaches=tuple(breaches[:_SHOWN_MAX]),
    )


def told(minutes: int, seed: int) -> Recording:
    """A day of so many minutes, recorded in a folder that is gone afterwards."""
    with scratch() as folder:
        return a_day(folder, minutes=minutes, seed=seed)


def restarts(day: Recording, count: int, seed: int) -> Iterator[Recording]:
    """After so many of the day's crashes, half of them kills: the start that follows, under record as well."""
    chance = random.Random(seed)
    states = states_of(day, seed)
    kills, cuts = ([state for state in states if state.is_kill is wanted] for wanted in (True, False))
    for number, state in enumerate([*_some(kills, (count + 1) // 2, chance), *_some(cuts, count // 2, chance)]):
        with scratch() as folder:
            yield a_restart(folder, image_of(day, state), minutes=_RESTART_MINUTES, seed=number)


def upgraded() -> Recording:
    """A journal of version 1 being brought up to date."""
    with scratch() as folder:
        return an_upgrade(folder)


def _some(states: Sequence[State], at_most: int, chance: random.Random) -> list[State]:
    return chance.sample(states, at_most) if at_most < len(states) else list(states)


def _met(recording: Recording, states: Sequence[State]) -> Iterator[tuple[State, Disk]]:
    """Each state with the disk at its moment."""
    disk = Disk(recording.before)
    for state in sorted(states, key=lambda state: state.operations):
        while disk.done < state.operations:
            disk.apply(recording.operations[disk.done])
        yield state, disk


def _breach(recording: Recording, state: State, fault: str) -> Breach:
    return Breach(story=recording.name, operations=state.operations, what=state.what, fates=state.fates, fault=fault)


def image_of(recording: Recording, state: State) -> dict[str, bytes]:
    """The journal's files in one state, to begin another story with; the backup has no part in that."""
    ((_, disk),) = _met(recording, [state])
    image = disk.image(state.fates).items()
    return {path: bytes(content) for path, content in image if content is not None and path != BACKUP}
