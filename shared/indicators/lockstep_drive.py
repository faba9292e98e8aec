"""The compiled half of lockstep.py and live_plan.py: who goes through a kernel together, and in which order.

Instruments that print together stand side by side in rows that begin at a cache line, filled up to whole turns of a
SIMD loop with copies of the first of them: a rest that is computed one by one takes as long as all the others.
"""
# ruff: noqa: ARG001, PLR0917, PLR0913, ANN401 - a numba function takes no keywords, and its types are none Python knows

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float64, int64, types, uint64, void
from numba.core import cgutils
from numba.extending import intrinsic

from shared.indicators.indicator import FloatArray, IntArray, kernel

Panels = tuple[FloatArray, ...]
Place = tuple[int, int, int]
_ROWS = float64[:, ::1]
BLOCK = 512  # instruments whose rows and states stay in the cache together
STRETCH = 64  # rows of a plan's panels that stay in the cache while one indicator after the other takes them
LANES = 32  # instruments in one turn of a SIMD loop: four vectors of eight
LINE = 8  # numbers in a cache line
# Unsigned bounds: an index that might be negative would be asked in every turn of a loop, and no loop would be SIMD.
SIGNATURE = void(float64[::1], _ROWS, _ROWS, uint64, uint64, int64)


def _lent(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """An array without its counter of references: a step counts every row that it names, an atomic write each time.

    Who calls holds the array until the step has returned.
    """
    if not isinstance(kind, types.Array):
        return value
    array = context.make_array(kind)(context, builder, value)
    array.meminfo = cgutils.get_null_value(array.meminfo.type)  # type: ignore[no-untyped-call]
    return array._getvalue()  # noqa: SLF001 - the way numba's own code takes it


def _call_at(_typing: Any, _address: Any, _p: Any, _s: Any, _x: Any, _lo: Any, _hi: Any, _t: Any) -> Any:
    """Call the compiled step at `address`: one driver serves every kernel, and a plan calls many without Python."""

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        takes = [context.get_value_type(arg) for arg in SIGNATURE.args]
        gives = context.get_value_type(SIGNATURE.return_type)
        function = cgutils.ir.FunctionType(gives, takes)  # type: ignore[attr-defined]
        pointer = builder.inttoptr(values[0], function.as_pointer())
        lent = [_lent(context, builder, kind, value) for kind, value in zip(SIGNATURE.args, values[1:], strict=True)]
        context.call_function_pointer(builder, pointer, lent)
        return context.get_dummy_value()

    return types.void(types.int64, *SIGNATURE.args), generate


call_at: Any = intrinsic(_call_at)


def _copy(_typing: Any, to: Any, at: Any, source: Any, begin: Any, count: Any) -> Any:
    """`count` numbers of a contiguous array, from its `begin`-th on, to place `at` of another: what memcpy is made for.

    A row that is named in numba counts references, and a loop over it has a rest that is done one by one.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        left, right = (
            builder.gep(context.make_array(signature.args[k])(context, builder, values[k]).data, [values[k + 1]])
            for k in (0, 2)
        )
        size = context.get_abi_sizeof(context.get_value_type(types.float64))
        cgutils.raw_memcpy(builder, left, right, values[4], size)  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    assert to.is_c_contig, "a row is copied into a contiguous array"
    assert source.is_c_contig, "a row is copied out of a contiguous array"
    return types.void(to, types.int64, source, types.int64, types.int64), generate


copy: Any = intrinsic(_copy)


@kernel
def advance(step: int, p: FloatArray, s: FloatArray, clock: IntArray, x: FloatArray, bounds: tuple[int, int]) -> None:
    """One row `x` (m, n) of the instruments within `bounds` through the step at an address.

    `clock` (n,) counts prints. A NaN among its inputs says that an instrument printed nothing.
    """
    lo, end = bounds
    while lo < end:
        hi = lo
        while hi < end and clock[hi] == clock[lo]:
            silent = 0
            for j in range(x.shape[0]):
                silent += np.isnan(x[j, hi])
            if silent:
                break
            hi += 1
        if hi > lo:
            t = clock[lo]
            call_at(step, p, s, x, lo, hi, t)
            for i in range(lo, hi):
                clock[i] = t + 1
        lo = max(hi, lo + 1)


@kernel
def lanes_of(width: int) -> int:
    """Instruments that are computed for `width`: whole turns of a loop, if those that fill it up are few."""
    filled = (width + LANES - 1) // LANES * LANES
    return int(filled if 4 * (filled - width) <= width else width)


@kernel
def aligned(rows: int, lanes: int) -> FloatArray:
    """Zeros (rows, >= lanes); rows begin with a cache line and are no power of two apart, which caches do not like."""
    wide = ((lanes + LINE - 1) // LINE | 1) * LINE
    space = np.zeros(rows * wide + LINE)
    first = (LINE - space.ctypes.data // LINE % LINE) % LINE
    return space[first : first + rows * wide].reshape(rows, wide)


@kernel
def fill_up(rows: FloatArray, width: int, lanes: int) -> None:
    """The instruments behind the `width`-th become copies of the first."""
    for k in range(rows.shape[0]):
        for i in range(width, lanes):
            rows[k, i] = rows[k, 0]


@kernel
def run_together(step: int, p: FloatArray, s: FloatArray, panels: Panels, out: FloatArray, at: Place) -> int:
    """The rows up to the first in which one of the instruments printed nothing; returns its number, T if none is.

    `at`: the first instrument, the one behind the last, and how often all of them have printed before.
    """
    first, last, clock = at
    width = last - first
    lanes = lanes_of(width)
    state, x = aligned(s.shape[0], lanes), aligned(len(panels), lanes)
    state[:, :width] = s[:, first:last]
    fill_up(state, width, lanes)
    done = out.shape[1]
    for t in range(out.shape[1]):
        silent = 0
        for j in range(len(panels)):
            row, taken = panels[j][t, first:last], x[j]
            for i in range(width):
                taken[i] = row[i]
            for i in range(width):
                silent += taken[i] != taken[i]
        if silent:
            done = t
            break
        fill_up(x, width, lanes)
        call_at(step, p, state, x, 0, lanes, clock + t)
        for j in range(out.shape[0]):
            told, row = state[j], out[j, t, first:last]
            for i in range(width):
                row[i] = told[i]
    s[:, first:last] = state[:, :width]
    return int(done)


@kernel
def run_apart(
    step: int, p: FloatArray, s: FloatArray, clock: IntArray, panels: Panels, out: FloatArray, at: Place
) -> None:
    """`advance` over every row, of instruments that have not printed equally often."""
    x = np.empty((len(panels), clock.shape[0]))
    for t in range(out.shape[1]):
        for j in range(len(panels)):
            for i in range(at[0], at[1]):
                x[j, i] = panels[j][t, i]
        advance(step, p, s, clock, x, (at[0], at[1]))
        for j in range(out.shape[0]):
            for i in range(at[0], at[1]):
                out[j, t, i] = s[j, i]


@kernel
def arrange(panels: Panels, first: int, last: int, done: int) -> tuple[IntArray, IntArray, IntArray]:
    """Of the instruments `first` to `last`: the rows of their prints from `done` on, their number, who has most."""
    width = last - first
    rows = np.empty((panels[0].shape[0], width), dtype=np.int64)
    count = np.zeros(width, dtype=np.int64)
    for t in range(done, rows.shape[0]):
        for i in range(width):
            silent = 0
            for j in range(len(panels)):
                silent += np.isnan(panels[j][t, first + i])
            if silent == 0:
                rows[count[i], i] = t
                count[i] += 1
    return rows, count, np.argsort(-count, kind="mergesort")


@kernel
def run_packed(
    step: int, p: FloatArray, s: FloatArray, panels: Panels, out: FloatArray, at: Place, done: int
) -> IntArray:
    """The rows from `done` on where some print nothing now and then: the k-th prints side by side.

    In order of their prints, so that those who still print are the first; what a kernel does to one instrument
    does not depend on its neighbours. Returns the number of prints of each.
    """
    first, last, start = at
    rows, count, order = arrange(panels, first, last, done)
    width = last - first
    state = np.empty((s.shape[0], width))
    x = np.empty((len(panels), width))
    for k in range(s.shape[0]):
        for i in range(width):
            state[k, i] = s[k, first + order[i]]
    for k in range(out.shape[1] - done):
        while width > 0 and count[order[width - 1]] <= k:
            width -= 1
        if width == 0:
            break
        for i in range(width):
            for j in range(len(panels)):
                x[j, i] = panels[j][rows[k, order[i]], first + order[i]]
        call_at(step, p, state, x, 0, width, start + done + k)
        for j in range(out.shape[0]):
            for i in range(width):
                out[j, rows[k, order[i]], first + order[i]] = state[j, i]
    carry(s, out, rows, count, (first, done))
    for k in range(s.shape[0]):
        for i in range(last - first):
            s[k, first + order[i]] = state[k, i]
    return count


@kernel
def run(step: int, p: FloatArray, s: FloatArray, clock: IntArray, panels: Panels, out: FloatArray) -> None:
    """Every row of the inputs, m panels (T, n), into `out` (q, T, n), a block of instruments after the other."""
    n = clock.shape[0]
    blocks = (n + BLOCK - 1) // BLOCK
    for block in range(blocks):
        first, last = block * n // blocks, (block + 1) * n // blocks
        start = clock[first]
        apart = 0
        for i in range(first, last):
            apart += clock[i] != start
        if apart:
            run_apart(step, p, s, clock, panels, out, (first, last, start))
            continue
        done = run_together(step, p, s, panels, out, (first, last, start))
        for i in range(first, last):
            clock[i] = start + done
        if done < out.shape[1]:
            count = run_packed(step, p, s, panels, out, (first, last, start), done)
            for i in range(first, last):
                clock[i] += count[i - first]


@kernel
def carry(s: FloatArray, out: FloatArray, rows: IntArray, count: IntArray, corner: tuple[int, int]) -> None:
    """Fill the rows without a print with the value of the print before, or with that of the state `s`."""
    first, done = corner
    for i in range(count.shape[0]):
        for j in range(out.shape[0]):
            held, k = s[j, first + i], 0
            for t in range(done, out.shape[1]):
                if k < count[i] and rows[k, i] == t:
                    held = out[j, t, first + i]
                    k += 1
                out[j, t, first + i] = held


@kernel
def sweep(
    table: IntArray, params: FloatArray, states: FloatArray, clocks: IntArray, fields: IntArray, bar: FloatArray
) -> None:
    """One bar (5, n) through every step of a plan.

    `table` (k, 9): address, first row and number of rows of state, first and number of parameters, prints where all
    instruments agree (else -1), first row and number of rows of the inputs, number of outputs. Inputs lie in rows as
    `fields` has them. `clocks` (k, lanes).
    """
    lanes = clocks.shape[1]
    x = aligned(len(fields), lanes)
    silent = take(bar, fields, x, lanes)
    for k in range(table.shape[0]):
        row = table[k]
        s, p = states[row[1] : row[1] + row[2]], params[row[3] : row[3] + row[4]]
        taken = x[row[6] : row[6] + row[7]]
        if silent == 0 and row[5] >= 0:
            call_at(row[0], p, s, taken, 0, lanes, row[5])
            row[5] += 1
            continue
        if row[5] >= 0:
            clocks[k, :] = row[5]
        advance(row[0], p, s, clocks[k], taken, (0, lanes))
        row[5] = clocks[k, 0] if (clocks[k] == clocks[k, 0]).all() else -1


@kernel
def take(bar: FloatArray, fields: IntArray, x: FloatArray, lanes: int) -> int:
    """The rows `fields` of a bar (5, n) into `x`, filled up. How many of these numbers are missing."""
    silent = 0
    for j in range(len(fields)):
        given, taken = bar[fields[j]], x[j]
        for i in range(given.shape[0]):
            taken[i] = given[i]
        for i in range(given.shape[0]):
            silent += taken[i] != taken[i]
    fill_up(x, bar.shape[1], lanes)
    return silent


@kernel
def take_stretch(panels: Panels, fields: IntArray, x: FloatArray, rows: tuple[int, int], lanes: int) -> int:
    """As `take`, the rows of panels (T, n), one behind the other in `x`."""
    silent, n = 0, panels[0].shape[1]
    for t in range(rows[0], rows[1]):
        for j in range(len(fields)):
            place = (t - rows[0]) * len(fields) + j
            copy(x, place * x.shape[1], panels[fields[j]], t * n, n)
            taken = x[place]
            for i in range(n):
                silent += taken[i] != taken[i]
    fill_up(x, n, lanes)
    return silent


@kernel
def sweep_panels(
    table: IntArray, params: FloatArray, states: FloatArray, fields: IntArray, panels: Panels, out: FloatArray
) -> int:
    """Panels (T, n) of the five fields through every step of a plan, `STRETCH` rows at a time, into `out` (q, T, n).

    All must have printed equally often. As `sweep`; stops before a stretch in which somebody printed nothing, and
    returns the number of rows done.
    """
    n = panels[0].shape[1]
    lanes, width = lanes_of(n), len(fields)
    x = aligned(STRETCH * width, lanes)
    for first in range(0, out.shape[1], STRETCH):
        end = min(first + STRETCH, out.shape[1])
        if take_stretch(panels, fields, x, (first, end), lanes):
            return first
        told = 0
        for k in range(table.shape[0]):
            row = table[k]
            s, p = states[row[1] : row[1] + row[2]], params[row[3] : row[3] + row[4]]
            for t in range(end - first):
                taken = x[t * width + row[6] : t * width + row[6] + row[7]]
                call_at(row[0], p, s, taken, 0, lanes, row[5] + t)
                for j in range(row[8]):
                    copy(out, ((told + j) * out.shape[1] + first + t) * n, states, (row[1] + j) * states.shape[1], n)
            row[5] += end - first
            told += row[8]
    return int(out.shape[1])
