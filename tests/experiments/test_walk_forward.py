"""What is chosen knows nothing of what follows; what is traded is one path over all windows."""

import numpy as np
import pytest

from research.backtest.run import run_replay
from research.experiments.axes import WrongUsage
from research.experiments.bars import bars_of
from research.experiments.store import opened
from research.experiments.walk_forward import edges_for, walk_forward
from research.experiments.windows import Walk, windows_of
from research.measures.equity import daily_returns
from tests.experiments.builders import InProcess, a_runner, a_study, a_walk, daily_config, daily_panel, days

SIDE = """
from strategies.base import Strategy

class Side(Strategy):
    def __init__(self, universe, *, side: int) -> None:
        super().__init__(universe)
        self.side = float(side)

    def on_row(self, row, closed_at, /):
        return [self.signal(0, self.side, "always")]
"""
# What a model that was fitted on labels five days ahead remembers of the days behind its train window.
MEMORY = """
from pathlib import Path
from strategies.base import Strategy

class Memory(Strategy):
    def __init__(self, universe, *, fitted: bool) -> None:
        super().__init__(universe)
        self.rises = Path(__file__).with_name("remembered.txt").read_text().split() if fitted else []

    def on_row(self, row, closed_at, /):
        day = closed_at.date().isoformat()
        is_held = not any(line.startswith(day) for line in self.rises) or f"{day}+" in self.rises
        return [self.signal(0, float(is_held), "remembered or held")]
"""
LABEL_DAYS = 5


def walked(tmp_path, study, walk, *, edges=None, cost_bps=0.0, crew=None, name="study"):
    variants, bars = study
    with opened(tmp_path / name) as store:
        return walk_forward(
            variants,
            windows_of(bars.sessions, walk),
            bars,
            runner=a_runner(store, crew),
            measure="sharpe",
            edges=edges_for(variants, edges),
            cost_bps=cost_bps,
        )


def with_file(tmp_path, name, source, params):
    (tmp_path / name).write_text(source)
    return daily_config(strategy={"kind": name, "params": params}).based_at(tmp_path)


def figures_up_to(result, window):
    return [(row.parameters, row.outcome.figures) for row in result.trained if row.beside["window"] <= window]


def test_no_choice_depends_on_anything_behind_its_train_window(tmp_path):
    closes, walk = a_walk(80), Walk(train=40, trade=10, embargo=2)
    other = closes.copy()
    other[60:] = closes[60:][::-1] * 1.3  # the train window of number 2 ends with day 59
    one = walked(tmp_path, a_study(closes, "one.fast=3,5", "one.slow=8,12"), walk, name="one")
    two = walked(tmp_path, a_study(other, "one.fast=3,5", "one.slow=8,12"), walk, name="two")
    assert figures_up_to(one, 2) == figures_up_to(two, 2)
    assert figures_up_to(one, 3) != figures_up_to(two, 3)
    assert [w.chosen.parameters for w in one.windows[:3]] == [w.chosen.parameters for w in two.windows[:3]]


def test_a_setting_that_is_good_only_behind_the_train_window_is_not_chosen(tmp_path):
    falls, rises = np.linspace(100.0, 70.0, 40), np.linspace(70.7, 85.0, 10)
    config = with_file(tmp_path, "side.py", SIDE, {"side": 1})
    study = a_study(np.concatenate((falls, rises)), "one.side=1,-1", config=config)
    (window,) = walked(tmp_path, study, Walk(train=40, trade=10)).windows
    assert window.chosen.parameters == {"one.side": -1}
    assert window.return_pct < 0 < window.in_sample.figure("sharpe")


def remembered(tmp_path, panel, last):
    """The directions that a model knows whose labels reach so far."""
    close = panel.close[:, 0]
    days = bars_of(daily_config(), panel).sessions
    lines = [f"{days[at].isoformat()}{'+' if close[at + 1] > close[at] else '-'}" for at in range(last)]
    (tmp_path / "remembered.txt").write_text("\n".join(lines))


def traded(tmp_path, embargo, *written):
    """One window: 40 sessions to train, then five; the model's labels reach five sessions behind the 40th."""
    closes = a_walk(40 + embargo + LABEL_DAYS, seed=3)
    remembered(tmp_path, daily_panel(closes), last=39 + LABEL_DAYS)
    config = with_file(tmp_path, "memory.py", MEMORY, {"fitted": False})
    walk = Walk(train=40, trade=LABEL_DAYS, embargo=embargo)
    return walked(tmp_path, a_study(closes, *written, config=config), walk, name=f"{embargo}{written}").windows[0]


