"""What drawn markets say of a sweep: by hand, and over a market in which there is nothing to find."""

import json

import numpy as np
import pytest
from msgspec.structs import replace
from pyarrow import parquet

from research.experiments.drawn_market import DrawnMarket
from research.experiments.luck import luck_of, words_of
from research.experiments.ranking import standings
from research.experiments.space import space_of
from research.experiments.store import opened
from research.experiments.sweep import run_sweep
from research.experiments.variants import variants_of
from research.measures.ledger import Ledger
from tests.experiments.builders import InProcess, a_runner, a_study, a_walk, daily_config
from tests.experiments.test_cli import facts_of, folder, openbell  # noqa: F401 - the fixture
from tests.experiments.test_ranking import a_row

SETTINGS = ("one.fast=2,3", "one.slow=6,8")
MARKETS = [DrawnMarket(seed=seed, block_sessions=1.0) for seed in (1, 2, 3)]


def a_result(number, sharpe, total=1.0):
    return a_row(number, {"fast": number}, sharpe=sharpe, total_return_pct=total)


def test_the_best_of_each_market_is_held_against_the_real_best():
    """Real 1.0 and 0.5; the best of four markets 0.4, 1.2, 0.9, 2.0: two of four, and the real one, are as good."""
    best = standings([a_result(0, 0.5), a_result(1, 1.0)], "sharpe")
    drawn = {
        0: [a_result(0, value, total) for value, total in [(0.4, -1.0), (1.2, 3.0), (-0.2, -2.0), (2.0, 5.0)]],
        1: [a_result(1, value) for value in [0.1, 0.3, 0.9, 1.0]],
    }
    luck = luck_of(best, drawn, "sharpe", 1.0)
    assert (luck.best, luck.markets) == (1.0, 4)
    assert luck.as_good == pytest.approx(3 / 5)
    assert luck.best_median == pytest.approx((0.9 + 1.2) / 2)
    real_best, second = luck.spreads
    assert (real_best.number, real_best.real, real_best.lost) == (1, 1.0, 0.0)
    assert real_best.median == pytest.approx(0.6)
    assert (second.number, second.lost) == (0, 0.5)
    assert words_of(luck).endswith("at least as good in 60% of them.")


def test_of_a_measure_that_should_be_small_the_smallest_is_the_best():
    rows = [a_row(0, {"fast": 0}, drawdown_pct_max=10.0, total_return_pct=1.0)]
    drawn = {0: [a_row(0, {"fast": 0}, drawdown_pct_max=value, total_return_pct=1.0) for value in (5.0, 20.0, 30.0)]}
    assert luck_of(standings(rows, "drawdown_pct_max"), drawn, "drawdown_pct_max", 5.0).as_good == pytest.approx(0.5)


def test_a_setting_that_never_trades_has_no_spread():
    best = standings([a_result(0, 0.5)], "sharpe")
    luck = luck_of(best, {0: [a_result(0, None, None)]}, "sharpe", 1.0)
    assert (luck.spreads[0].median, luck.spreads[0].lost, luck.as_good) == (None, None, None)
    assert words_of(luck) == "No setting has the measure in the drawn markets: nothing to compare."


def a_sweep(tmp_path, markets, closes=None):
    variants, bars = a_study(a_walk(120) if closes is None else closes, *SETTINGS)
    crew, ledger = InProcess(), Ledger(tmp_path / "trials.sqlite")
    with opened(tmp_path / "out") as store:
        runner = a_runner(store, crew)
        return run_sweep(variants, bars, runner=runner, ledger=ledger, measure="sharpe", markets=markets), crew, ledger


def test_drawn_markets_change_nothing_of_the_real_result_and_are_no_trials(tmp_path):
    with_them, _, ledger = a_sweep(tmp_path / "a", MARKETS)
    without, _, alone = a_sweep(tmp_path / "b", ())
    assert [row.outcome.figures for row in with_them.rows] == [row.outcome.figures for row in without.rows]
    assert with_them.verdict == without.verdict
    assert len(ledger.trials()) == len(alone.trials()) == 4
    assert (len(with_them.drawn), without.luck) == (12, None)


def test_the_same_sweep_again_draws_nothing_anew(tmp_path):
    a_sweep(tmp_path, MARKETS)
    again, crew, _ = a_sweep(tmp_path, MARKETS)
    assert crew.ran == []
    more, crew, _ = a_sweep(tmp_path, [*MARKETS, DrawnMarket(seed=4, block_sessions=1.0)])
    assert len(crew.ran) == 4
    assert [row.outcome for row in more.drawn[:12]] == [row.outcome for row in again.drawn]


def test_a_market_with_a_trend_for_the_taking_is_told_from_its_drawn_ones(tmp_path):
    """Months up, months down: who follows them earns, and nobody does once the sessions are shuffled."""
    steps = np.where(np.arange(240) // 40 % 2 == 0, 0.01, -0.01)
    closes = 100.0 * np.exp(np.cumsum(steps + np.random.default_rng(1).normal(0, 0.004, 240)))
    markets = [DrawnMarket(seed=seed, block_sessions=1.0) for seed in range(12)]
    result, _, _ = a_sweep(tmp_path, markets, closes[:, None])
    assert result.luck.as_good == pytest.approx(1 / 13)
    assert result.luck.best_high < result.luck.best


def test_without_anything_that_varies_the_configuration_alone_is_drawn():
    space = space_of(daily_config())
    (variant,) = variants_of(daily_config(), replace(space, may_be_one=True)).tried
    assert variant.parameters == {}


@pytest.mark.parametrize("settings", [(), ("--set", "sma.fast=2,3")])
def test_the_command_shows_and_keeps_the_drawn_markets(folder, settings):  # noqa: F811 - the fixture
    ran = openbell(folder, "sweep", *settings, "--markets", "3", "--block-sessions", "1", "--workers", "1", "--json")
    facts = facts_of(ran, "sweep")
    assert ran.exit_code == 0, ran.stderr
    assert (facts["markets"]["markets"], facts["markets"]["block_sessions"]) == (3, 1.0)
    assert len(facts["markets"]["spreads"]) == facts["replays"]
    table = parquet.read_table(json.loads(ran.stdout)["table"].replace("results", "markets"))
    assert sorted(set(table.column("market_seed").to_pylist())) == [7, 8, 9]
    shown = openbell(folder, "sweep", *settings, "--markets", "3", "--block-sessions", "1", "--workers", "1")
    assert "3 markets drawn from these sessions without memory" in shown.stdout.replace("\n", " ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--markets", "-1"), "sweep: --markets -1, allowed: 1 to 10,000"),
        (("--markets", "2", "--block-sessions", "0.5"), "sweep: --block-sessions 0.5, allowed: from 1 on"),
        (("--markets", "2", "--market-seed", "-1"), "sweep: --market-seed -1, allowed: a whole number from 0"),
        (("--from", "2015-03-01", "--to", "2015-02-01", "--markets", "1"), "sweep: --from 2015-03-01 is after --to"),
    ],
)
def test_what_cannot_be_drawn_is_wrong_usage(folder, words, said):  # noqa: F811 - the fixture
    ran = openbell(folder, "sweep", *words)
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
    assert said in ran.stderr


def test_bars_with_a_table_of_actions_are_not_drawn(folder):  # noqa: F811 - the fixture
    path = folder / "config.toml"
    path.write_text(path.read_text().replace("[replay]", '[replay]\nactions = "actions.csv"'))
    ran = openbell(folder, "sweep", "--markets", "2")
    assert ran.exit_code == 2
    assert "drawn sessions have no ex-dates" in ran.stderr
