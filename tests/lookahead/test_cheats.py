"""Cheats kept on purpose: each is caught by the check meant for it, and the honest ones are not accused."""

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from bench.panels import minute_panel
from research.lookahead.examine import Options, of_subject
from research.lookahead.panels import between
from research.lookahead.target import Target

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
QUICK = Options(cuts=15, chain=False, processes=False)
WARM_UP = 20


def a_panel(rows=240):
    """Four instruments with holes; the last one stops printing before the end."""
    panel = minute_panel(4, rows)
    holes = np.random.default_rng(3).random((rows, 4)) < 0.05
    holes[0] = False
    holes[-20:, 3] = True
    prices = ("open", "high", "low", "close")
    return structs.replace(panel, **{name: np.where(holes, np.nan, getattr(panel, name)) for name in prices})


PANEL = a_panel()


def a_feature(folder, name, function=None):
    return Target(name=name, kind=str(HERE / folder / f"{name}.py"), function=function or name)


def a_strategy(folder, name, **params):
    return Target(name=name, kind=str(HERE / folder / f"{name}.py"), params=params)


def outcomes(target, options=QUICK, panel=PANEL):
    return {check.name: check for check in of_subject(target, panel, options, warm_up=WARM_UP)}


@pytest.mark.parametrize(
    "cheat",
    [
        "centred_mean",
        "full_sample_score",
        "tomorrows_return",
        "backfilled",
        "by_the_last_price",
        "days_high_on_its_minutes",
        "smoothed_both_ways",
        "rank_of_survivors",
        "gap_of_the_next_open",
    ],
)
def test_a_feature_that_knows_the_future_is_caught_by_cutting_the_future_off(cheat):
    (finding,) = outcomes(a_feature("cheats", cheat))["truncated future"].findings
    assert (finding.level, finding.value) == ("leak", "value")
    assert finding.closed_at is not None


@pytest.mark.parametrize(
    ("cheat", "caught_by"),
    [
        ("reaches_through_the_row", "truncated future"),
        ("reaches_through_the_row", "perturbed future"),
        ("reaches_through_the_row", "sealed rows"),
        ("writes_into_the_row", "runs"),
        ("remembers_the_last_run", "same twice"),
        ("remembers_the_last_run", "other process"),
        ("seeded_by_the_first_print", "shifted start"),
        ("seeded_by_the_first_print", "longer warm-up"),
        ("order_of_a_set", "other process"),
        ("hour_of_the_machine", "source"),
        ("hour_of_the_machine", "same twice"),
        ("waits_for_the_future", "truncated future"),
        ("batch_knows_more", "batch form"),
    ],
)
def test_a_strategy_that_cheats_is_caught_by_the_check_that_is_meant_to(cheat, caught_by):
    options = structs.replace(QUICK, processes=caught_by == "other process")
    assert outcomes(a_strategy("cheats", cheat), options)[caught_by].outcome == "leak"


def test_a_file_that_is_written_and_read_again_is_named_with_its_line(tmp_path):
    target = a_strategy("cheats", "highest_of_a_cached_file", cache=str(tmp_path / "seen.json"))
    found = outcomes(target, panel=between(PANEL, 0, 30))
    lines = [finding.what for finding in found["watched run"].findings]
    source = (HERE / "cheats" / "highest_of_a_cached_file.py").read_text().splitlines()
    reading = 1 + next(at for at, line in enumerate(source) if "read_text" in line)
    assert any(f"highest_of_a_cached_file.py:{reading} opens the file" in line for line in lines)
    assert found["source"].outcome == "leak"


def test_the_first_row_that_leaks_is_named_with_the_value_with_and_without_the_future():
    (finding,) = outcomes(a_feature("cheats", "tomorrows_return"))["truncated future"].findings
    # At the first cut one row is known: its value is tomorrow's close over today's, or nothing.
    assert finding.closed_at.timestamp() * 1e9 == PANEL.closed_at[0]
    assert finding.symbol == "S000"
    assert float(finding.really) == pytest.approx(PANEL.close[1, 0] / PANEL.close[0, 0] - 1)
    assert finding.otherwise == "nothing"


def with_a_hole(first, end):
    close = np.full_like(PANEL.close, 100.0)
    close[first:end, 2] = np.nan
    return structs.replace(PANEL, close=close)


def test_the_first_row_that_leaks_is_found_between_two_cuts_by_bisection():
    panel = with_a_hole(100, 160)
    (finding,) = outcomes(a_feature("cheats", "backfilled"), panel=panel)["truncated future"].findings
    # Fifteen cuts lie seventeen rows apart, so none is right after the first row of the hole.
    assert (finding.symbol, finding.really, finding.otherwise) == ("S002", "100", "nothing")
    assert finding.closed_at.timestamp() * 1e9 == panel.closed_at[100]


def test_a_leak_on_a_single_row_is_found_where_every_cut_is_tried():
    panel = with_a_hole(137, 138)
    target, every = a_feature("cheats", "backfilled"), structs.replace(QUICK, cuts=None)
    (finding,) = outcomes(target, every, panel)["truncated future"].findings
    assert finding.closed_at.timestamp() * 1e9 == panel.closed_at[137]


def test_a_leak_into_the_state_that_changes_no_decision_is_named_by_its_attribute():
    (finding,) = outcomes(a_strategy("cheats", "waits_for_the_future"))["truncated future"].findings
    assert (finding.value, finding.really, finding.otherwise) == ("self.rows_left", "240", "1")


@pytest.mark.parametrize(
    "target",
    [
        a_feature("honest", "trailing_mean"),
        a_strategy("honest", "turtle", period=10),
        Target(name="sma", kind="sma_cross", params={"fast": 3, "slow": 8}),
        Target(name="sma", kind="sma_cross", params={"fast": 3, "slow": 8, "long_only": False}),
        Target(name="breakout", kind=str(ROOT / "docs/examples/breakout.py"), params={"period": 5}),
    ],
    ids=lambda target: target.name,
)
def test_the_honest_are_not_accused(target):
    checks = outcomes(target, structs.replace(QUICK, processes=target.name == "turtle")).values()
    assert [finding.line for check in checks for finding in check.findings] == []


def test_a_score_by_all_rows_so_far_looks_not_ahead_but_depends_on_the_start():
    found = outcomes(a_feature("honest", "trailing_mean", "score_so_far"))
    assert found["truncated future"].outcome == found["perturbed future"].outcome == "clean"
    assert "it never settles" in found["shifted start"].findings[0].what


def test_a_strategy_that_counts_rows_is_told_its_phase_and_not_accused():
    momentum = Target(name="m", kind="cross_momentum", params={"lookback": 5, "rebalance_every": 4, "top": 2})
    found = outcomes(momentum)
    assert {check.outcome for name, check in found.items() if name != "shifted start"} <= {"clean", "left out"}
    (note,) = found["shifted start"].findings
    assert note.level == "note"
    assert "only for starts 4 rows apart" in note.what


def test_a_warm_up_that_is_too_short_is_told_how_long_it_must_be():
    slow = Target(name="sma", kind="sma_cross", params={"fast": 3, "slow": 30})
    panel = structs.replace(PANEL, close=np.nan_to_num(PANEL.close, nan=100.0))
    (finding,) = outcomes(slow, panel=panel)["shifted start"].findings
    # An average of thirty prints is warm after thirty rows: the first 29 say nothing.
    assert "warm_up 20 is too short, 29 rows would do" in finding.what


def test_a_kept_row_is_a_note():
    check = outcomes(a_strategy("honest", "keeps_a_row"))["kept rows"]
    assert (check.outcome, len(check.findings)) == ("note", 1)
