"""From [replay] and its tables to a replay: paths, faults, and every line where it belongs."""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from research.backtest.cost_lines import cost_lines
from research.backtest.cost_model import load_benchmark
from research.backtest.run import RunOptions, run_replay
from shared.errors import DataError
from tests.backtest.builders import a_config
from tests.backtest.random_markets import SYMBOLS, Weather, a_random_panel
from tests.costs.builders import a_daily_panel, a_table

FIRST = date(2014, 1, 6)
BOTH_WAYS = {"kind": "sma_cross", "params": {"fast": 3, "slow": 8, "long_only": False}}


def a_market(days=80):
    at = np.arange(days)
    return a_daily_panel(200 + 40 * np.sin(at / 5.0), first=FIRST, spread=1.5)


def config_with(**replay):
    config = a_config("SPY", strategy=BOTH_WAYS, interval_s=86_400, warm_up=10)
    return config.model_copy(update={"replay": config.replay.model_copy(update=replay)})


def lines_of(result):
    return {line.name: line.amount for line in cost_lines(result)}


def test_slippage_falls_into_its_three_parts():
    plain = lines_of(run_replay(config_with(slippage_bps=1.0), a_market()))
    parts = lines_of(run_replay(config_with(slippage_bps=1.0, spread_share=0.5, impact=1.0), a_market()))
    assert plain["slippage_fixed"] < 0
    assert (plain["slippage_spread"], plain["slippage_impact"]) == (0.0, 0.0)
    assert parts["slippage_fixed"] == pytest.approx(plain["slippage_fixed"], rel=0.05)
    assert parts["slippage_spread"] < 0
    assert parts["slippage_impact"] < 0


def test_shorts_pay_the_fee_of_their_symbol(tmp_path):
    table = tmp_path / "borrow.csv"
    table.write_text("symbol,borrow_bps\nSPY,900\n")
    usual = lines_of(run_replay(config_with(), a_market()))["borrow_fee"]
    dear = lines_of(run_replay(config_with(borrow=str(table)), a_market()))["borrow_fee"]
    assert usual < 0
    assert dear == pytest.approx(usual * 900 / 50, rel=0.02)


def test_free_cash_earns_the_benchmark_less_the_spread(tmp_path):
    table = tmp_path / "rates.csv"
    table.write_text("date,rate_pct\n2014-01-02,3.5\n2014-01-03,\n")
    result = run_replay(config_with(rates=str(table), commission="none"), a_market(2))
    assert [flow.amount for flow in result.cash_flows] == pytest.approx([1e6 * 0.03 / 360])


@pytest.mark.parametrize(
    ("key", "text", "named"),
    [
        ("actions", "symbol,ex_date,dividend_amount,split_coefficient\nSPY,2014-01-07,x,1\n", "dividend_amount 'x'"),
        ("rates", "date,rate_pct\n2014-01-07,cheap\n", "rate_pct 'cheap'"),
        ("rates", "date,rate_pct\n", "no rate in it"),
        ("borrow", "symbol,borrow_bps\nSPY,-3\n", "borrow_bps '-3'"),
        ("spreads", "symbol,date,spread_bps\nSPY,,3\n", "date ''"),
    ],
)
def test_a_fault_of_a_table_ends_the_replay_in_one_line(tmp_path, key, text, named):
    table = tmp_path / "table.csv"
    table.write_text(text)
    with pytest.raises(DataError, match=r"table\.csv: ") as refused:
        run_replay(config_with(spread_share=0.5, **{key: str(table)}), a_market(20))
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_of_a_table_was_not_believed_stands_in_the_result(tmp_path):
    table = a_table(tmp_path, "SPY,2014-01-14,0,1.09")
    result = run_replay(config_with(actions=str(table)), a_daily_panel([100.0] * 20, first=FIRST))
    (note,) = result.notes
    seen = "SPY 2014-01-14: split_coefficient 1.09, but 100 opened 100"
    assert note == f"{table}: line 2: {seen}: left out, the bars do not show it"


def test_the_documentation_names_every_line_and_no_other():
    page = (Path(__file__).parents[2] / "docs/backtesting.md").read_text().split("## Costs")[1].split("## ")[0]
    cells = re.findall(r"^\| ([a-z_, ]+) \|", page, re.MULTILINE)
    named = [name for cell in cells for name in cell.split(", ") if name != "line"]
    assert named == list(lines_of(run_replay(config_with(), a_market(12))))


def test_a_table_that_is_not_there_is_named_with_its_path():
    with pytest.raises(DataError, match=r"actions\.csv: no such file"):
        run_replay(config_with(actions="actions.csv"), a_market(20))


def test_a_table_may_be_parquet(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    file = tmp_path / "rates.parquet"
    parquet.write_table(pa.table({"date": [date(2014, 1, 2)], "rate_pct": [2.5]}), file)
    assert load_benchmark(file) == ((date(2014, 1, 2), 2.5),)


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ("SPY,2014-01-27,0.9,1",),
        ("SPY,2014-01-27,0.9,2", "SPY,2014-02-24,0,1.5"),
    ],
)
def test_a_sparse_replay_with_all_costs_is_the_dense_one_byte_for_byte(tmp_path, rows):
    panel = a_market()
    for row in rows:
        ex_date, coefficient = date.fromisoformat(row.split(",")[1]), float(row.split(",")[3])
        since = (ex_date - FIRST).days // 7 * 5 + ex_date.weekday()
        for prices in (panel.open, panel.high, panel.low, panel.close):
            prices[since:] /= coefficient
    table = a_table(tmp_path, *rows)
    config = config_with(commission="ib_tiered", spread_share=0.5, impact=1.0, actions=str(table), credit_rate_pct=1.0)
    sparse, dense = (run_replay(config, panel, options=RunOptions(sparse=sparse)) for sparse in (True, False))
    assert sparse.fills
    assert sparse.cash_flows == dense.cash_flows
    assert sparse.decision_lines() == dense.decision_lines()
    assert sparse.fill_lines() == dense.fill_lines()
    assert sparse.curve.net_liquidation.tobytes() == dense.curve.net_liquidation.tobytes()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_minutes_that_are_slept_through_cost_the_same_as_minutes_that_are_looked_at(tmp_path, seed):
    """Positions stay overnight, so that quiet rows lie between nights that charge and pay."""
    panel = a_random_panel(Weather(seed=seed, still=0.5, missing=0.05), rows=1_000)
    table = a_table(tmp_path, *(f"{symbol},2013-10-{day:02d},0.1,1" for symbol in SYMBOLS for day in range(1, 20)))
    strategy = {"kind": "sma_cross", "params": {"fast": 20, "slow": 60, "long_only": False}}
    config = a_config(*SYMBOLS, strategy=strategy)
    costs = {"commission": "ib_tiered", "spread_share": 0.5, "impact": 1.0, "actions": str(table)}
    config = config.model_copy(
        update={
            "replay": config.replay.model_copy(update={**costs, "credit_rate_pct": 1.0}),
            "session": config.session.model_copy(update={"flatten_before_close_s": 0}),
        }
    )
    sparse, dense = (run_replay(config, panel, options=RunOptions(sparse=sparse)) for sparse in (True, False))
    assert {flow.kind for flow in sparse.cash_flows} >= {"dividend", "credit_interest", "borrow_fee"}
    assert sparse.cash_flows == dense.cash_flows
    assert sparse.decision_lines() == dense.decision_lines()
    assert sparse.fill_lines() == dense.fill_lines()
    assert sparse.curve.net_liquidation.tobytes() == dense.curve.net_liquidation.tobytes()
