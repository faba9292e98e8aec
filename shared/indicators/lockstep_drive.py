"""The compiled half of lockstep.py and live_plan.py: who goes through which kernels together, and in which order.

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
Group = tuple[IntArray, IntArray]
Plan = tuple[IntArray, IntArray, FloatArray, FloatArray]
_ROWS = float64[:, ::1]
BLOCK = 512  # instruments whose rows and states stay in the cache together
STRETCH = 64  # rows of a plan's panels that stay in the cache while one indicator after the other takes them
LANES = 32  # instruments in one turn of a SIMD loop: four vectors of eight
LINE = 8  # numbers in a cache line
# A step in its table: address; first row and rows of state, first and number of parameters; first row (-1: none) and
# rows of the state it takes instead of the inputs, that of a step before it. A group of them in a plan: steps from
# and to; first row and rows of inputs, prints where all agree (else -1), first value and the one behind the last.
STEP, ROW, ROWS, PARAM, PARAMS, ON, ON_ROWS = range(7)
FIRST, END, INPUT, INPUTS, PRINTS, TOLD, TOLD_END = range(7)
# Unsigned bounds: an index that might be negative would be asked in every turn of a loop, and no loop would be SIMD.
SIGNATURE = void(float64[::1], _ROWS, _ROWS, uint64, uint64, int64)


def _lent(context: Any, builder: Any, kind: Any, value: Any, part: Any) -> Any:
    """So many rows of an array from one on (`part`), without its counter of references.

    A step counts every row that it names, and a slice is counted too: an atomic write each time. Who calls holds the
    array until the step has returned.
    """
    whole = context.make_array(kind)(context, builder, value)
    shape = cgutils.unpack_tuple(builder, whole.shape)  # type: ignore[no-untyped-call]  # untyped in numba
    first, count = cgutils.unpack_tuple(builder, part, 2)  # type: ignore[no-untyped-call]  # untyped in numba
    inner = shape[1] if kind.ndim > 1 else first.type(1)
    lent = context.make_array(kind)(context, builder)
    lent.meminfo = cgutils.get_null_value(whole.meminfo.type)  # type: ignore[no-untyped-call]  # untyped in numba
    lent.parent = cgutils.get_null_value(whole.parent.type)  # type: ignore[no-untyped-call]  # untyped in numba
    lent.data = builder.gep(whole.data, [builder.mul(first, inner)])
    lent.nitems, lent.itemsize, lent.strides = builder.mul(count, inner), whole.itemsize, whole.strides
    lent.shape = cgutils.pack_array(builder, [count, *shape[1:]])  # type: ignore[no-untyped-call]  # untyped in numba
    return lent._getvalue()  # noqa: SLF001 - the way numba's own code takes it


def _call_at(
    _typing: Any, _address: Any, p: Any, _told: Any, s: Any, _kept: Any, x: Any, _rows: Any, _lo: Any, _hi: Any, _t: Any
) -> Any:
    """Call the compiled step at `address` with parts of three arrays, each told by its first row and their number.

    One driver serves every kernel, and a plan calls many without Python. Behind the arrays: lo, hi and t.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        takes = [context.get_value_type(arg) for arg in SIGNATURE.args]
        gives = context.get_value_type(SIGNATURE.return_type)
        function = cgutils.ir.FunctionType(gives, takes)  # type: ignore[attr-defined]  # no stub says it
        pointer = builder.inttoptr(values[0], function.as_pointer())
        lent = [_lent(context, builder, signature.args[k], values[k], values[k + 1]) for k in (1, 3, 5)]
        context.call_function_pointer(builder, pointer, [*lent, *values[7:]])
        return context.get_dummy_value()

    part = types.UniTuple(types.int64, 2)  # type: ignore[no-untyped-call]  # numba's own types are untyped
    return types.void(types.int64, p, part, s, part, x, part, types.uint64, types.uint64, types.int64), generate


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
        cgutils.raw_memcpy(builder, left, right, values[4], size)  # type: ignore[no-untyped-call]  # untyped in numba
        return context.get_dummy_value()

    assert to.is_c_contig, "a row is copied into a contiguous array"
    assert source.is_c_contig, "a row is copied out of a contiguous array"
    return types.void(to, types.int64, source, types.int64, types.int64), generate


copy: Any = intrinsic(_copy)


