"""A day with a split, replayed and lived: the daemon tells its engine at midnight what a replay tells at the open.

Live, the prices are told before the broker shows the new shares and a person accepts them; in a replay after. The
commands are the same bytes, but for the notice that the shares wait, and the timer of a stop that is not to be placed.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from daemon.engine.assembly import build_engine
from daemon.runtime.action_keeper import ActionKeeper
from daemon.runtime.clock import MarketClock
from daemon.runtime.inbox import Inbox
from daemon.runtime.notices import Notices
from research.backtest.assembly import build_driver, timeline_of
from research.backtest.bar_drive import drive_bars
from shared.commands import Command, Notify, PlaceBracket, ReplaceStop, SetTimer
from shared.events import Event, PricesRescaled
from shared.messages import encode
from tests.backtest.builders import a_config
from tests.costs.builders import a_daily_panel, a_table, weekdays
from tests.nightly.builders import ToldTime

CLOSES = [
    100.0,
    98.0,
    96.0,
    97.0,
    99.0,
    102.0,
    104.0,
    106.0,
    108.0,
    109.0,
    108.0,
    105.0,
    101.0,
    97.0,
    95.0,
    99.0,
    104.0,
]
SPLIT_ROW = 9
SMA = {
    "kind": "sma_cross",
    "params": {"fast": 2, "slow": 4},
    "exits": {"method": "percent", "stop_pct": 4.0, "target_pct": 0.0},
}
ATR = {
    **SMA,
    "sizing": {"method": "atr", "risk_fraction": 0.01, "atr_period": 3, "atr_multiple": 2.0},
    "exits": {"method": "atr", "atr_period": 3, "stop_atr": 3.0, "target_atr": 0.0, "trail_atr": 3.0},
}


def a_split_market(folder, ratio, strategy):
    """Days on which the shares are held over a split of so many for one, and its table."""
    prices = [close / ratio if row >= SPLIT_ROW else close for row, close in enumerate(CLOSES)]
    ex_date = weekdays(len(CLOSES))[SPLIT_ROW]
    a_table(folder, f"SPY,{ex_date},0,{ratio}")
    config = a_config("SPY", strategy=strategy, interval_s=86_400, warm_up=0).based_at(folder)
    bars = config.bars.model_copy(update={"actions": "actions.csv"})
    panel = a_daily_panel(prices, opens=prices, spread=prices[-1] / 200)
    return config.model_copy(update={"bars": bars}).based_at(folder), panel


def replayed(config, panel):
    """Every event of the replay, each with the commands it led to."""
    timeline = timeline_of(config, panel)
    driver = build_driver(config, panel, timeline, sparse=False)
    story: list[tuple[Event, list[Command]]] = []

    def decided(command):
        story[-1][1].append(command)

    def happened(event):
        story.append((event, []))

    driver.listen(decided, happened)
    drive_bars(driver, timeline)
    return story


class Lived:
    """The same events without what was said of prices: that is told by the daemon's keeper, at midnight."""

    def __init__(self, config, *, is_told=True):
        self.engine, self.inbox = build_engine(config), Inbox(100)
        self.wall = ToldTime()
        clock = MarketClock(may_follow=False, monotonic=lambda: 0.0, wall=self.wall)
        self.keeper = ActionKeeper(config, clock, self.inbox, Notices(), lambda: self.engine.book)
        self.told = []
        self._is_told = is_told

    def handle(self, event):
        if self._is_told:
            self.look(event.received_at)
        return self.engine.handle(event)

    def look(self, before):
        """What a look at the first minute of that day tells, if that comes before the next event."""
        day = before.astimezone(ZoneInfo("America/New_York")).date()
        self.wall.now = datetime(day.year, day.month, day.day, 0, 1, tzinfo=ZoneInfo("America/New_York"))
        self.keeper.look()
        while (event := self.inbox.take_waiting()) is not None:
            assert event.received_at <= before - timedelta(hours=1)
            self.told += [event, *self.engine.handle(event)]


def said(commands):
    """All but what wall time is for: none passes in a replay."""
    return [encode(one) for one in commands if not (isinstance(one, SetTimer) and one.clock == "wall")]


@pytest.mark.parametrize("ratio", [2, 7, 0.1])
@pytest.mark.parametrize("strategy", [SMA, ATR], ids=["percent", "atr"])
def test_a_day_with_a_split_gives_the_same_commands_live_and_replayed(tmp_path, ratio, strategy):
    config, panel = a_split_market(tmp_path, ratio, strategy)
    story, lived = replayed(config, panel), Lived(config)
    told_in_replay = [event for event, _ in story if isinstance(event, PricesRescaled)]
    for event, commands in story:
        if not isinstance(event, PricesRescaled):
            assert said(lived.handle(event)) == said(commands)
    assert [(event.symbol, event.ratio, event.ex_date) for event in told_in_replay] == [
        (event.symbol, event.ratio, event.ex_date) for event in lived.told if isinstance(event, PricesRescaled)
    ]
    assert [one.code for one in lived.told if isinstance(one, Notify)] == ["split_due"]
    commanded = [command for _, commands in story for command in commands]
    assert sum(isinstance(command, PlaceBracket) for command in commanded) >= 2
    assert any(isinstance(command, ReplaceStop) for command in commanded)


def test_without_the_table_the_strategy_takes_the_split_for_a_crash(tmp_path):
    config, panel = a_split_market(tmp_path, 2, SMA)
    story, lived = replayed(config, panel), Lived(config, is_told=False)
    differs = [
        event
        for event, commands in story
        if not isinstance(event, PricesRescaled) and said(lived.handle(event)) != said(commands)
    ]
    assert differs != []
