"""Which situations really occurred in a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.simulation.history import Record
from tests.simulation.weather.scene import Scene
from tests.simulation.weather.situations import SITUATIONS, Situation


def hits_of(history: Sequence[Record]) -> Counter[str]:
    """How often each of "F1" to "F22" and "hole N" occurred, once a minute at most; names that did not are absent."""
    scene, hits = Scene(), Counter[str]()
    last: dict[str, float] = {}
    for record in history:
        for one in _BY_KIND.get(type(record), ()):
            if _is_new(one, record, last) and one.holds(scene, record):
                hits[one.name] += 1
                last[one.name] = record.at
        scene.take(record)
    return hits


def _is_new(situation: Situation, record: Record, last: dict[str, float]) -> bool:
    before = last.get(situation.name)
    return before is None or record.at - before >= situation.once_in_s


def _by_kind() -> dict[type, list[Situation]]:
    found: dict[type, list[Situation]] = {}
    for situation in SITUATIONS:
        for kind in situation.on:
            found.setdefault(kind, []).append(situation)
    return found


_BY_KIND = _by_kind()
