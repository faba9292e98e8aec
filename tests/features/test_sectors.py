"""Features taken within sectors: those of the day, known when the row closed, and never those of a later day."""

import numpy as np
import pandas as pd
import pytest

from research.features.build import Way, build
from research.features.sectors import read_sectors, sectors_of
from shared.errors import ConfigError
from shared.indicators.feature_name import feature_of
from shared.indicators.feature_set import FeatureSet
from shared.indicators.feature_transforms import transformed
from tests.experiments.builders import InProcess, daily_config
from tests.features.builders import SYMBOLS, a_market, built, first_days, stored

NAME = "neutralise(rsi(14))"
FIRST, CHANGED = 20, 60
"""Rows on whose days the snapshots were taken: known from the next row on."""


def day_of(panel, row):
    return str(np.datetime64(int(panel.opened_at[row]), "ns").astype("datetime64[D]"))


def a_table(path, panel, *more):
    """AA and BB are tools, CC and DD food; then BB goes to food. Of the first rows nothing is known."""
    rows = [(day_of(panel, FIRST), "AA", "tools"), (day_of(panel, FIRST), "BB", "tools")]
    rows += [(day_of(panel, FIRST), "CC", "food"), (day_of(panel, FIRST), "DD", "food")]
    rows += [(day_of(panel, CHANGED), "BB", "food"), *more]
    pd.DataFrame(rows, columns=["snapshot", "symbol", "sector"]).to_csv(path, index=False)
    return path


def by_pandas(panel, values):
    """Value less the mean of its sector, row by row, written down from what the table says."""
    before, after = ["tools", "tools", "food", "food"], ["tools", "food", "food", "food"]
    columns = pd.DataFrame(values).T
    first, second = (columns - columns.groupby(sectors).transform("mean") for sectors in (before, after))
    found = np.where(np.arange(len(panel))[:, np.newaxis] <= CHANGED, first.T, second.T)
    found[: FIRST + 1] = np.nan
    return found


def made(panel, folder, table, name=NAME):
    way = Way(rows_per_part=25, sectors=read_sectors(table, panel))
    return build(panel, [feature_of(name)], folder, InProcess(), way)


def test_a_neutralised_feature_is_the_value_less_the_mean_of_its_sector_on_that_day(tmp_path):
    panel = a_market()
    made(panel, tmp_path / "features", a_table(tmp_path / "sectors.csv", panel))
    built(panel, tmp_path / "plain", "rsi(14)")
    wanted = by_pandas(panel, stored(tmp_path / "plain", "rsi(14)"))
    np.testing.assert_allclose(stored(tmp_path / "features", NAME), wanted, rtol=1e-12, atol=1e-12)
    assert np.isfinite(wanted[:, 1]).sum() > 100


def test_other_transforms_stand_around_it(tmp_path):
    panel = a_market()
    table = a_table(tmp_path / "sectors.csv", panel)
    made(panel, tmp_path / "features", table, f"rank({NAME})")
    made(panel, tmp_path / "alone", table)
    wanted = pd.DataFrame(stored(tmp_path / "alone", NAME)).rank(axis=1, pct=True).to_numpy()
    np.testing.assert_allclose(stored(tmp_path / "features", f"rank({NAME})"), wanted, rtol=1e-12)


@pytest.mark.parametrize("days", [10, FIRST + 1, CHANGED, CHANGED + 1, 100])
def test_going_on_gives_the_bits_of_a_whole_build(days, tmp_path):
    panel = a_market()
    table = a_table(tmp_path / "sectors.csv", panel)
    made(first_days(panel, days), tmp_path / "nights", table)
    done = made(panel, tmp_path / "nights", table)
    made(panel, tmp_path / "whole", table)
    assert (done.extended, done.rebuilt) == (1, 0)
    assert stored(tmp_path / "nights", NAME).tobytes() == stored(tmp_path / "whole", NAME).tobytes()


def test_a_later_snapshot_changes_no_earlier_row_and_builds_nothing_anew(tmp_path):
    panel = a_market()
    made(first_days(panel, 100), tmp_path / "features", a_table(tmp_path / "before.csv", panel))
    before = stored(tmp_path / "features", NAME).tobytes()
    later = (day_of(panel, 120), "CC", "tools")
    done = made(panel, tmp_path / "features", a_table(tmp_path / "after.csv", panel, later))
    assert (done.extended, done.rebuilt) == (1, 0)
    assert stored(tmp_path / "features", NAME)[:100].tobytes() == before


def test_another_sector_in_the_past_builds_it_anew(tmp_path):
    panel = a_market()
    made(panel, tmp_path / "features", a_table(tmp_path / "before.csv", panel))
    earlier = (day_of(panel, 50), "CC", "tools")
    done = made(panel, tmp_path / "features", a_table(tmp_path / "after.csv", panel, earlier))
    assert (done.kept, done.rebuilt) == (0, 1)


def test_the_same_table_again_changes_nothing(tmp_path):
    panel = a_market()
    table = a_table(tmp_path / "sectors.csv", panel)
    made(panel, tmp_path / "features", table)
    assert made(panel, tmp_path / "features", table).kept == 1


def test_a_strategy_that_asks_for_it_is_refused_with_one_line():
    said = r"^feature 'neutralise\(rsi\(14\)\)': within sectors, which a strategy does not know, allowed: in "
    with pytest.raises(ConfigError, match=said):
        FeatureSet(4, [NAME])


def with_features(config, **fields):
    return config.model_copy(update={"features": config.features.model_copy(update=fields)})


def test_a_configuration_without_a_table_is_refused_with_one_line(tmp_path):
    config = daily_config(*SYMBOLS).based_at(tmp_path)
    said = r"^features.names: neutralise\(rsi\(14\)\) is taken within sectors, allowed: with features.sectors$"
    with pytest.raises(ConfigError, match=said):
        sectors_of(config, a_market(), [feature_of(NAME)])
    assert sectors_of(config, a_market(), [feature_of("rsi(14)")]) is None


def test_the_table_of_the_configuration_is_read(tmp_path):
    panel = a_market()
    a_table(tmp_path / "sectors.csv", panel)
    config = with_features(daily_config(*SYMBOLS), sectors="sectors.csv").based_at(tmp_path)
    found = sectors_of(config, panel, [feature_of(NAME)])
    assert found is not None
    assert found.firsts == (0, FIRST + 1, CHANGED + 1)
    assert found.names[1] == ("tools", "tools", "food", "food")


def test_without_sectors_the_feature_fails_and_says_why(tmp_path):
    ((_, why),) = build(a_market(), [feature_of(NAME)], tmp_path, InProcess()).failed
    assert why == "neutralise: no sectors, allowed: where [features] sectors names a table"


def test_sectors_that_change_within_a_panel_are_taken_row_by_row():
    panel = np.array([[1.0, 3.0, 5.0], [1.0, 3.0, 5.0]])
    found = transformed(panel, (("neutralise", ()),), np.array([[0, 0, 1], [0, 1, -1]]))
    np.testing.assert_array_equal(found, [[-1.0, 1.0, 0.0], [0.0, 0.0, np.nan]])
