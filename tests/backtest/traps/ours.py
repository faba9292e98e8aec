"""The same bars through `run_replay`: engine, gate, brackets, written fill rules."""

from pathlib import Path

from msgspec import Struct

from bench.limits import lifted
from research.backtest.run import run_replay
from shared.config import Config
from shared.orders import Side

SCRIPT = Path(__file__).with_name("said_by_script.py")


class Ours(Struct):
    """Fills as (row, symbol, signed shares, price), shares held at the end, final equity."""

    fills: list[tuple[int, str, int, float]]
    held: dict[str, int]
    equity: float
    result: object


def ours(
    panel,
    script,
    *,
    cash=10_000.0,
    fraction=0.1,
    stop_pct=2.0,
    target_pct=4.0,
    slippage_bps=0.0,
    participation=1.0,
    intrabar="pessimistic",
    entry="market",
    gross=1.0,
):
    """Ten shares at 100 unless told otherwise: a tenth of ten thousand."""
    config = Config.model_validate(
        {
            "session": {
                "calendar": "XNYS",
                "entry_after_open_s": 0,
                "entry_before_close_s": 0,
                "flatten_before_close_s": 0,
            },
            "universe": {"symbols": list(panel.symbols)},
            "bars": {"interval_s": 60, "warm_up": 0},
            "strategy": [
                {
                    "name": "script",
                    "kind": SCRIPT.name,
                    "params": {"script": script},
                    "allocation": 1.0,
                    "sizing": {"method": "fixed_fraction", "fraction": fraction},
                    "exits": {"method": "percent", "stop_pct": stop_pct, "target_pct": target_pct},
                }
            ],
            "execution": {
                "entry": entry,
                "limit_offset_bps": 0.0,
                "entry_timeout_s": 3_600.0,
                "acknowledge_within_s": 10.0,
            },
            "risk": {
                **lifted(),
                "max_order_quantity": 1_000_000,
                "max_order_notional": 1e8,
                "max_position_quantity": 1_000_000,
                "max_position_notional": 1e8,
                "max_gross_exposure": gross,
                "price_collar_pct": 50.0,
                "price_jump_pct_max": 50.0,
                "price_age_max_s": 3_600.0,
                "protect_within_s": 5.0,
                "allow_short": True,
            },
            "replay": {
                "starting_cash": cash,
                "slippage_bps": slippage_bps,
                "commission": "none",
                "participation": participation,
                "intrabar": intrabar,
            },
        }
    ).based_at(SCRIPT.parent)
    result = run_replay(config, panel)
    return _told(panel, result)


def _told(panel, result):
    closes = [int(at) for at in panel.closed_at]
    fills = []
    held = dict.fromkeys(panel.symbols, 0)
    for entry in result.fills:
        fill = entry.fill
        signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
        at = round(fill.filled_at.timestamp() * 1e6) * 1_000
        fills.append((closes.index(at), fill.symbol, signed, fill.price))
        held[fill.symbol] += signed
    return Ours(fills=fills, held=held, equity=float(result.curve.net_liquidation[-1]), result=result)
