import numpy as np
import pytest

from research.measures.ledger import TrialCount
from research.measures.measured import measured
from research.tear_sheet.benchmark import Benchmark
from research.tear_sheet.caveats import caveats_of
from tests.backtest.builders import SMA, a_config
from tests.measures.builders import a_daily_curve, a_daily_panel, a_result, a_round_trip
from tests.tear_sheet.builders import DAY_S, a_wave

DAYS = 500


def the_caveats(
    *, days=DAYS, closes=None, symbols=("SPY",), trips=40, trials=None, gross=None, benchmark=None, **replay
):
    fills = [fill for number in range(trips) for fill in a_round_trip(1.0, session=2 * number)]
    result = a_result(a_daily_curve(*a_wave(days), gross=gross), fills, symbols=symbols)
    config = a_config(*symbols, strategy=SMA, interval_s=DAY_S)
    config = config.model_copy(update={"replay": config.replay.model_copy(update=replay)})
    panel = a_daily_panel(a_wave(days) if closes is None else closes, symbols=symbols)
    count = trials and TrialCount(strategy="sma_cross", dataset="d", trials=trials, sharpe_variance=1.0)
    return " ".join(caveats_of(result, config, panel, measures=measured(result, trials=count), benchmark=benchmark))


@pytest.mark.parametrize(
    ("said", "case"),
    [
        ("100 sessions are less than a year", {"days": 100}),
        ("29 round trips are too few", {"trips": 29}),
        ("200 configurations were tried", {"trials": 200}),
        ("no dividend is paid", {}),
        ("1 opens look like splits (SPY 2013-10-09)", {"closes": [100, 100, 50, *[50] * (DAYS - 3)]}),
        ("No commission is charged", {"commission": "none"}),
        ("sleep through the entry bar", {"intrabar": "skip_entry_bar"}),
        ("Positions of 50 are open at the end", {"gross": [50.0] * DAYS}),
        ("There is no benchmark", {}),
        ("has no return on 20 of 500", {"benchmark": Benchmark(name="I", returns=np.r_[[np.nan] * 20, np.zeros(480)])}),
        ("All 2 symbols still trade", {"symbols": ("SPY", "IBM"), "closes": np.full((DAYS, 2), 10.0)}),
    ],
)
def test_a_weakness_is_said(said, case):
    assert said in the_caveats(**case)


@pytest.mark.parametrize(
    ("unsaid", "case"),
    [
        ("less than a year", {}),
        ("too few", {}),
        ("were tried", {"trials": 1}),
        ("look like splits", {"closes": [100, 100, 80, *[80] * (DAYS - 3)]}),
        ("dividend", {"actions": "actions.csv"}),
        ("still trade", {"symbols": ("SPY", "IBM"), "closes": [[10, 10]] * 400 + [[10, np.nan]] * 100}),
        ("still trade", {"days": 200, "symbols": ("SPY", "IBM"), "closes": np.full((200, 2), 10.0)}),
        ("open at the end", {}),
        ("benchmark", {"benchmark": Benchmark(name="I", returns=np.zeros(DAYS))}),
    ],
)
def test_what_is_no_weakness_is_not_said(unsaid, case):
    assert unsaid not in the_caveats(**case)