def _ask_for(_typing: Any, to: Any, _at: Any, _count: Any) -> Any:
    """Ask for the cache lines of `count` numbers of a contiguous array that are about to be written.

    They come while a step computes: a copy would wait for them.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        one = cgutils.ir.IntType(32)  # type: ignore[attr-defined]  # no stub says it
        kind = cgutils.ir.FunctionType(cgutils.ir.VoidType(), [cgutils.voidptr_t, one, one, one])  # type: ignore[attr-defined]  # no stub says it
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], kind)
        to_write, soon, of_data = one(1), one(3), one(1)
        _, at, count = values
        turns = cgutils.for_range_slice(builder, at, builder.add(at, count), at.type(LINE), at.type)
        with turns as (place, _):
            line = builder.bitcast(builder.gep(data, [place]), cgutils.voidptr_t)
            builder.call(prefetch, [line, to_write, soon, of_data])
        return context.get_dummy_value()

    return types.void(to, types.int64, types.int64), generate


ask_for: Any = intrinsic(_ask_for)


@kernel
def take_print(
    steps: IntArray, p: FloatArray, s: FloatArray, x: FloatArray, inputs: tuple[int, int], at: tuple[int, int, int]
) -> None:
    """One print of some instruments through a group; inputs: first row of `x`, rows; at: lo, hi and prints before."""
    lo, hi, t = at
    for k in range(steps.shape[0]):
        told, kept = (steps[k, PARAM], steps[k, PARAMS]), (steps[k, ROW], steps[k, ROWS])
        if steps[k, ON] < 0:
            call_at(steps[k, STEP], p, told, s, kept, x, inputs, lo, hi, t)
        else:
            call_at(steps[k, STEP], p, told, s, kept, s, (steps[k, ON], steps[k, ON_ROWS]), lo, hi, t)


@kernel
def advance(
    steps: IntArray, p: FloatArray, s: FloatArray, clock: IntArray, x: FloatArray, bounds: tuple[int, int]
) -> None:
    """One row `x` (m, n) of the instruments within `bounds` through a group of steps.

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
            take_print(steps, p, s, x, (0, x.shape[0]), (lo, hi, t))
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
def run_together(group: Group, p: FloatArray, s: FloatArray, panels: Panels, out: FloatArray, at: Place) -> int:
    """The rows up to the first in which one of the instruments printed nothing; returns its number, T if none is.

    `at`: the first instrument, the one behind the last, and how often all of them have printed before.
    """
    steps, told = group
    first, last, clock = at
    width, lanes = last - first, lanes_of(last - first)
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
        take_print(steps, p, state, x, (0, len(panels)), (0, lanes, clock + t))
        for j in range(out.shape[0]):
            value, row = state[told[j]], out[j, t, first:last]
            for i in range(width):
                row[i] = value[i]
    s[:, first:last] = state[:, :width]
    return int(done)


@kernel
def run_apart(
    group: Group, p: FloatArray, s: FloatArray, clock: IntArray, panels: Panels, out: FloatArray, at: Place
) -> None:
    """`advance` over every row, of instruments that have not printed equally often."""
    steps, told = group
    x = np.empty((len(panels), clock.shape[0]))
    for t in range(out.shape[1]):
        for j in range(len(panels)):
            for i in range(at[0], at[1]):
                x[j, i] = panels[j][t, i]
        advance(steps, p, s, clock, x, (at[0], at[1]))
        for j in range(out.shape[0]):
            for i in range(at[0], at[1]):
                out[j, t, i] = s[told[j], i]


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
    group: Group, p: FloatArray, s: FloatArray, panels: Panels, out: FloatArray, at: Place, done: int
) -> IntArray:
    """The rows from `done` on where some print nothing now and then: the k-th prints side by side.

    In order of their prints, so that those who still print are the first; what a kernel does to one instrument
    does not depend on its neighbours. Returns the number of prints of each.
    """
    steps, told = group
    first, last, start = at
    rows, count, order = arrange(panels, first, last, done)
    width = last - first
    state, x = np.empty((s.shape[0], width)), np.empty((len(panels), width))
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
        take_print(steps, p, state, x, (0, len(panels)), (0, width, start + done + k))
        for j in range(out.shape[0]):
            for i in range(width):
                out[j, rows[k, order[i]], first + order[i]] = state[told[j], i]
    carry(s, told, out, rows, count, (first, done))
    for k in range(s.shape[0]):
        for i in range(last - first):
            s[k, first + order[i]] = state[k, i]
    return count


