"""Which days were asked for and answered: what lies between them was never asked, what had no bars need not be again.

One JSON file per source and series beside the store, written after the bars: a run that is killed in between asks for
some days once more, and the store takes the same bars as nothing new.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

from shared.errors import DataError
from shared.io.bar_places import folder_name
from shared.io.whole_file import write_whole

Span = tuple[date, date]
_DAY = timedelta(days=1)


class Coverage:
    """The days of one source at one frequency, by symbol."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def spans(self, symbol: str) -> list[Span]:
        """The days answered, in order and apart; none where the file is missing or is none of ours."""
        try:
            told = json.loads(self._path(symbol).read_bytes())
            return _joined([(date.fromisoformat(first), date.fromisoformat(last)) for first, last in told])
        except (OSError, ValueError, TypeError):
            return []

    def missing(self, symbol: str, first: date, last: date) -> list[Span]:
        """The parts of `first` to `last` that were not answered yet."""
        found: list[Span] = []
        for begins, ends in self.spans(symbol):
            if ends < first:
                continue
            if begins > last:
                break
            if first < begins:
                found.append((first, begins - _DAY))
            first = ends + _DAY
        return [*found, (first, last)] if first <= last else found

    def add(self, symbol: str, first: date, last: date) -> None:
        """These days are answered, and what came is stored. Raises DataError if that cannot be written."""
        spans = _joined([*self.spans(symbol), (first, last)])
        path = self._path(symbol)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps([[begins.isoformat(), ends.isoformat()] for begins, ends in spans]))
        except OSError as error:
            raise DataError(f"{path}: cannot be written: {error.strerror}, allowed: a writable folder") from None

    def _path(self, symbol: str) -> Path:
        return self._folder / f"{folder_name(symbol)}.json"


def _joined(spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + _DAY:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
