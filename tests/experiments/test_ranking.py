from datetime import date

import numpy as np
import pytest

from research.experiments.ranking import attempt_of, standings, verdict
from research.experiments.table import Row, results_alone, table_of
from research.measures.ledger import TrialCount
from research.measures.stamp import Stamp
from tests.experiments.works import an_outcome

STAMP = Stamp(
    strategy="sma_cross", symbols=1, interval_s=86_400, start=None, config_hash="c", data_hash="d", code_hash="k",
    dataset="s", seed=None, git_revision=None, git_dirty=None, versions={},
)  # fmt: skip


def a_row(number, parameters, outcome=None, **figures):
    return Row(
        number=number, parameters=parameters, stamp=STAMP, outcome=outcome or an_outcome(number, figures=figures)
    )


def by(measure, *rows):
    return [standing.parameters["fast"] for standing in standings(rows, measure)]


def test_the_best_comes_first_and_equal_ones_keep_their_order():
    rows = [a_row(n, {"fast": n}, sharpe=value) for n, value in enumerate([0.5, 2.0, 2.0, -1.0])]
    assert by("sharpe", *rows) == [1, 2, 0, 3]


def test_less_of_a_drawdown_is_better():
    rows = [a_row(n, {"fast": n}, drawdown_pct_max=value) for n, value in enumerate([9.0, 2.0, 5.0])]
    assert by("drawdown_pct_max", *rows) == [1, 2, 0]


def test_what_failed_was_not_run_or_has_no_such_figure_is_not_ranked():
    failed = a_row(0, {"fast": 0}, an_outcome(0, state="failed"))
    missing = Row(number=1, parameters={"fast": 1}, stamp=STAMP, outcome=None)
    assert by("sharpe", failed, missing, a_row(2, {"fast": 2}, sharpe=None), a_row(3, {"fast": 3}, sharpe=-1.0)) == [3]


def test_seeds_of_one_setting_stand_together_with_their_spread():
    rows = [
        a_row(n, {"fast": fast, "one.seed": seed}, sharpe=value)
        for n, (fast, seed, value) in enumerate([(1, 1, 0.0), (1, 2, 1.0), (1, 3, 5.0), (2, 1, 3.0)])
    ]
    second = standings(rows, "sharpe")[1]
    assert by("sharpe", *rows) == [2, 1]
    assert (second.value, second.low, second.high, second.seeds) == (2.0, 0.0, 5.0, 3)
    assert second.deviation == pytest.approx(7**0.5)  # of 0, 1, 5 around 2: (4 + 1 + 9) / 2
    assert second.typical.parameters["one.seed"] == 2


def test_one_and_true_are_two_settings():
    assert len(standings([a_row(0, {"fast": 1}, sharpe=1.0), a_row(1, {"fast": True}, sharpe=1.0)], "sharpe")) == 2


RETURNS = np.random.default_rng(2).normal(0.0008, 0.01, 500).tolist()


def said(trials, variance):
    count = TrialCount(strategy="s", dataset="d", trials=trials, sharpe_variance=variance)
    return verdict(RETURNS, count)


def test_the_more_trials_the_less_the_best_of_them_is_worth():
    few, many = said(2, 0.25), said(500, 0.25)
    assert few.sharpe == many.sharpe
    assert few.deflated_sharpe > many.deflated_sharpe
    assert "do not trust this figure" in many.words
    assert f"the best of 500 worthless trials would be expected to show {many.sharpe_expected:.2f}" in many.words


def test_a_single_trial_is_not_deflated_at_all():
    assert said(1, None).sharpe_expected == 0.0


def test_where_nothing_was_earned_there_is_nothing_to_judge():
    count = TrialCount(strategy="s", dataset="d", trials=3, sharpe_variance=None)
    assert verdict([0.0, 0.0], count).words == "No setting has a Sharpe ratio: nothing to judge."


def test_an_attempt_is_the_mean_over_its_windows():
    days = [date(2015, 1, n) for n in range(1, 5)]
    rows = [
        a_row(0, {}, an_outcome(0, figures={"sharpe": 1.0}, sessions=days[1:3])),
        a_row(1, {}, an_outcome(1, figures={"sharpe": 3.0}, sessions=days[2:])),
        a_row(2, {}, an_outcome(2, figures={"sharpe": None}, sessions=days[:1])),
        a_row(3, {}, an_outcome(3, state="failed")),
    ]
    attempt = attempt_of(rows)
    assert (attempt.first_session, attempt.last_session, attempt.sharpe) == (days[0], days[3], 2.0)


def test_the_table_has_parameters_figures_hashes_and_the_run_apart():
    rows = [
        a_row(0, {"fast": 5, "share": 1, "how": "a"}, sharpe=1.5, fills=3),
        a_row(1, {"fast": 6, "share": 0.5, "how": True}, an_outcome(1, state="failed", why="died", run_tries=2)),
        Row(number=2, parameters={"fast": 7, "share": 2, "how": "b"}, stamp=STAMP, outcome=None),
    ]
    table = table_of(rows)
    assert table.column("state").to_pylist() == ["done", "failed", "not run"]
    assert table.column("fast").to_pylist() == [5, 6, 7]
    assert table.column("share").to_pylist() == [1.0, 0.5, 2.0]
    assert table.column("how").to_pylist() == ["a", "True", "b"]
    assert table.column("sharpe").to_pylist() == [1.5, None, None]
    assert table.column("fills").to_pylist() == [3, None, None]
    assert table.column("config_hash").to_pylist() == ["c", "c", "c"]
    assert table.column("run_tries").to_pylist() == [1, 2, None]
    assert table.column_names[-2:] == ["run_seconds", "run_tries"]
    assert results_alone(table).column_names == table.column_names[:-2]
