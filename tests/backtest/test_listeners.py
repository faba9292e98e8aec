"""backtrader's analyzers and observers on our replay hear what they hear in plain backtrader."""

import backtrader as bt
import pytest
from msgspec.structs import replace

from bench.panels import minute_panel
from bench.plain_backtrader import SmaCrossWithBrackets, frames_of
from bench.replay_case import CASE, config_of
from research.backtest.run import RunOptions, run_replay


class Listener(bt.Analyzer):
    """A user's own: writes down everything it is told."""

    def start(self):
        self.told = []

    def next(self):
        self.told.append(("bar", len(self), self.strategy.datetime.datetime(0), self.data.close[0]))

    def notify_cashvalue(self, cash, value):
        self.told.append(("cash", cash, value))

    def notify_fund(self, cash, value, fundvalue, shares):
        self.told.append(("fund", cash, value, fundvalue, shares))

    def notify_order(self, order):
        executed = order.executed
        self.told.append(
            ("order", order.data._name, order.getstatusname(), order.ordtypename(), executed.size, executed.price)
        )

    def notify_trade(self, trade):
        self.told.append(("trade", trade.data._name, trade.isclosed, trade.size, trade.price, trade.pnl, trade.pnlcomm))

    def of_kind(self, kind):
        return [entry for entry in self.told if entry[0] == kind]


ATTACHED = (
    Listener,
    (bt.analyzers.TimeReturn, {"timeframe": bt.TimeFrame.Days}),
    (bt.analyzers.SharpeRatio, {"timeframe": bt.TimeFrame.Days, "riskfreerate": 0.0}),
    bt.analyzers.DrawDown,
    bt.analyzers.TradeAnalyzer,
    bt.analyzers.Transactions,
    bt.analyzers.PositionsValue,
    bt.analyzers.PyFolio,
)
NAMES = ("listener", "time_return", "sharpe", "drawdown", "trades", "transactions", "positions", "pyfolio")


@pytest.fixture(scope="module")
def panel():
    return minute_panel(symbols=3, bars=900)


@pytest.fixture(scope="module")
def ours(panel):
    result = run_replay(config_of(CASE, panel.symbols), panel, options=RunOptions(analyzers=ATTACHED))
    return dict(zip(NAMES, result.analyzers, strict=True))


@pytest.fixture(scope="module")
def plain(panel):
    cerebro = bt.Cerebro(stdstats=False)
    for symbol, frame in frames_of(panel).items():
        feed = bt.feeds.PandasData(dataname=frame, timeframe=bt.TimeFrame.Minutes, compression=1)
        cerebro.adddata(feed, name=symbol)
    cerebro.addstrategy(SmaCrossWithBrackets)
    cerebro.broker.setcash(CASE.starting_cash)
    for attached in ATTACHED:
        kind, params = attached if isinstance(attached, tuple) else (attached, {})
        cerebro.addanalyzer(kind, **params)
    (strategy,) = cerebro.run()
    return dict(zip(NAMES, strategy.analyzers, strict=True))


def numbers(tree):
    """Every leaf of an analysis in order, its keys included."""
    if isinstance(tree, dict):
        return [leaf for key, branch in tree.items() for leaf in (key, *numbers(branch))]
    if isinstance(tree, (list, tuple)):
        return [leaf for branch in tree for leaf in numbers(branch)]
    return [tree]


@pytest.mark.parametrize("name", NAMES[1:])
def test_an_analyzer_of_backtrader_says_the_same_as_in_plain_backtrader(ours, plain, name):
    expected = numbers(plain[name].get_analysis())
    assert len(expected) >= 1
    assert numbers(ours[name].get_analysis()) == [
        pytest.approx(leaf, rel=1e-9, abs=1e-6) if isinstance(leaf, float) else leaf for leaf in expected
    ]


def about(entries):
    """The same with figures that may differ in the last places."""
    return [
        [pytest.approx(leaf, rel=1e-9, abs=1e-6) if isinstance(leaf, float) else leaf for leaf in entry]
        for entry in entries
    ]


@pytest.mark.parametrize("kind", ["bar", "cash", "fund"])
def test_a_users_own_analyzer_is_told_the_same_of_every_bar(ours, plain, kind):
    expected = plain["listener"].of_kind(kind)
    assert len(expected) == 900
    assert [list(entry) for entry in ours["listener"].of_kind(kind)] == about(expected)


def test_a_users_own_analyzer_is_told_of_the_same_trades(ours, plain):
    # Of one bar ours fills instrument by instrument, backtrader order by order.
    expected = sorted(plain["listener"].of_kind("trade"), key=lambda trade: trade[1])
    told = sorted(ours["listener"].of_kind("trade"), key=lambda trade: trade[1])
    assert len(expected) > 100
    assert [list(entry) for entry in told] == about(expected)


def test_a_users_own_analyzer_is_told_of_the_same_executions(ours, plain):
    def executions(listener):
        done = [entry for entry in listener.of_kind("order") if entry[2] in {"Partial", "Completed"}]
        return [list(entry) for entry in sorted(done, key=lambda entry: entry[1])]

    expected = executions(plain["listener"])
    assert len(expected) > 100
    assert executions(ours["listener"]) == about(expected)


def test_an_order_is_submitted_accepted_and_then_filled_or_cancelled(ours):
    statuses = [entry[2] for entry in ours["listener"].of_kind("order")]
    born, accepted = statuses.count("Submitted"), statuses.count("Accepted")
    assert born == accepted > 0
    assert statuses.count("Completed") + statuses.count("Canceled") <= born
    assert statuses.count("Canceled") > 0


def test_listeners_change_nothing_of_what_is_decided_filled_and_worth(panel):
    config = config_of(CASE, panel.symbols)
    alone = run_replay(config, panel)
    observers = (bt.observers.Broker, bt.observers.DrawDown)
    heard = run_replay(config, panel, options=RunOptions(analyzers=ATTACHED, observers=observers))
    assert heard.decision_lines() == alone.decision_lines()
    assert heard.fill_lines() == alone.fill_lines()
    assert heard.curve.net_liquidation.tobytes() == alone.curve.net_liquidation.tobytes()


def test_an_observer_of_backtrader_draws_the_curve_of_the_replay(panel):
    options = RunOptions(observers=(bt.observers.Value,))
    result = run_replay(config_of(CASE, panel.symbols), panel, options=options)
    (value,) = result.observers
    assert list(value.lines.value.array)[: len(panel)] == result.curve.net_liquidation.tolist()


def test_an_instrument_that_prints_nothing_stands_on_its_last_bar(panel):
    gone = panel.close.copy()
    gone[100:110, 0] = float("nan")
    holes = replace(panel, close=gone)
    result = run_replay(config_of(CASE, panel.symbols), holes, options=RunOptions(analyzers=(Listener,)))
    closes = [entry[3] for entry in result.analyzers[0].of_kind("bar")]
    assert closes[99:111] == [panel.close[99, 0]] * 11 + [panel.close[110, 0]]