def test_labels_that_reach_over_the_edge_flatter_the_first_days_behind_it(tmp_path):
    window = traded(tmp_path, 0, "one.fitted=false,true")
    assert window.chosen.parameters == {"one.fitted": True}
    assert window.return_pct > traded(tmp_path, 0, "one.fitted=false").return_pct
    assert min(window.returns) > -1e-3  # it steps aside on every day that falls


def test_an_embargo_as_long_as_the_labels_leaves_nothing_of_the_leak(tmp_path):
    window = traded(tmp_path, LABEL_DAYS, "one.fitted=false,true")
    assert window.chosen.parameters == {"one.fitted": True}
    assert window.returns == traded(tmp_path, LABEL_DAYS, "one.fitted=false").returns


def test_with_one_setting_the_held_path_is_the_plain_replay_of_the_traded_sessions(tmp_path):
    closes = a_walk(70)
    result = walked(tmp_path, a_study(closes, "one.fast=3", "one.slow=8"), Walk(train=30, trade=7))
    config = daily_config(strategy={"kind": "sma_cross", "params": {"fast": 3, "slow": 8}})
    plain = run_replay(config, daily_panel(closes), start=days(70)[30])
    assert len(plain.fills) == 4
    assert result.edges == "held"
    assert len(result.returns) == 40
    assert result.returns == tuple(daily_returns(plain.curve, plain.starting_cash).tolist())


def test_flat_windows_begin_without_positions_and_pay_for_closing_what_they_hold(tmp_path):
    config = with_file(tmp_path, "side.py", SIDE, {"side": 1})
    study = a_study(np.linspace(100.0, 110.0, 50), "one.side=1", config=config)
    walk = Walk(train=30, trade=10)
    free = walked(tmp_path, study, walk, edges="flat", name="free")
    paid = walked(tmp_path, study, walk, edges="flat", cost_bps=100.0, name="paid")
    held = walked(tmp_path, study, walk, edges="held", name="held")
    assert [free.returns[0], free.returns[10]] == [0.0, 0.0]  # decided at the first close, filled on the next day
    assert held.returns[10] > 0.0
    assert paid.returns[:9] == free.returns[:9]
    # A tenth of the equity is held, and closing it costs a hundredth of that.
    assert (1 + paid.returns[9]) / (1 + free.returns[9]) == pytest.approx(1 - 0.1 * 0.01, abs=2e-5)


def test_what_varies_beside_a_strategys_own_parameters_cannot_be_held_over():
    (own, _), (other, _) = a_study(a_walk(9), "one.fast=3,4"), a_study(a_walk(9), "one.exits.stop_pct=1,2")
    assert (edges_for(own, None), edges_for(other, None)) == ("held", "flat")
    with pytest.raises(WrongUsage, match=r"--edges held: one.exits.stop_pct is no parameter of a strategy itself"):
        edges_for(other, "held")


def test_the_same_walk_again_runs_nothing(tmp_path):
    study, walk = a_study(a_walk(60), "one.fast=3,5", "one.slow=8"), Walk(train=30, trade=10)
    first, second = InProcess(), InProcess()
    one = walked(tmp_path, study, walk, crew=first)
    two = walked(tmp_path, study, walk, crew=second)
    assert first.ran == [0, 1, 2, 3, 4, 5, 0]
    assert second.ran == []
    assert one.returns == two.returns


def test_every_window_says_how_far_the_sample_held(tmp_path):
    result = walked(tmp_path, a_study(a_walk(80, seed=4), "one.fast=3,5", "one.slow=8"), Walk(train=30, trade=25))
    for window in result.windows[:1]:
        trained = window.in_sample.figure("annual_return_pct")
        assert window.in_sample.parameters == window.chosen.parameters
        growth = np.prod([1 + value for value in window.returns])
        assert window.return_pct == pytest.approx(100 * (growth - 1))
        annual = 100 * (growth ** (252 / 25) - 1)
        assert window.efficiency == (pytest.approx(annual / trained) if trained > 0 else None)
    assert len(result.windows) == 2
