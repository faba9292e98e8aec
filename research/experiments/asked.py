"""From the options of a command to everything it needs: configuration, bars, variants, all judged before a replay."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from research.experiments.axes import WrongUsage
from research.experiments.bars import Bars, bars_of
from research.experiments.drawn_market import DrawnMarket
from research.experiments.figures import MEASURES
from research.experiments.space import seeds_of, space_of, with_seeds
from research.experiments.variants import Variants, variants_of
from shared.config import Config, load_config
from shared.errors import NotFound, OpenbellError
from shared.io.bar_store import load_bars

COST_BPS_MAX = 1_000.0
MARKETS_MAX = 10_000


class SomeFailed(OpenbellError):  # noqa: N818 - as its neighbours in shared/errors.py
    """Some replays failed; the rest is done and kept."""


class Interrupted(OpenbellError):  # noqa: N818 - no error, an end
    """Ctrl-C; what is done is kept."""


class Question(Struct, frozen=True, kw_only=True):
    """The options as they were given."""

    command: str
    config: Path
    data: Path | None
    written: tuple[str, ...] = ()
    space: Path | None = None
    draws: int | None = None
    seed: int | None = None
    seeds: str | None = None
    markets: int = 0
    market_seed: int = 7
    block_sessions: float = 20.0
    first: date | None = None
    last: date | None = None
    measure: str = "sharpe"
    workers: int | None = None
    out: Path | None = None
    drop_bad_bars: bool = False
    cost_bps: float | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """What the question comes to."""

    question: Question
    config: Config
    bars: Bars
    variants: Variants

    @property
    def markets(self) -> list[DrawnMarket]:
        """The markets that are to be drawn."""
        asked = self.question
        seeds = range(asked.market_seed, asked.market_seed + asked.markets)
        return [DrawnMarket(seed=seed, block_sessions=asked.block_sessions) for seed in seeds]


def asked_of(question: Question) -> Asked:
    """Read and judge everything.

    Raises ConfigError, DataError, NotFound or WrongUsage, each with one clear line.
    """
    if question.measure not in MEASURES:
        raise WrongUsage(f"--by {question.measure!r}, allowed: {', '.join(MEASURES)}")
    if question.first is not None and question.last is not None and question.first > question.last:
        raise WrongUsage(f"--from {question.first} is after --to {question.last}, allowed: the same day or before")
    config = _with_options(load_config(question.config), question)
    if question.data is None:
        raise WrongUsage(
            "--data is missing, give a .parquet or .csv file of bars or a folder of them "
            "(columns symbol, ts or date, open, high, low, close, volume)"
        )
    if not question.data.exists():
        raise NotFound(f"--data {question.data}: no such file or folder, allowed: .parquet or .csv")
    space = space_of(config, written=question.written, file=question.space, draws=question.draws, seed=question.seed)
    if question.seeds is not None:
        space = with_seeds(space, config, seeds_of(question.seeds))
    if question.markets:
        _judge_markets(question, config)
        space = replace(space, may_be_one=True)
    variants = variants_of(config, space)
    panel = load_bars(
        question.data, symbols=config.universe.symbols, end=question.last, drop_bad_bars=question.drop_bad_bars
    )
    bars = bars_of(config, panel)
    return Asked(question=question, config=config, bars=bars, variants=variants)


def _judge_markets(question: Question, config: Config) -> None:
    if not 1 <= question.markets <= MARKETS_MAX:
        raise WrongUsage(f"--markets {question.markets}, allowed: 1 to {MARKETS_MAX:,}")
    if question.market_seed < 0:
        raise WrongUsage(f"--market-seed {question.market_seed}, allowed: a whole number from 0")
    if not (math.isfinite(question.block_sessions) and question.block_sessions >= 1):
        raise WrongUsage(f"--block-sessions {question.block_sessions:g}, allowed: from 1 on")
    if question.seeds is not None:
        raise WrongUsage("--markets and --seeds, allowed: one of them at a time")
    if config.replay_actions:
        raise WrongUsage("--markets: drawn sessions have no ex-dates, allowed: adjusted bars without [replay] actions")


def _with_options(config: Config, question: Question) -> Config:
    """What an option says instead of the file."""
    if question.workers is not None:
        if not 1 <= question.workers <= 1_024:  # noqa: PLR2004 - as [cluster] workers
            raise WrongUsage(f"--workers {question.workers}, allowed: 1 to 1024")
        cluster = config.cluster.model_copy(update={"workers": question.workers})
        config = _changed(config, "cluster", cluster)
    if question.cost_bps is not None:
        if not (math.isfinite(question.cost_bps) and 0 <= question.cost_bps <= COST_BPS_MAX):
            raise WrongUsage(f"--cost-bps {question.cost_bps:g}, allowed: 0 to {COST_BPS_MAX:g}")
        assumed = config.replay.model_copy(update={"slippage_bps": question.cost_bps})
        config = _changed(config, "replay", assumed)
    return config


def _changed(config: Config, section: str, value: object) -> Config:
    return config.model_copy(update={section: value}).based_at(config.base_dir)
