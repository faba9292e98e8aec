"""`openbell data fetch` as a person uses it: exit codes, one line for each fault, and a SIGKILL in the middle."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from brokers.simulated.market.synthetic import SyntheticMarket
from research.ingest.sources.alpha_vantage import NAME
from shared.io.bar_library import BarStore
from tests.ingest_sources.gateway_thread import a_gateway_beside
from tests.ingest_sources.local_server import Answer, as_json
from tests.runtime.front_door import FrontDoor

ROOT = Path(__file__).resolve().parents[2]
KEY = "alpha-vantage-key-0815"
BARS = """symbol,date,open,high,low,close,volume
NA,2014-06-05,10,11,9,10.5,100
BRK.B,2014-06-06,20,21,19,20.5,300
"""
MARKET = SyntheticMarket(seed=7, symbols=("SPY", "AAPL"), history_sessions=4)
DAYS = sorted(MARKET._earlier_days())


@pytest.fixture
def openbell(capsys, monkeypatch):
    return FrontDoor(capsys, monkeypatch)


def configured(folder, more="", **changes):
    text = (ROOT / "config.toml").read_text()
    for before, after in changes.items():
        text = re.sub(rf"^{before} = [^ ]+", f"{before} = {after}", text, flags=re.MULTILINE)
    path = folder / "config.toml"
    path.write_text(f"{text}\n{more}")
    return path


def with_key(folder, url):
    config = configured(folder, f'[data.sources]\nalphavantage_url = "{url}"\ncache_hours = 0\n')
    (folder / "secrets").mkdir()
    key = folder / "secrets" / "alphavantage_key"
    key.write_text(KEY)
    key.chmod(0o600)
    return config


def test_a_file_is_taken_into_the_store_and_a_second_time_changes_nothing(openbell, tmp_path):
    config = configured(tmp_path)
    (tmp_path / "bars.csv").write_text(BARS)
    words = ("data", "fetch", "--config", config, "--source", "csv", "--path", tmp_path / "bars.csv", "--json")
    first, second = openbell(*words), openbell(*words)
    assert (first.code, second.code) == (0, 0)
    told = first.facts("data-fetch")
    assert [(each["symbol"], each["state"], each["added"]) for each in told["symbols"]] == [
        ("BRK.B", "stored", 1), ("NA", "stored", 1)
    ]  # fmt: skip
    assert [each["state"] for each in second.facts("data-fetch")["symbols"]] == ["nothing_new"] * 2
    assert BarStore(tmp_path / "data").symbols("1d") == ("BRK.B", "NA")


@pytest.mark.parametrize(
    ("time", "line"),
    [("date\nNA,06/05/2014", "row 1: no time: date 06/05/2014"), ("ts\nNA,2014-06-05 09:30:00", "UTC with offset")],
)
def test_a_file_of_times_that_are_none_says_so(openbell, tmp_path, time, line):
    name, row = time.split("\n")
    (tmp_path / "bars.csv").write_text(f"symbol,{name},open,high,low,close,volume\n{row},10,11,9,10.5,100\n")
    words = ("--config", configured(tmp_path), "--source", "csv", "--path", tmp_path / "bars.csv")
    answer = openbell("data", "fetch", *words)
    assert answer.code == 1
    assert line in answer.err


@pytest.mark.parametrize(("calendar", "gaps"), [("XNYS", []), ("XTKS", [["2014-07-04", "2014-07-04"]])])
def test_gaps_are_counted_against_the_calendar_of_the_data(openbell, tmp_path, calendar, gaps):
    config = configured(tmp_path, f'[data]\ncalendar = "{calendar}"\n')
    rows = (f"NA,2014-07-0{day},10,11,9,10.5,100" for day in (3, 7))
    (tmp_path / "bars.csv").write_text("\n".join(["symbol,date,open,high,low,close,volume", *rows, ""]))
    words = ("--config", config, "--source", "csv", "--path", tmp_path / "bars.csv")
    assert openbell("data", "fetch", *words).code == 0
    (series,) = openbell("data", "list", "--config", config, "--json").facts("data-list")["series"]
    assert series["gaps"] == gaps


def test_a_gateway_that_is_not_there_is_code_5(openbell, tmp_path):
    config = configured(tmp_path, "[data.sources]\ntries = 1\n", port=1)
    answer = openbell("data", "fetch", "--config", config, "--source", "ib", "--symbols", "SPY")
    assert (answer.code, answer.out) == (5, "")
    assert "connection refused" in answer.err


def test_a_symbol_that_failed_is_named_and_the_exit_code_is_one(openbell, tmp_path):
    (tmp_path / "bars.csv").write_text(BARS)
    words = ("--source", "csv", "--path", tmp_path / "bars.csv", "--symbols", "NA,NOPE")
    answer = openbell("data", "fetch", "--config", configured(tmp_path), *words)
    assert answer.code == 1
    assert answer.out.startswith("csv: 2 symbols: 1 failed, 1 stored; 1 bars added")
    assert "NOPE: failed:" in answer.out
    assert "Traceback" not in answer.err


def test_the_key_comes_from_the_secrets_and_is_shown_nowhere(openbell, server, tmp_path):
    day = {"1. open": "1", "2. high": "1", "3. low": "1", "4. close": "1", "6. volume": "5"}
    good = as_json({"Time Series (Daily)": {"2014-06-06": day}})
    server.answers["/query"] = lambda asked: good if asked.parameters["symbol"] == "NA" else Answer(b"no", 400)
    config = with_key(tmp_path, server.url)
    words = ("--source", NAME, "--symbols", "NA,XYZ", "--from", "2014-06-02", "--to", "2014-06-13")
    answer = openbell("data", "fetch", "--config", config, *words)
    assert answer.code == 1
    assert BarStore(tmp_path / "data").symbols("1d") == ("NA",)
    assert server.asked[0].parameters["apikey"] == KEY
    assert KEY not in answer.out + answer.err
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["--source", "bloomberg"], 2, "--source 'bloomberg', allowed: ib, alphavantage"),
        (["--source", "csv"], 2, "--source csv needs --path"),
        (["--source", "csv", "--path", "x.csv", "--prices", "net"], 2, "--prices 'net', allowed: raw, split, total"),
        (["--source", "ib", "--path", "x.csv"], 2, "--path and --actions go with --source csv only"),
        (["--source", "ib", "--frequency", "2m"], 2, "--frequency '2m', allowed: 1d, 1h, 15m, 5m, 1m"),
        (["--source", "ib", "--from", "yesterday"], 2, "--from 'yesterday' is no date"),
        (["--source", "sec", "--documents", "rumours"], 2, "--documents 'rumours', allowed: of tickers,"),
        (["--source", "csv", "--path", "nowhere.csv"], 3, "nowhere.csv: no such file"),
        (["--source", NAME], 78, "secret alphavantage_key: not found"),
        (["--source", "sec"], 78, 'data.sources.sec_user_agent: "", the SEC wants a name and a mail address'),
    ],
)
def test_wrong_words_are_one_line_and_their_exit_code(openbell, tmp_path, words, code, line):
    answer = openbell("data", "fetch", "--config", configured(tmp_path), *words)
    assert (answer.code, answer.out) == (code, "")
    assert line in answer.err
    assert answer.err.count("\n") == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [("alphavantage_url", '"http://example.org"'), ("sec_per_s", "11"), ("ib_client_id", "0"), ("alpaca_feed", '"x"')],
)
def test_a_wrong_key_is_named_with_its_line(openbell, tmp_path, key, value):
    config = configured(tmp_path, f"[data.sources]\n{key} = {value}\n")
    answer = openbell("data", "fetch", "--config", config, "--source", "ib")
    assert answer.code == 78
    assert f"data.sources.{key}" in answer.err


@pytest.mark.parametrize("client_id", [7, 8])
def test_the_daemons_client_ids_are_not_taken(openbell, tmp_path, client_id):
    config = configured(tmp_path, f"[data.sources]\nib_client_id = {client_id}\n")
    answer = openbell("data", "fetch", "--config", config, "--source", "ib")
    assert (answer.code, answer.err.count("\n")) == (78, 1)
    assert "is the daemon's, allowed is another one" in answer.err


@pytest.mark.process
def test_a_fetch_that_is_killed_goes_on_without_loss_duplicate_or_violation(tmp_path):
    wire = tmp_path / "wire.jsonl"
    store = BarStore(tmp_path / "data")
    with a_gateway_beside(MARKET, speed=60.0, pacing="reject", record_path=wire) as (gateway, _):
        config = configured(tmp_path, port=gateway.port)
        first = fetching(config)
        ends_at = time.monotonic() + 20
        while not store.spans("1m") and first.poll() is None and time.monotonic() < ends_at:
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        rows = sum(span.rows for span in store.spans("1m"))
        assert 0 < rows < 390 * len(DAYS) * 2
        second = fetching(config, "--json", stdout=subprocess.PIPE)
        told, _ = second.communicate(timeout=30)
        assert (second.returncode, json.loads(told)["is_complete"]) == (0, True)
    panel = store.read(MARKET.symbols, "1m", view="split")
    for column, symbol in enumerate(MARKET.symbols):
        told = MARKET.history(symbol, end_at=MARKET.opens_at, duration_s=len(DAYS) * 86_400.0, bar_s=60)
        printed = ~np.isnan(panel.close[:, column])
        np.testing.assert_array_equal(panel.opened_at[printed] // 10**9, told.starts_at.astype(np.int64))
        np.testing.assert_array_equal(panel.close[printed, column], told.close)
    assert "pacing violation" not in wire.read_text()


def fetching(config, *more, stdout=subprocess.DEVNULL):
    words = ("--source", "ib", "--frequency", "1m", "--symbols", "SPY,AAPL", "--from", DAYS[0], "--to", DAYS[-1])
    command = [sys.executable, "-m", "openbell", "data", "fetch", "--config", config, *words, *more]
    return subprocess.Popen(list(map(str, command)), cwd=ROOT, stdout=stdout, stderr=subprocess.DEVNULL)
