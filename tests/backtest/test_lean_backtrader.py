"""A replay imports backtrader without TA-Lib and pandas, and takes neither away from anybody."""

import subprocess
import sys

import pytest

LEAN = "import research.backtest.lean_backtrader as lean, sys"


def said_by(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("module", ["research.backtest.run", "research.backtest.mirror"])
def test_what_runs_a_replay_imports_neither_ta_lib_nor_pandas(module):
    loaded = said_by(f"import sys, {module}; print(*sys.modules)")
    assert "backtrader" in loaded
    assert {"talib", "pandas"} & set(loaded) == set()


def test_afterwards_ta_lib_is_found_as_ever():
    pytest.importorskip("talib")
    assert said_by(f"{LEAN}; import talib; print(talib.SMA.__name__)") == ["SMA"]


def test_a_backtrader_that_was_imported_before_is_the_one_that_is_taken():
    assert said_by(f"import backtrader; {LEAN}; print(lean.bt is backtrader, 'talib' in sys.modules)")[0] == "True"
