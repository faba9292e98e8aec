"""One history, every invariant after every record."""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulation.history import Record, Settings
from tests.simulation.judge import agreement, checked, control, identity, limits, liveness, market, people, protection
from tests.simulation.judge.breach import Breach, Invariant
from tests.simulation.judge.scene import Scene

INVARIANTS: tuple[type[Invariant], ...] = (
    protection.Protected,
    protection.NeverMore,
    identity.OneOrder,
    identity.Written,
    agreement.AtRest,
    agreement.UnknownIsNotEmpty,
    limits.Limits,
    limits.Rates,
    market.Hours,
    market.Data,
    market.Collar,
    control.Reconciled,
    control.Killed,
    liveness.Alive,
    people.Told,
    people.Strange,
    people.Secret,
    checked.Found,
)


def breaches_of(history: Sequence[Record]) -> list[Breach]:
    """Every breach, in the order in which it was seen. Raises ValueError if the history has no Settings first."""
    if not history or not isinstance(history[0], Settings):
        raise ValueError("history: its first record must be Settings")
    scene = Scene(history[0], history)
    invariants = [kind(scene) for kind in INVARIANTS]
    for line, record in enumerate(history):
        scene.line = line
        if record.at > scene.at:
            for invariant in invariants:
                invariant.before(record.at)
            scene.at = record.at
        scene.take(record)
        for invariant in invariants:
            invariant.take(record)
    for invariant in invariants:
        invariant.end()
    found = [breach for invariant in invariants for breach in invariant.breaches]
    return sorted(found, key=lambda breach: (breach.line, breach.invariant, breach.text))
