"""The nightly step `features`: built once from the same bars, keys and code, again where one of them is another."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from research.features.nightly_work import features_work
from research.nightly.night import night_of
from research.nightly.optional_step import OptionalStep, Work
from research.nightly.sequence import Way, carry_out
from shared.config import load_config
from shared.errors import DataError
from shared.io.bar_store import save_bars
from tests.experiments.test_cli import DAILY
from tests.features.builders import SYMBOLS, a_market

NAMED = DAILY.replace('["SPY"]', f"{list(SYMBOLS)}".replace("'", '"'))
KEYS = '[features]\nnightly = true\nnames = ["rsi(5)"]\n[cluster]\nworkers = 1\n'
UP_TO_DATE = Work(carry_out=lambda _night: "two files", made_from=lambda _night: {})


@pytest.fixture
def evening(tmp_path):
    """Carries the two steps out, as often as asked; the record of `features`."""
    (tmp_path / "config.toml").write_text(f"{NAMED}\n{KEYS}")
    save_bars(tmp_path / "bars.parquet", a_market(60))
    close = datetime.fromtimestamp(int(a_market(60).opened_at[-1]) / 1e9, UTC) + timedelta(days=1)

    def carried_out(refresh=UP_TO_DATE):
        config = load_config(tmp_path / "config.toml")
        night = night_of(config, (close - timedelta(days=1)).date(), close, Path(tmp_path / "bars.parquet"))
        steps = (
            OptionalStep("refresh", refresh, "nothing"),
            OptionalStep("features", features_work(config), "nothing", ("refresh",)),
        )
        said: list[str] = []
        record = carry_out(night, steps, Way(now=lambda: close, say=said.append))["features"]
        return record, any("features ..." in line for line in said)

    return carried_out


def test_the_same_bars_are_built_once(evening):
    (first, _), (again, is_carried_out) = evening(), evening()
    assert (first.status, first.said) == ("done", again.said)
    assert not is_carried_out


def test_bars_that_have_changed_since_are_built_again(evening, tmp_path):
    evening()
    save_bars(tmp_path / "bars.parquet", a_market(60, seed=2))
    record, is_carried_out = evening()
    assert (record.status, is_carried_out) == ("done", True)


def test_other_features_are_built_again(evening, tmp_path):
    evening()
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace('"rsi(5)"', '"rsi(5)", "sma(20)"'))
    record, _ = evening()
    assert record.said.startswith("2 features of 4 symbols")


def test_without_tonights_bars_nothing_is_built(evening):
    def fails(_night):
        raise DataError("the source is late")

    record, _ = evening(Work(carry_out=fails, made_from=lambda _night: {}))
    assert (record.status, record.said) == ("blocked", "not done, it needs: refresh")