@kernel
def run(group: Group, p: FloatArray, s: FloatArray, clock: IntArray, panels: Panels, out: FloatArray) -> None:
    """Every row of the inputs, m panels (T, n), into `out` (q, T, n), a block of instruments after the other.

    `group`: the table of the steps, and the row of state in which each of the q values stands.
    """
    n = clock.shape[0]
    blocks = (n + BLOCK - 1) // BLOCK
    for block in range(blocks):
        first, last = block * n // blocks, (block + 1) * n // blocks
        start, apart = clock[first], 0
        for i in range(first, last):
            apart += clock[i] != start
        if apart:
            run_apart(group, p, s, clock, panels, out, (first, last, start))
            continue
        done = run_together(group, p, s, panels, out, (first, last, start))
        for i in range(first, last):
            clock[i] = start + done
        if done < out.shape[1]:
            count = run_packed(group, p, s, panels, out, (first, last, start), done)
            for i in range(first, last):
                clock[i] += count[i - first]


@kernel
def carry(
    s: FloatArray, told: IntArray, out: FloatArray, rows: IntArray, count: IntArray, corner: tuple[int, int]
) -> None:
    """Fill the rows without a print with the value of the print before, or with that of the state `s`."""
    first, done = corner
    for i in range(count.shape[0]):
        for j in range(out.shape[0]):
            held, k = s[told[j], first + i], 0
            for t in range(done, out.shape[1]):
                if k < count[i] and rows[k, i] == t:
                    held = out[j, t, first + i]
                    k += 1
                out[j, t, first + i] = held


@kernel
def sweep(plan: Plan, clocks: IntArray, fields: IntArray, bar: FloatArray) -> None:
    """One bar (5, n) through every step of a plan. Inputs lie in rows as `fields` has them.

    `clocks` (groups, lanes) count prints where instruments do not agree.
    """
    groups, steps, params, states = plan
    lanes = clocks.shape[1]
    x = aligned(len(fields), lanes)
    rows = (bar[0:1], bar[1:2], bar[2:3], bar[3:4], bar[4:5])
    silent = take(rows, fields, x, (0, 1), lanes)
    for g in range(groups.shape[0]):
        mine, inputs, prints = steps[groups[g, FIRST] : groups[g, END]], groups[g, INPUT], groups[g, PRINTS]
        if silent == 0 and prints >= 0:
            take_print(mine, params, states, x, (inputs, groups[g, INPUTS]), (0, lanes, prints))
            groups[g, PRINTS] = prints + 1
            continue
        if prints >= 0:
            clocks[g, :] = prints
        advance(mine, params, states, clocks[g], x[inputs : inputs + groups[g, INPUTS]], (0, lanes))
        groups[g, PRINTS] = clocks[g, 0] if (clocks[g] == clocks[g, 0]).all() else -1


@kernel
def take(panels: Panels, fields: IntArray, x: FloatArray, rows: tuple[int, int], lanes: int) -> int:
    """Rows of the panels `fields` (T, n), filled up, one behind the other into `x`. How many numbers are missing."""
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
def sweep_panels(plan: Plan, told: IntArray, fields: IntArray, panels: Panels, out: FloatArray) -> int:
    """Panels (T, n) of the five fields through every step of a plan, `STRETCH` rows at a time, into `out` (q, T, n).

    All must have printed equally often; the values of a group stand behind those of the one before. As `sweep`; stops
    before a stretch in which somebody printed nothing, and returns the number of rows done.
    """
    groups, steps, params, states = plan
    n = panels[0].shape[1]
    lanes, width = lanes_of(n), len(fields)
    x = aligned(STRETCH * width, lanes)
    for first in range(0, out.shape[1], STRETCH):
        end = min(first + STRETCH, out.shape[1])
        if take(panels, fields, x, (first, end), lanes):
            return first
        for g in range(groups.shape[0]):
            mine, inputs, prints = steps[groups[g, FIRST] : groups[g, END]], groups[g, INPUT], groups[g, PRINTS]
            for t in range(end - first):
                values, at = range(groups[g, TOLD], groups[g, TOLD_END]), (0, lanes, prints + t)
                for j in values:
                    ask_for(out, (j * out.shape[1] + first + t) * n, n)
                take_print(mine, params, states, x, (t * width + inputs, groups[g, INPUTS]), at)
                for j in values:
                    copy(out, (j * out.shape[1] + first + t) * n, states, told[j] * states.shape[1], n)
            groups[g, PRINTS] = prints + end - first
    return int(out.shape[1])
