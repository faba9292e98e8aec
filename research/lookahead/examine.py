"""Everything that is looked at, in one list of checks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from msgspec import Struct

from research.backtest.assembly import timeline_of
from research.lookahead import ahead, batch_form, beginnings, contract, twin, watch
from research.lookahead.finding import Check, Finding
from research.lookahead.panels import between, replayed_rows, some_columns
from research.lookahead.source_scan import scan
from research.lookahead.subject import StrategySubject
from research.lookahead.target import Target
from shared.config import Config
from shared.errors import DataError
from shared.io.bar_store import BarPanel

CONTRACT_ROWS_MAX = 5_000
ROWS_MIN = 8

Progress = Callable[[str], None]
"""Called with what is looked at next."""


class Options(Struct, frozen=True, kw_only=True):
    """How hard to look: cuts on the first rows (None: the default), whether replay and other processes take part."""

    cuts: int | None = None
    chain: bool = True
    processes: bool = True
    start: date | None = None


class Report(Struct, frozen=True, kw_only=True):
    """What was examined over which rows, and every check."""

    name: str
    rows: int
    symbols: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def leaks(self) -> list[Finding]:
        return [finding for check in self.checks for finding in check.findings if finding.level == "leak"]

    @property
    def notes(self) -> list[Finding]:
        return [finding for check in self.checks for finding in check.findings if finding.level == "note"]

    @property
    def is_clean(self) -> bool:
        return not self.leaks


def examine(
    config: Config, target: Target, panel: BarPanel, options: Options, progress: Progress = lambda _: None
) -> Report:
    """Look at `target` over the rows of `panel` that a replay under `config` would show it."""
    shown = replayed_rows(panel, timeline_of(config, panel, None))
    mine = some_columns(shown, target.symbols) if target.symbols else shown
    if len(mine) < ROWS_MIN:
        raise DataError(f"lookahead: {len(mine)} rows in regular hours, allowed: at least {ROWS_MIN}")
    checks = of_subject(target, mine, options, warm_up=config.bars.warm_up, progress=progress)
    if options.chain and not target.function:
        progress("whole replay")
        checks.append(_chain(config, target, panel, options))
    return Report(name=target.name, rows=len(mine), symbols=mine.symbols, checks=tuple(checks))


def of_subject(
    target: Target, panel: BarPanel, options: Options, *, warm_up: int, progress: Progress = lambda _: None
) -> list[Check]:
    """The checks that need no configuration beyond the length of the warm-up."""
    subject = target.subject(panel.symbols)
    part = between(panel, 0, CONTRACT_ROWS_MAX)
    progress("watched run")  # the first of all runs: the only one that cannot know what an earlier one has seen
    watched, first = watch.opens_nothing(subject, part)
    checks = [
        scan(subject.source),
        watched,
        contract.same_twice(subject, part, first),
        contract.runs_at_all(subject, part),
    ]
    progress("future")
    checks += ahead.look_ahead(subject, panel, cuts=options.cuts, warm_up=warm_up)
    progress("start")
    checks.append(beginnings.shifted_start(subject, panel, warm_up=warm_up, periods=target.periods))
    checks.append(beginnings.longer_warm_up(subject, panel, warm_up=warm_up, periods=target.periods))
    progress("contract")
    if isinstance(subject, StrategySubject):
        checks += [
            contract.sealed_rows(subject, part),
            contract.kept_rows(subject, part),
            contract.restart(subject, part),
            batch_form.equals_stream(subject, part),
        ]
    if options.processes:
        progress("other process")
        checks.append(twin.other_processes(target, part))
    return checks


def _chain(config: Config, target: Target, panel: BarPanel, options: Options) -> Check:
    from research.lookahead import chain  # backtrader is slow to import, and a feature needs none

    mine = [one for one in config.strategies if one.name == target.name]
    if not mine:
        return Check(name="whole replay", did="it is not in the configuration")
    chosen = mine[0].model_copy(update={"params": target.params})
    alone = config.model_copy(update={"strategies": (chosen,)}).based_at(config.base_dir)
    return chain.whole_replay(alone, panel, start=options.start)
