"""`openbell walkforward`: choose on the past, trade what follows, again and again; only what was traded is the result.

The train replay of a window sees the rows up to its last session and none behind it: it is run on bars that end there.
Trade windows follow each other without a gap, and there are two ways over their edges:

    held   one replay over all trade windows; at an edge the strategy's parameters change, and what is held stays held
           until the new parameters say otherwise. Possible where only strategies' own parameters vary.
    flat   one replay per trade window, warm and without positions, from the configured cash; what is held at its end is
           closed at the last close for the cost in bps, and the windows' returns are linked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from research.experiments import parameter_schedule
from research.experiments.axes import WrongUsage, strategy_of
from research.experiments.bars import Bars
from research.experiments.choosing import chosen
from research.experiments.identity import job_of, key_of, stamp_of
from research.experiments.job import Job, Outcome
from research.experiments.parameter_schedule import Entry
from research.experiments.running import Runner
from research.experiments.table import Row
from research.experiments.variants import Variant, Variants, put
from research.experiments.windows import Window
from research.measures.series import annual_return_pct
from shared.config import Config
from shared.errors import DataError
from shared.io.fingerprints import code_hash

Edges = Literal["held", "flat"]
BPS = 1e4


class TradedWindow(Struct, frozen=True, kw_only=True):
    """One window: what was chosen, how that did in the train window, and what it then did in the trade window.

    `efficiency` is the annual return out of sample over the one in sample (R. Pardo, The Evaluation and Optimization of
    Trading Strategies, 2nd ed., 2008), None where the latter is not above 0 or either does not exist.
    """

    window: Window
    chosen: Variant
    in_sample: Row
    returns: tuple[float, ...]
    return_pct: float
    annual_return_pct: float | None
    efficiency: float | None


class WalkForward(Struct, frozen=True, kw_only=True):
    """`windows` are those that were traded, `trained` every train replay; `failed_path` says why nothing was traded."""

    trained: tuple[Row, ...]
    windows: tuple[TradedWindow, ...]
    sessions: tuple[date, ...]
    returns: tuple[float, ...]
    edges: Edges
    interrupted: bool


def edges_for(variants: Variants, asked: Edges | None) -> Edges:
    """What was asked for, or held where it can be; WrongUsage where it cannot."""
    others = [axis.name for axis in variants.axes if strategy_of(axis) is None]
    if asked == "held" and others:
        raise WrongUsage(f"--edges held: {others[0]} is no parameter of a strategy itself, allowed: --edges flat")
    return asked or ("flat" if others else "held")


def walk_forward(  # noqa: PLR0913 - one keyword per part of the question
    variants: Variants,
    windows: Sequence[Window],
    bars: Bars,
    *,
    runner: Runner,
    measure: str,
    edges: Edges,
    cost_bps: float,
) -> WalkForward:
    """Train, choose and trade every window. DataError if a replay of the trade path fails."""
    trained, interrupted = _trained(variants, windows, bars, runner)
    if interrupted:
        return _ended_early(trained, edges)
    picks = _picks(trained, len(variants.tried), measure)
    jobs = (_held if edges == "held" else _flat)(variants, windows, picks, bars)
    outcomes = runner.run(bars.panel, jobs)
    if outcomes.interrupted:
        return _ended_early(trained, edges)
    paths = [_sound(outcomes.of[job.key], job) for job in jobs]
    if edges == "flat":
        paths = [_closed(path, cost_bps) for path in paths]
    sessions = tuple(day for path in paths for day in path.sessions)
    returns = tuple(value for path in paths for value in path.returns)
    per_window = [
        _traded(window, variants.tried[pick], trained[at * len(variants.tried) + pick], sessions, returns)
        for at, (window, pick) in enumerate(zip(windows, picks, strict=True))
    ]
    return WalkForward(
        trained=tuple(trained),
        windows=tuple(per_window),
        sessions=sessions,
        returns=returns,
        edges=edges,
        interrupted=False,
    )


def _ended_early(trained: Sequence[Row], edges: Edges) -> WalkForward:
    return WalkForward(trained=tuple(trained), windows=(), sessions=(), returns=(), edges=edges, interrupted=True)


def _trained(variants: Variants, windows: Sequence[Window], bars: Bars, runner: Runner) -> tuple[list[Row], bool]:
    """One row per window and variant, window by window."""
    pairs = [(window, variant) for window in windows for variant in variants.tried]
    jobs = [_train_job(window, variant, bars, number) for number, (window, variant) in enumerate(pairs)]
    outcomes = runner.run(bars.panel, jobs)
    rows = [
        Row(
            number=number,
            parameters=variant.parameters,
            stamp=stamp_of(variant, bars, window.train_first),
            outcome=outcomes.of.get(job.key),
            beside={
                "window": window.number,
                "train_first": window.train_first.isoformat(),
                "train_last": window.train_last.isoformat(),
            },
        )
        for number, ((window, variant), job) in enumerate(zip(pairs, jobs, strict=True))
    ]
    return rows, outcomes.interrupted


def _train_job(window: Window, variant: Variant, bars: Bars, number: int) -> Job:
    rows = bars.rows_of(window.train_first, window.train_last, variant.config.bars.warm_up)
    return job_of(variant, bars, rows=rows, start=window.train_first, number=number)


def _picks(trained: Sequence[Row], count: int, measure: str) -> list[int]:
    picks: list[int] = []
    for begin in range(0, len(trained), count):
        picks.append(chosen(trained[begin : begin + count], measure, picks[-1] if picks else 0))
    return picks


def _held(variants: Variants, windows: Sequence[Window], picks: Sequence[int], bars: Bars) -> list[Job]:
    """One replay over all trade windows, under a configuration whose varied strategies follow a schedule."""
    first = variants.tried[0].config
    data = first.model_dump(mode="json")
    for position in sorted({varied for axis in variants.axes if (varied := strategy_of(axis)) is not None}):
        entries = [
            Entry(opens_at=_opens_at(bars, window.trade_first), params=dict(_strategy(variants, pick, position)))
            for window, pick in zip(windows, picks, strict=True)
        ]
        strategy = first.strategies[position]
        kind = strategy.kind
        if kind.endswith(".py"):
            kind = str((first.base_dir / Path(kind).expanduser()).resolve())
        put(data, ("strategy", position, "kind"), str(Path(parameter_schedule.__file__).resolve()))
        data["strategy"][position]["params"] = {
            "kind": kind,
            "base_dir": str(first.base_dir.resolve()),
            "schedule": msgspec.json.encode(entries).decode(),
        }
    config = Config.model_validate(data).based_at(first.base_dir)
    tried = [stamp_of(variants.tried[pick], bars, None).trial for pick in sorted(set(picks))]
    return [_path_job(config, bars, (windows[0].trade_first, windows[-1].trade_last), 0, [tried, data["strategy"]])]


def _flat(variants: Variants, windows: Sequence[Window], picks: Sequence[int], bars: Bars) -> list[Job]:
    return [
        _path_job(variants.tried[pick].config, bars, (window.trade_first, window.trade_last), window.number, [])
        for window, pick in zip(windows, picks, strict=True)
    ]


def _path_job(config: Config, bars: Bars, days: tuple[date, date], number: int, beside: list[object]) -> Job:
    rows = bars.rows_of(*days, config.bars.warm_up)
    path = Variant(number=number, parameters={"trade": f"{days[0]} to {days[1]}"}, config=config)
    job = job_of(path, bars, rows=rows, start=days[0])
    return replace(job, key=key_of("traded", job.key, code_hash(config), beside))


def _strategy(variants: Variants, pick: int, position: int) -> dict[str, object]:
    return dict(variants.tried[pick].config.strategies[position].params)


def _opens_at(bars: Bars, session: date) -> datetime:
    """When the first bar of a session opens."""
    nanoseconds = int(bars.panel.opened_at[bars.begins[bars.sessions.index(session)]])
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)


def _sound(outcome: Outcome, job: Job) -> Outcome:
    if outcome.state == "done":
        return outcome
    raise DataError(f"the trade path {job.named} failed: {outcome.why}")


def _closed(path: Outcome, cost_bps: float) -> Outcome:
    """The path of a window with its last positions closed at the last close for `cost_bps` of their value."""
    held, equity = path.figures["held_at_end"], path.figures["final_equity"]
    assert isinstance(held, float)
    assert isinstance(equity, float)
    cost = held * cost_bps / BPS
    last = (1.0 + path.returns[-1]) * (1.0 - cost / equity) - 1.0
    return replace(path, returns=[*path.returns[:-1], last])


def _traded(
    window: Window, variant: Variant, row: Row, sessions: Sequence[date], returns: Sequence[float]
) -> TradedWindow:
    mine = tuple(
        value for day, value in zip(sessions, returns, strict=True) if window.trade_first <= day <= window.trade_last
    )
    series = np.array(mine, dtype=np.float64)
    annual = annual_return_pct(series)
    trained = row.figure("annual_return_pct")
    is_known = annual is not None and isinstance(trained, int | float) and trained > 0
    return TradedWindow(
        window=window,
        chosen=variant,
        in_sample=row,
        returns=mine,
        return_pct=100.0 * (float(np.prod(1.0 + series)) - 1.0),
        annual_return_pct=annual,
        efficiency=annual / float(trained) if is_known else None,  # type: ignore[operator,arg-type]  # is_known
    )
