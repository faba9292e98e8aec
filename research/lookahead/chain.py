"""The whole replay before another future: what engine and broker did up to a cut is what they do without it."""

from __future__ import annotations

from datetime import date, datetime

from research.backtest.moments import instant
from research.backtest.result import ReplayResult
from research.backtest.run import run_replay
from research.lookahead.finding import Check, Finding
from research.lookahead.panels import FUTURES, Future
from shared.config import Config
from shared.io.bar_store import BarPanel

CUTS = 3
ROWS_MAX = 4_000


def whole_replay(config: Config, panel: BarPanel, *, start: date | None = None) -> Check:
    """Decision log and fill log up to each cut, byte for byte, for every kind of future."""
    name = "whole replay"
    did = "logs up to every cut, byte for byte"
    rows = min(len(panel), ROWS_MAX)
    shown = FUTURES["truncated future"](panel, rows)
    real = run_replay(config, shown, start=start)
    first = _first_row(shown, real)
    cuts = [first + (rows - first) * part // (CUTS + 1) for part in range(1, CUTS + 1)]
    findings: list[Finding] = []
    compared = 0
    for kind, future in FUTURES.items():
        for cut in cuts:
            compared += cut - first
            difference = _difference(config, shown, (real, start), (cut, future))
            if difference is not None:
                findings.append(Finding(check=name, what=f"{kind} from row {cut} on: {difference}"))
                break
    return Check(name=name, did=did, compared=compared, findings=tuple(findings))


def _difference(
    config: Config, panel: BarPanel, ran: tuple[ReplayResult, date | None], tried: tuple[int, Future]
) -> str | None:
    (real, start), (cut, future) = ran, tried
    other = run_replay(config, future(panel, cut), start=start)
    until = instant(int(panel.closed_at[cut - 1]))
    for kind, lines in {"decision": _decisions, "fill": _fills}.items():
        mine, its = lines(real, until), lines(other, until)
        if mine != its:
            at = next((i for i, pair in enumerate(zip(mine, its, strict=False)) if pair[0] != pair[1]), None)
            at = min(len(mine), len(its)) if at is None else at
            return f"{kind} {at + 1} is {_line(mine, at)}, but {_line(its, at)}"
    return None


def _decisions(result: ReplayResult, until: datetime) -> list[bytes]:
    decided = zip(result.decisions, result.decision_lines(), strict=True)
    return [line for entry, line in decided if entry.decided_at <= until]


def _fills(result: ReplayResult, until: datetime) -> list[bytes]:
    filled = zip(result.fills, result.fill_lines(), strict=True)
    return [line for entry, line in filled if entry.fill.filled_at <= until]


def _first_row(panel: BarPanel, result: ReplayResult) -> int:
    first = int(result.curve.closed_at[0].timestamp() * 1e9)
    return int((panel.closed_at < first).sum())


def _line(lines: list[bytes], at: int) -> str:
    return lines[at].decode() if at < len(lines) else "nothing"
