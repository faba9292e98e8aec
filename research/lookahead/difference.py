"""Where two runs first say different things, and which attribute of the state differs."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct

from research.lookahead.subject import Floats, Raised, Said
from shared.indicators.indicator import Indicator, IntArray
from strategies.state import unpack

ROUNDING = 1e-9  # relative; what reordering a float64 sum can do to a feature, with room


class Difference(Struct, frozen=True):
    """The first difference of two runs: where, of what, and what either said."""

    row: int
    symbol: str
    value: str
    one: str
    other: str


def first_difference(one: Said, other: Said, rows: int, *, exact: bool) -> Difference | None:
    """The first difference within the first `rows` rows, in values, words or an error; None where there is none."""
    found = [
        _of_values(one, other, rows, exact=exact),
        _of_words(one, other, rows),
        _of_errors(one, other, rows),
    ]
    first = [difference for difference in found if difference is not None]
    # Of one row the error comes first: what is missing after it follows from it.
    return min(reversed(first), key=lambda difference: difference.row) if first else None


def differing_rows(one: Floats, other: Floats, *, exact: bool) -> IntArray:
    """Indices of the rows in which two arrays of shape (R, n) differ, shape (k,)."""
    return np.flatnonzero(_unequal(one, other, exact=exact).any(axis=1))


def state_difference(row: int, one: bytes, other: bytes) -> Difference | None:
    """The first attribute in which two snapshots differ, in the order of their names."""
    if one == other:
        return None
    ours, theirs = (dict(_flat("", unpack(data).state)) for data in (one, other))
    for name in sorted({*ours, *theirs}):
        mine, its = ours.get(name, "absent"), theirs.get(name, "absent")
        place = _place_of_difference(mine, its)
        if place is not None:
            return Difference(row, "", f"self.{name}{place}", _shown(mine, place), _shown(its, place))
    return Difference(row, "", "self", "one state", "another state")


def _unequal(one: Floats, other: Floats, *, exact: bool) -> np.ndarray:
    with np.errstate(invalid="ignore", over="ignore"):
        close = one == other
        if not exact:
            scale = np.maximum(np.abs(one), np.abs(other))
            close |= np.abs(one - other) <= ROUNDING * scale
    unequal: np.ndarray = ~(close | (np.isnan(one) & np.isnan(other)))
    return unequal


def _of_values(one: Said, other: Said, rows: int, *, exact: bool) -> Difference | None:
    unequal = _unequal(one.values[:rows], other.values[:rows], exact=exact)
    where = np.argwhere(unequal)
    if not len(where):
        return None
    row, column = (int(index) for index in where[0])
    kind = "conviction" if one.words or other.words else "value"
    shown = [_number(said.values[row, column]) for said in (one, other)]
    return Difference(row, one.symbols[column], kind, shown[0], shown[1])


def _of_words(one: Said, other: Said, rows: int) -> Difference | None:
    for row, (mine, its) in enumerate(zip(one.words[:rows], other.words[:rows], strict=False)):
        if mine != its:
            differing = [pair for pair in zip(mine, its, strict=False) if pair[0] != pair[1]]
            first, second = differing[0] if differing else (("", f"{len(mine)} signals"), ("", f"{len(its)} signals"))
            return Difference(row, first[0], "reason", repr(first[1]), repr(second[1]))
    return None


def _of_errors(one: Said, other: Said, rows: int) -> Difference | None:
    mine, its = (_error(said.raised, rows) for said in (one, other))
    if mine == its:
        return None
    at = min((said.raised.row or 0) for said in (one, other) if said.raised is not None)
    return Difference(at, "", "error", mine or "no error", its or "no error")


def _error(raised: Raised | None, rows: int) -> str:
    return raised.error if raised is not None and (raised.row is None or raised.row < rows) else ""


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - whatever a strategy keeps
    """The leaves of a state as (dotted name, value)."""
    inside = vars(value) if isinstance(value, Indicator) else value
    if isinstance(inside, dict):
        joined = f"{prefix}." if prefix else ""
        return [leaf for key, item in inside.items() for leaf in _flat(f"{joined}{key}", item)]
    return [(prefix, value)]


def _place_of_difference(one: Any, other: Any) -> str | None:  # noqa: ANN401 - as above
    """'' where two values differ as wholes, '[3]' where an element does, None where they are equal."""
    arrays = [np.asarray(value) for value in (one, other)]
    numeric = all(array.dtype.kind in "fiub" for array in arrays)
    if numeric and arrays[0].shape == arrays[1].shape:
        unequal = ~((arrays[0] == arrays[1]) | ((arrays[0] != arrays[0]) & (arrays[1] != arrays[1])))
        where = np.argwhere(np.atleast_1d(unequal))
        if not len(where):
            return None
        return str([int(index) for index in where[0]]) if arrays[0].ndim else ""
    return None if repr(one) == repr(other) else ""


def _shown(value: Any, place: str) -> str:  # noqa: ANN401 - as above
    if not place:
        text = repr(value)
        return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - one line of a terminal
    index = tuple(int(number) for number in place.strip("[]").split(","))
    return _number(float(np.asarray(value)[index]))


def _number(value: float) -> str:
    return "nothing" if np.isnan(value) else f"{value:.12g}"
