"""A report as a table for people and as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from research.ingest.quality.finding import KINDS
from research.ingest.quality.verify import Report
from shared.io.bar_part import shown

if TYPE_CHECKING:
    from rich.table import Table

SCHEMA = "openbell.data-verify/1"


def as_table(report: Report) -> Table:
    """One line per kind that was found, the wrong ones first."""
    from rich.table import Table

    table = Table(title=f"{report.name}: {len(report.symbols)} symbols, {report.rows:,} rows, {_span(report)}")
    table.add_column("")
    table.add_column("found")
    table.add_column("bars", justify="right")
    table.add_column("symbols", justify="right")
    table.add_column("what it is")
    table.add_column("repair")
    counts = report.counts
    for kind in sorted(counts, key=lambda name: KINDS[name].severity, reverse=True):
        about = KINDS[kind]
        symbols = {finding.symbol for finding in report.findings if finding.kind == kind}
        table.add_row(about.severity, kind, f"{counts[kind]:,}", f"{len(symbols):,}", about.meaning, about.repair)
    return table


def lines(report: Report, most: int) -> list[str]:
    """The findings, the wrong ones first, and how many are not shown."""
    ordered = sorted(report.findings, key=lambda finding: not finding.is_wrong)
    more = [f"and {len(ordered) - most} more findings (--limit)"] if len(ordered) > most else []
    return [finding.line for finding in ordered[:most]] + more


def verdict(report: Report) -> str:
    """The last line."""
    wrong = sum(finding.count for finding in report.findings if finding.is_wrong)
    doubtful = sum(report.counts.values()) - wrong
    if report.is_sound:
        return f"{report.name}: nothing wrong" + (f", {doubtful:,} doubtful" if doubtful else "")
    return f"{report.name}: {wrong:,} wrong, {doubtful:,} doubtful"


def facts(report: Report, most: int) -> dict[str, Any]:
    """What --json prints of a report."""
    ordered = sorted(report.findings, key=lambda finding: not finding.is_wrong)
    return {
        "name": report.name,
        "symbols": len(report.symbols),
        "rows": report.rows,
        "interval_s": report.interval_s,
        "first_at": shown(report.first_at),
        "last_at": shown(report.last_at),
        "sound": report.is_sound,
        "counts": report.counts,
        "findings": [
            {
                **msgspec.to_builtins(each),
                "at": shown(each.at),
                "severity": KINDS[each.kind].severity,
                "repair": KINDS[each.kind].repair,
            }
            for each in ordered[:most]
        ],
        "not_shown": max(0, len(ordered) - most),
    }


def _span(report: Report) -> str:
    return f"{shown(report.first_at)[:10]} to {shown(report.last_at)[:10]}"
