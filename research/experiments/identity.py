"""What makes a replay the same replay: its stamp, and the key under which its outcome is kept."""

from __future__ import annotations

import hashlib
import json
from datetime import date

from research.experiments.bars import Bars
from research.experiments.drawn_market import DrawnMarket
from research.experiments.job import Job
from research.experiments.variants import Variant
from research.measures.stamp import Stamp, stamped


def stamp_of(variant: Variant, bars: Bars, start: date | None) -> Stamp:
    """The stamp of a replay of these bars from `start` on."""
    return stamped(variant.config, bars.panel, start=start, data_hash=bars.data_hash)


def job_of(
    variant: Variant,
    bars: Bars,
    *,
    rows: tuple[int, int],
    start: date | None,
    number: int | None = None,
    market: DrawnMarket | None = None,
) -> Job:
    """The replay of `rows` of the bars under the variant, or of a market that is drawn from them."""
    stamp = stamp_of(variant, bars, start)
    drawn = () if market is None else (market.seed, market.block_sessions)
    return Job(
        market=market,
        key=key_of(stamp.trial, rows, *drawn),
        number=variant.number if number is None else number,
        parameters=variant.parameters,
        config=variant.config.model_dump_json(),
        base_dir=str(variant.config.base_dir.resolve()),
        rows=rows,
        start=start,
        code_hash=stamp.code_hash,
    )


def key_of(*parts: object) -> str:
    """SHA-256 (64 hex digits) of what the parts say in JSON."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
