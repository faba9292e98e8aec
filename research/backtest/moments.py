"""Instants and days of many rows, kept as integers: a million rows are eight megabytes and no million objects."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar, overload

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Moment = TypeVar("Moment", bound=date)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def instant(nanoseconds: int) -> datetime:
    """UTC instant of `nanoseconds` since 1970, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def nanoseconds_of(at: datetime) -> int:
    """Nanoseconds since 1970 of an aware instant."""
    return (at - _EPOCH) // _MICROSECOND * 1000


class _Moments(Sequence[Moment]):
    """Reads like a tuple, and equals one with the same content."""

    _of: Integers

    @abstractmethod
    def _moment(self, number: int) -> Moment: ...

    def __len__(self) -> int:
        return len(self._of)

    @overload
    def __getitem__(self, at: int) -> Moment: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Moment, ...]: ...
    def __getitem__(self, at: int | slice) -> Moment | tuple[Moment, ...]:
        if isinstance(at, slice):
            return tuple(self._moment(number) for number in self._of[at].tolist())
        return self._moment(int(self._of[at]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(operator.eq, self, other))

    __hash__ = None  # type: ignore[assignment] # as wide as a panel is long, and nobody's key


class InstantsOf(_Moments[datetime]):
    """UTC instants of int64 nanoseconds (T,)."""

    def __init__(self, nanoseconds: Integers) -> None:
        self._of = nanoseconds

    def _moment(self, number: int) -> datetime:
        return instant(number)


class DaysOf(_Moments[date]):
    """The days at these int64 places (T,) of a list of days; as many objects as days, however many rows."""

    def __init__(self, places: Integers, days: tuple[date, ...]) -> None:
        self._of = places
        self._days = days

    def _moment(self, number: int) -> date:
        return self._days[number]
