import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from research.backtest.cli import register
from tests.fakes.limits import as_toml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
[session]
calendar = "XNYS"
entry_after_open_s = 0
entry_before_close_s = 0
flatten_before_close_s = 0
[universe]
symbols = ["SPY"]
[bars]
interval_s = 60
warm_up = 0
[[strategy]]
name = "sma"
kind = "sma_cross"
params = { fast = 2, slow = 3 }
allocation = 1.0
[strategy.sizing]
method = "fixed_fraction"
fraction = 0.1
[strategy.exits]
method = "percent"
stop_pct = 5.0
target_pct = 0
[execution]
entry = "market"
limit_offset_bps = 0
entry_timeout_s = 120
acknowledge_within_s = 10
[risk]
max_order_quantity = 10_000
max_order_notional = 1_000_000
max_position_quantity = 10_000
max_position_notional = 1_000_000
max_gross_exposure = 1.0
price_collar_pct = 5.0
price_jump_pct_max = 20.0
price_age_max_s = 300
protect_within_s = 5
[replay]
slippage_bps = 0
commission = "none"
participation = 1.0
""".replace("protect_within_s = 5\n", f"protect_within_s = 5\n{as_toml()}\n")
# Down, up, down: the fast average of two crosses the slow one of three once each way.
CLOSES = (100.0, 99.0, 98.0, 99.0, 101.0, 102.0, 102.0, 100.0, 98.0, 97.0)


@pytest.fixture
def app():
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # with a single command typer would drop its name
    return app


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG)
    lines = [
        f"SPY,2013-10-08T13:{30 + at}:00+00:00,{price},{price},{price},{price},1000000"
        for at, price in enumerate(CLOSES)
    ]
    (tmp_path / "bars.csv").write_text("symbol,ts,open,high,low,close,volume\n" + "\n".join(lines) + "\n")
    return tmp_path


def replay(app, folder, *arguments):
    fixed = ("replay", "--config", str(folder / "config.toml"), "--out", str(folder / "out"))
    return CliRunner().invoke(app, [*fixed, *arguments])


def test_the_summary_goes_to_stdout_and_the_talk_to_stderr(app, folder):
    done = replay(app, folder, "--data", str(folder / "bars.csv"))
    assert done.exit_code == 0
    assert "total return" in done.stdout
    assert "wrote" not in done.stdout
    assert "replay.png" in done.stderr


def test_json_is_the_same_as_the_file(app, folder):
    done = replay(app, folder, "--data", str(folder / "bars.csv"), "--json")
    assert json.loads(done.stdout) == json.loads((folder / "out" / "replay.json").read_text())


def test_a_cross_up_is_bought_and_a_cross_down_sold_each_at_the_next_open(app, folder):
    replay(app, folder, "--data", str(folder / "bars.csv"))
    rows = [line.split(",") for line in (folder / "out" / "fills.csv").read_text().splitlines()[1:]]
    # At 13:35:00 the averages are 100 and 99.3: bought at the next row's open, 102.
    # At 13:38:00 they are 101 and 101.3: sold at the next row's open, 98.
    assert [(row[0], row[2], row[4]) for row in rows] == [
        ("2013-10-08T13:36:00+00:00", "BUY", "102.0"),
        ("2013-10-08T13:39:00+00:00", "SELL", "98.0"),
    ]


TO_READ = ["curve.parquet", "decisions.jsonl", "fills.csv", "replay.json", "round_trips.parquet", "tear_sheet.json"]
TO_SEE = ["replay.png", "tear_sheet.html"]


@pytest.mark.parametrize(("flags", "files"), [((), TO_READ + TO_SEE), (("--no-pictures",), TO_READ)])
def test_the_folder_holds_the_files_and_nothing_half_written(app, folder, flags, files):
    replay(app, folder, "--data", str(folder / "bars.csv"), *flags)
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(files)


def test_without_data_it_says_what_to_give(app, folder):
    done = replay(app, folder)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--data is missing, give a .parquet or .csv file" in done.stderr


def test_data_that_is_not_there_is_not_found(app, folder):
    done = replay(app, folder, "--data", str(folder / "none.csv"))
    assert done.exit_code == 3
    assert "none.csv: no such file or folder" in done.stderr


def test_a_missing_symbol_is_one_line(app, folder):
    (folder / "config.toml").write_text(CONFIG.replace('["SPY"]', '["SPY", "IBM"]'))
    done = replay(app, folder, "--data", str(folder / "bars.csv"))
    assert done.exit_code == 1
    assert "no bars of IBM" in done.stderr


def test_bars_of_another_interval_are_refused(app, folder):
    (folder / "config.toml").write_text(CONFIG.replace("interval_s = 60", "interval_s = 300"))
    done = replay(app, folder, "--data", str(folder / "bars.csv"))
    assert done.exit_code == 1
    assert "the data has bars of 60 s, [bars] interval_s is 300" in done.stderr


def test_a_bad_bar_is_refused_or_dropped_and_counted(app, folder):
    file = folder / "bars.csv"
    file.write_text(file.read_text().replace("13:33:00+00:00,99.0", "13:33:00+00:00,-1"))
    refused = replay(app, folder, "--data", str(file))
    assert refused.exit_code == 1
    assert "row 4" in refused.stderr
    dropped = replay(app, folder, "--data", str(file), "--drop-bad-bars")
    assert dropped.exit_code == 0
    assert "1 bad bars dropped" in dropped.stderr


def test_a_wrong_config_ends_with_78_and_a_wrong_date_with_2(app, folder):
    bars = ("--data", str(folder / "bars.csv"))
    assert replay(app, folder, *bars, "--from", "8.10.2013").exit_code == 2
    (folder / "config.toml").write_text(CONFIG + "[nonsense]\n")
    assert replay(app, folder, *bars).exit_code == 78


def test_a_first_day_after_the_last_one_is_wrong_usage(app, folder):
    done = replay(app, folder, "--data", str(folder / "bars.csv"), "--from", "2013-10-09", "--to", "2013-10-08")
    told = "replay: --from 2013-10-09 is after --to 2013-10-08, allowed: the same day or before\n"
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", told)


def test_nothing_in_the_period_is_one_line(app, folder):
    done = replay(app, folder, "--data", str(folder / "bars.csv"), "--from", "2014-01-02")
    assert done.exit_code == 1
    assert "from 2014-01-02" in done.stderr
