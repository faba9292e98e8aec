"""Does a strategy look ahead? The past must sound the same whatever the future holds."""

import numpy as np

from tests.strategies.rows import panels_as_rows, signals_of


def first_look_ahead(make, panels, cuts):
    """The first (cut, row) at which what `make()` says about the common past depends on the future, or None.

    `panels` are high, low and close (T, n). At every cut the same past runs with the real future behind it,
    with no future at all, and with another future. Each run is a fresh strategy over fresh arrays; the real
    one runs first, so that a strategy which keeps what it saw outside itself gives itself away.
    """
    for cut in cuts:
        real = _signals(make, panels)[:cut]
        for future in (_none, _another):
            heard = _signals(make, [future(panel, cut) for panel in panels])[:cut]
            different = [row for row in range(cut) if heard[row] != real[row]]
            if different:
                return cut, different[0]
    return None


def _signals(make, panels):
    return signals_of(make(), panels_as_rows(*(panel.copy() for panel in panels)))


def _none(panel, cut):
    return panel[:cut]


def _another(panel, cut):
    """The past up to the cut, then the future upside down: what rose falls, and the ranking is reversed."""
    return np.concatenate([panel[:cut], panel[cut - 1] ** 2 / panel[cut:]])
