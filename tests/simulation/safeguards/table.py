"""Every safeguard that is proven: the table of docs/simulation_safeguards.md."""

from __future__ import annotations

from tests.simulation.safeguards.entries import ENTRIES
from tests.simulation.safeguards.outside import OUTSIDE
from tests.simulation.safeguards.protection import PROTECTION
from tests.simulation.safeguards.safeguard import Safeguard, by_name
from tests.simulation.safeguards.truth import TRUTH

SAFEGUARDS: dict[str, Safeguard] = by_name([*ENTRIES, *TRUTH, *PROTECTION, *OUTSIDE])


def safeguard_of(name: str) -> Safeguard:
    """The row of that name. Raises KeyError with all names if there is none."""
    try:
        return SAFEGUARDS[name]
    except KeyError:
        raise KeyError(f"safeguard {name!r} is none, there are: {', '.join(SAFEGUARDS)}") from None
