import json
import subprocess
import sys
from pathlib import Path

import pytest

from research.measures.ledger import LEDGER_FILE, Ledger
from tests.backtest.test_cli import CLOSES, CONFIG
from tests.runtime.front_door import FrontDoor

ROOT = Path(__file__).resolve().parents[2]
INDEX = "date,close\n2013-10-07,100\n2013-10-08,101\n"


@pytest.fixture
def openbell(capsys, monkeypatch):
    return FrontDoor(capsys, monkeypatch)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG)
    bars = [
        f"SPY,2013-10-08T13:{30 + at}:00+00:00,{price},{price},{price},{price},1000000"
        for at, price in enumerate(CLOSES)
    ]
    (tmp_path / "bars.csv").write_text("symbol,ts,open,high,low,close,volume\n" + "\n".join(bars) + "\n")
    (tmp_path / "index.csv").write_text(INDEX)
    return tmp_path


def words(folder, *more):
    return ("replay", "--config", folder / "config.toml", "--data", folder / "bars.csv", "--out", folder / "out", *more)


def test_a_benchmark_stands_in_report_and_page(openbell, folder):
    done = openbell(*words(folder, "--benchmark", folder / "index.csv"))
    assert done.code == 0
    assert "against index" in done.out
    assert "Equity against index" in (folder / "out" / "tear_sheet.html").read_text()


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--benchmark", "none.csv"), 3, "none.csv: no such file, allowed: a .csv or .parquet of closes"),
        (("--benchmark", "bars.csv:IBM"), 1, "no symbol 'IBM', allowed: SPY"),
        (("--actions", "none.csv"), 3, "--actions none.csv: no such file"),
        (("--open", "--no-pictures"), 2, "--open has no page to show"),
    ],
)
def test_a_wrong_option_is_one_line_and_leaves_no_report(openbell, folder, monkeypatch, flags, code, said):
    monkeypatch.chdir(folder)
    done = openbell(*words(folder, *flags))
    assert (done.code, done.out) == (code, "")
    assert said in done.err.splitlines()[-1]
    assert not (folder / "out").exists()


def test_a_replay_is_counted_once_however_often_it_is_repeated(openbell, folder):
    openbell(*words(folder, "--no-pictures"))
    openbell(*words(folder, "--no-pictures"))
    (trial,) = Ledger(folder / "state" / LEDGER_FILE).trials()
    assert (trial.strategy, trial.command) == ("sma_cross", "openbell replay")


def test_a_report_draws_the_same_page_again_without_the_bars(openbell, folder):
    openbell(*words(folder, "--benchmark", folder / "index.csv"))
    page, picture = ((folder / "out" / name).read_bytes() for name in ("tear_sheet.html", "replay.png"))
    for gone in ("out/tear_sheet.html", "out/replay.png", "bars.csv", "index.csv", "config.toml"):
        (folder / gone).unlink()
    done = openbell("report", folder / "out")
    assert done.code == 0
    assert "total return" in done.out
    assert (folder / "out" / "tear_sheet.html").read_bytes() == page
    assert (folder / "out" / "replay.png").read_bytes() == picture


def test_two_replays_of_the_same_bars_leave_the_same_files(openbell, folder):
    openbell(*words(folder))
    (folder / "out").rename(folder / "first")
    openbell(*words(folder))
    first, second = ({path.name: path.read_bytes() for path in (folder / name).iterdir()} for name in ("first", "out"))
    assert first == second


def test_a_folder_without_a_replay_is_not_found(openbell, folder):
    done = openbell("report", folder)
    assert (done.code, done.out) == (3, "")
    assert "tear_sheet.json: no such file, allowed: the folder that openbell replay wrote" in done.err


def test_a_damaged_report_is_one_line(openbell, folder):
    openbell(*words(folder, "--no-pictures"))
    (folder / "out" / "tear_sheet.json").write_text("{")
    done = openbell("report", folder / "out")
    assert (done.code, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1


def test_open_hands_the_page_to_the_browser(openbell, folder):
    openbell(*words(folder))
    browser = folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {folder}/asked\n')
    browser.chmod(0o755)
    subprocess.run(
        [sys.executable, ROOT / "openbell.py", "report", folder / "out", "--open"],
        env={"BROWSER": str(browser), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        check=True,
        capture_output=True,
    )
    assert (folder / "asked").read_text().strip() == (folder / "out" / "tear_sheet.html").as_uri()


def test_the_summary_is_still_plain_json(openbell, folder):
    done = openbell(*words(folder, "--json", "--no-pictures"))
    assert json.loads(done.out)["fills"] == 2
