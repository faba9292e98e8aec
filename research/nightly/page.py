"""The one page of a night, as sections that two renderers read: text for a terminal, HTML for a browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from research.nightly.gap import GapLine, GapReport, OneSide
from research.nightly.night import Night
from research.nightly.step import Records, StepRecord
from shared.day_plan import DayPlan
from shared.sessions import zone_of

_NOTHING = "-"
_ORDERS_MAX = 2_000


class Section(Struct, frozen=True, kw_only=True):
    """A heading, lines below it, and a table; columns in `numeric` stand right."""

    title: str
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numeric: tuple[int, ...] = ()


def sections_of(night: Night, records: Records, gap: GapReport | None, plan: DayPlan | None) -> list[Section]:
    """Everything that is known of the night, the verdict first."""
    found = [_steps(records)]
    if gap is not None:
        found += [_costs(gap), _orders(gap, night)]
    if plan is not None:
        found.append(_plan(plan))
    return found


def title_of(night: Night) -> str:
    return f"Openbell, the night after {night.session} ({night.config.mode})"


def _steps(records: Records) -> Section:
    return Section(
        title="Steps", columns=("step", "result", "what"), rows=tuple(_step(each) for each in records.values())
    )


def _step(record: StepRecord) -> tuple[str, ...]:
    return record.step, record.status, record.said


def _costs(gap: GapReport) -> Section:
    latencies = [
        _seconds("decision to the broker's confirmation", gap.accepted_s_median, gap.accepted_s_max),
        _seconds("decision to the first fill (entries and exits)", gap.filled_s_median, gap.filled_s_max),
    ]
    filled = f"filled on both sides {gap.filled_both}, only live {gap.filled_live_only}"
    decided = f"decided only live {gap.decided_live_only}, only in the backtest {gap.decided_replay_only}"
    slipped = f"live {gap.live_slippage:+,.2f}, model {gap.model_slippage:+,.2f}"
    lines = (
        f"{filled}, only in the backtest {gap.filled_replay_only}; {decided}",
        f"slippage against the decision price where both filled: {slipped}",
        f"live fills were {gap.gap:+,.2f} dearer than the backtest's (negative: cheaper)",
        *latencies,
        *(f"caution: {caveat}" for caveat in gap.caveats),
    )
    return Section(title="Live against backtest", lines=lines)


def _orders(gap: GapReport, night: Night) -> Section:
    zone = zone_of(night.config.session.calendar)
    columns = (
        "row",
        "strategy",
        "symbol",
        "order",
        "decided at",
        "live",
        "at",
        "backtest",
        "gap bps",
        "took s",
        "where",
    )
    shown = gap.lines[:_ORDERS_MAX]
    lines = (
        (f"the first {_ORDERS_MAX} of {len(gap.lines):,}; all are in gap.json",) if len(gap.lines) > len(shown) else ()
    )
    rows = tuple(
        (
            _when(line.row_at.astimezone(zone), night),
            line.strategy,
            line.symbol,
            f"{line.role} {line.side.value}",
            _price(_decision_price(line)),
            _filled(line.live),
            _clock(line.live, zone_at=night),
            _filled(line.replay),
            _NOTHING if line.gap_bps is None else f"{line.gap_bps:+.1f}",
            _took(line.live),
            _where(line),
        )
        for line in shown
    )
    return Section(title="Orders", lines=lines, columns=columns, rows=rows, numeric=(4, 5, 7, 8, 9))


def _when(at: datetime, night: Night) -> str:
    """The time of day, with the day where it is another."""
    return f"{at:%H:%M:%S}" if at.date() == night.session else f"{at:%m-%d %H:%M}"


def _where(line: GapLine) -> str:
    if line.live is None:
        return "NOT DECIDED LIVE"
    if line.replay is None:
        return "not decided in the backtest"
    ended = f" ({line.live.ended})" if line.live.ended and not line.live.filled else ""
    words = {"both": "both", "live only": "only live", "replay only": "MISSED LIVE", "neither": "unfilled"}
    return words[line.verdict] + ended


def _decision_price(line: GapLine) -> float | None:
    side = line.live or line.replay
    return None if side is None else side.decision_price


def _filled(side: OneSide | None) -> str:
    if side is None:
        return _NOTHING
    return f"{side.filled}/{side.quantity}" + ("" if side.price is None else f" @ {side.price:.4f}")


def _clock(side: OneSide | None, *, zone_at: Night) -> str:
    at: datetime | None = None if side is None else side.filled_at
    return _NOTHING if at is None else f"{at.astimezone(zone_of(zone_at.config.session.calendar)):%H:%M:%S}"


def _took(side: OneSide | None) -> str:
    if side is None:
        return _NOTHING
    return " / ".join(_NOTHING if value is None else f"{value:.2f}" for value in (side.accepted_s, side.filled_s))


def _price(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.4f}"


def _seconds(what: str, median: float | None, most: float | None) -> str:
    if median is None or most is None:
        return f"{what}: not known"
    return f"{what}: median {median:.2f} s, longest {most:.2f} s"


def _plan(plan: DayPlan) -> Section:
    rows = tuple(
        (each.strategy, each.symbol, f"{each.conviction:+.2f}", f"{each.quantity:+,}", _price(each.price), each.reason)
        for each in plan.targets
    )
    return Section(
        title=f"Plan for {plan.session}",
        lines=tuple(_plan_lines(plan)),
        columns=("strategy", "symbol", "conviction", "shares", "close", "reason"),
        rows=rows,
        numeric=(2, 3, 4),
    )


def _plan_lines(plan: DayPlan) -> Iterator[str]:
    yield f"as of the close of {plan.as_of}, sized at {plan.equity:,.2f}; targets are expectations, no orders"
    hashes = (("config", plan.config_hash), ("code", plan.code_hash), ("bars", plan.data_hash))
    yield "made from " + ", ".join(f"{name} {digest[:12]}" for name, digest in hashes)
    lifted = [name for name, value in plan.limits.items() if value is None]
    yield f"{len(plan.limits) - len(lifted)} limits in force; lifted: {', '.join(lifted) or 'none'}"
