"""What the experiments' tests are made of: a quick market, a study, a crew that runs in this process."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from research.experiments.bars import Bars, bars_of
from research.experiments.crew import Crew
from research.experiments.job import Job, Outcome, Work
from research.experiments.progress import Silence
from research.experiments.running import Runner
from research.experiments.space import space_of
from research.experiments.store import Store
from research.experiments.variants import Variants, variants_of
from shared.config import Config
from shared.io.bar_files import at_new_york
from shared.io.bar_store import DAY_LASTS_NS, BarPanel
from shared.sessions import session_at_or_after
from tests.backtest.builders import SMA, a_config


def days(count: int, first: date = date(2015, 1, 2)) -> list[date]:
    """So many sessions of XNYS."""
    from datetime import UTC, datetime, time

    found: list[date] = []
    at = datetime.combine(first, time(), UTC)
    while len(found) < count:
        hours = session_at_or_after("XNYS", at)
        found.append(hours.session)
        at = hours.closes_at + timedelta(hours=1)
    return found


def daily_panel(closes: Sequence[float] | np.ndarray, *symbols: str) -> BarPanel:
    """Daily bars that open at the close before; shape (days,) or (days, symbols)."""
    from datetime import time

    prices = np.asarray(closes, dtype=np.float64).reshape(len(closes), -1)
    opens = np.vstack((prices[:1], prices[:-1]))
    opened = np.array([at_new_york(day, time(9, 30)) for day in days(len(prices))], dtype=np.int64)
    return BarPanel(
        symbols=symbols or ("SPY",),
        opened_at=opened,
        closed_at=opened + DAY_LASTS_NS,
        interval_s=86_400,
        open=opens,
        high=np.maximum(opens, prices),
        low=np.minimum(opens, prices),
        close=prices,
        volume=np.full(prices.shape, 1e7),
    )


def a_walk(count: int, seed: int = 1, symbols: int = 1) -> np.ndarray:
    """A random walk of daily closes around 100."""
    steps = np.random.default_rng(seed).normal(0.0003, 0.01, (count, symbols))
    return 100.0 * np.exp(np.cumsum(steps, axis=0))


def daily_config(*symbols: str, strategy: Mapping[str, object] = SMA, warm_up: int = 0) -> Config:
    return a_config(*(symbols or ("SPY",)), strategy=strategy, interval_s=86_400, warm_up=warm_up)


def a_study(closes: np.ndarray, *written: str, config: Config | None = None) -> tuple[Variants, Bars]:
    config = config or daily_config()
    return variants_of(config, space_of(config, written=written)), bars_of(config, daily_panel(closes))


class InProcess:
    """A crew of one that runs everything here; remembers the numbers of the jobs."""

    def __init__(self) -> None:
        self.ran: list[int] = []

    def outcomes(self, work: Work, panel: BarPanel, jobs: Sequence[Job]) -> Iterator[Outcome]:
        for job in jobs:
            self.ran.append(job.number)
            yield work(panel, job)


def a_runner(store: Store, crew: Crew | None = None, **fields) -> Runner:
    return Runner(crew=crew or InProcess(), store=store, progress=Silence(), **fields)
