"""Fingerprints of bars, cell by cell and running: which features were made from which bars.

A print is the sum, modulo 2**64, of a 64-bit hash of every bar that an instrument has had up to a row: opening
instant, open, high, low, close, volume. It is compared at any row and for any choice of instruments, whatever rows
of nothing lie between. It finds what was changed by mistake, not by malice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.indicators.indicator import FloatArray, IntArray, kernel
from shared.io.bar_store import BarPanel
from shared.market import BarRow

_Bits = npt.NDArray[np.uint64]
_INFINITE = np.uint64(0x7FF0_0000_0000_0000)
_NO_SIGN = np.uint64(0x7FFF_FFFF_FFFF_FFFF)
_NAN = np.uint64(0x7FF8_0000_0000_0000)
_ZERO = np.uint64(0)
_FIRST = np.uint64(0xFF51_AFD7_ED55_8CCD)
_SECOND = np.uint64(0xC4CE_B9FE_1A85_EC53)
_HALF = np.uint64(33)


@kernel
def _stir(digest: np.uint64, bits: np.uint64) -> np.uint64:
    """The finaliser of MurmurHash3 (Austin Appleby, 2011, public domain) over what came before and `bits`."""
    mixed = (digest ^ bits) * _FIRST
    mixed = (mixed ^ (mixed >> _HALF)) * _SECOND
    return mixed ^ (mixed >> _HALF)


@kernel
def _run(opened_at: _Bits, bars: tuple[_Bits, _Bits, _Bits, _Bits, _Bits], total: _Bits, out: _Bits) -> None:
    for t in range(opened_at.shape[0]):
        for i in range(total.shape[0]):
            digest, printed = opened_at[t], False
            for each in bars:
                bits = each[t, i]
                magnitude = bits & _NO_SIGN
                if magnitude > _INFINITE:
                    bits = _NAN
                else:
                    printed = True
                    if magnitude == _ZERO:
                        bits = _ZERO
                digest = _stir(digest, bits)
            if printed:
                total[i] += digest
            out[t, i] = total[i]


def prints_of(opened_at: IntArray, rows: BarRow | BarPanel) -> IntArray:
    """The running prints (T, n) of panels (T, n) whose rows open at these nanoseconds (T,)."""
    prices = (_bits(rows.open), _bits(rows.high), _bits(rows.low), _bits(rows.close))
    out: _Bits = np.empty(np.shape(rows.close), dtype=np.uint64)
    opens = np.array(opened_at, dtype=np.int64).view(np.uint64)
    _run(opens, (*prices, _bits(rows.volume)), np.zeros(np.shape(rows.close)[1], dtype=np.uint64), out)
    return out.view(np.int64)


def _bits(values: FloatArray) -> _Bits:
    return np.require(values, dtype=np.float64, requirements=["C", "W"]).view(np.uint64)


def digest_of(symbols: Sequence[str], interval_s: int, prints: IntArray, rows: int) -> str:
    """SHA-256 (hex) of whose bars, how long they are, and the prints (T, n) of the first `rows` of them."""
    head = json.dumps([list(symbols), interval_s, rows], separators=(",", ":"))
    return hashlib.sha256(head.encode() + np.ascontiguousarray(prints[rows - 1], dtype="<i8").tobytes()).hexdigest()
