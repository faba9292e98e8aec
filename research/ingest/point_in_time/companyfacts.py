"""The SEC's company facts (XBRL): the same fact comes again in later filings, sometimes with another value.

Rows have cik, taxonomy, tag, unit, start (empty for what holds at an instant), end, val, accn, form and filed. Read
either from a flat table or from the JSON of the SEC's companyfacts API.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from research.ingest.point_in_time.as_of import PointInTimeTable, first_known
from research.ingest.point_in_time.fundamentals import Revision
from research.ingest.point_in_time.known_by import end_of_day
from research.ingest.point_in_time.reading import days_of, numbers_of, read_table
from shared.errors import DataError, NotFound

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("cik", "taxonomy", "tag", "unit", "start", "end", "val", "accn", "form", "filed")
Span = Literal["instant", "quarter", "nine months", "year"]
LASTS_DAYS: dict[Span, tuple[int, int]] = {
    "instant": (0, 0),
    "quarter": (76, 120),  # 11 to 17 weeks
    "nine months": (245, 290),
    "year": (345, 380),
}
"""How long a fact of each span lasts, first and last day included in neither or both: 52 and 53 weeks pass."""
_FACT = ("cik", "taxonomy", "tag", "unit", "start", "end")


def load_facts(path: Path) -> pd.DataFrame:
    """Every fact with `known_by`, the end of its filing day; raises DataError with one line."""
    rows = _of_json(path) if path.suffix == ".json" else read_table(path, COLUMNS)
    return rows[["taxonomy", "tag", "unit", "accn", "form"]].assign(
        cik=numbers_of(rows, "cik", path).astype("int64"),
        start=days_of(rows, "start", path, may_be_empty=True),
        end=days_of(rows, "end", path),
        val=numbers_of(rows, "val", path),
        known_by=end_of_day(days_of(rows, "filed", path)),
    )


def facts_table(
    facts: pd.DataFrame, tag: str, span: Span, *, unit: str = "USD", revision: Revision = "latest"
) -> PointInTimeTable:
    """One tag over time, by cik, the newest period first: as known at the time, or as `first` filed."""
    rows = _of_span(facts[facts["tag"].eq(tag) & facts["unit"].eq(unit)], span)
    if revision == "first":
        rows = first_known(rows, _FACT)
    return PointInTimeTable(rows, key="cik", newest_by=("end",))


def fourth_quarters(facts: pd.DataFrame, tag: str, *, unit: str = "USD") -> pd.DataFrame:
    """The last quarter of each fiscal year: the year less its first nine months, known with the filing of the year.

    Only where both begin on the same day and the nine months were known by then (as known last at that moment).
    """
    chosen = facts[facts["tag"].eq(tag) & facts["unit"].eq(unit)]
    year = _of_span(chosen, "year")
    parts = _of_span(chosen, "nine months")[["cik", "taxonomy", "start", "end", "val", "known_by"]]
    both = year.merge(parts, on=["cik", "taxonomy", "start"], suffixes=("", "_of_part"))
    both = both[both["known_by_of_part"] <= both["known_by"]].sort_values("known_by_of_part", kind="stable")
    last = both.drop_duplicates(["cik", "taxonomy", "start", "end", "accn", "known_by"], keep="last")
    alone = last.assign(val=last["val"] - last["val_of_part"], start=last["end_of_part"] + np.timedelta64(1, "D"))
    return alone[[*facts.columns]].sort_values(["cik", "known_by", "end"], kind="stable").reset_index(drop=True)


def _of_span(rows: pd.DataFrame, span: Span) -> pd.DataFrame:
    if span == "instant":
        return rows[rows["start"].isna()]
    shortest, longest = LASTS_DAYS[span]
    lasts = (rows["end"] - rows["start"]).dt.days
    return rows[lasts.between(shortest, longest)]


def _of_json(path: Path) -> pd.DataFrame:
    import msgspec
    import pandas as pd

    if not path.is_file():
        raise NotFound(f"{path}: no such file, allowed: the JSON of the SEC's companyfacts API")
    try:
        answer = msgspec.json.decode(path.read_bytes())
        rows = list(chain.from_iterable(_facts_of(int(answer["cik"]), *one) for one in answer["facts"].items()))
    except (OSError, msgspec.DecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{path}: no company facts ({error!r}), allowed: the SEC's JSON with cik and facts") from None
    return pd.DataFrame(rows, columns=[*COLUMNS])


def _facts_of(cik: int, taxonomy: str, tags: dict[str, Any]) -> list[tuple[object, ...]]:
    return [
        (cik, taxonomy, tag, unit, one.get("start", ""), one["end"], one["val"], one["accn"], one["form"], one["filed"])
        for tag, about in tags.items()
        for unit, values in about["units"].items()
        for one in values
    ]
