"""The daemon of a day: its sections of config.toml as tests/scenarios/floor.a_config takes them, each key varied."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from tests.simulation.plan import Market
from tests.simulation.weather.chances import between, weighted, whether
from tests.simulation.weather.limits import drawn_limits
from tests.simulation.weather.trading_days import opening_price

STRATEGY_FILES = (Path(__file__).with_name("restless.py"), Path(__file__).parents[2] / "scenarios" / "threshold.py")
"""What stands beside the configuration: the kinds that are files."""

BARS_S = {5: 0.02, 10: 0.03, 15: 0.05, 30: 0.12, 60: 0.43, 120: 0.15, 300: 0.2}
WHOLE_BARS_S = {30: 0.1, 60: 0.4, 120: 0.2, 300: 0.3}
SPACINGS_S = {60: 0.04, 180: 0.16, 300: 0.3, 600: 0.35, 900: 0.15}
WHOLE_SPACINGS_S = {300: 0.15, 600: 0.4, 900: 0.25, 1800: 0.2}
"""How far apart the views of a restless strategy turn, in a part of a session and in a whole one: its trades."""
STRATEGIES = {"restless.py": 0.7, "threshold.py": 0.08, "sma_cross": 0.14, "cross_momentum": 0.08}
VIEWS = ("+0", "+-", "+0-0", "h+0", "-0+0", "+h-0")
HEARTBEATS_S = {10.0: 0.1, 30.0: 0.5, 60.0: 0.4}
RECONCILED_S = {30.0: 0.1, 60.0: 0.3, 120.0: 0.35, 300.0: 0.25}
"""Each question brings all orders of the day: where many are traded, asking every 15 s is most of what a day costs."""
QUIET_SPACING_S = 600
"""How far apart trades are expected where prices decide."""
SECOND_SHARE, MQTT_SHARE, FLAT_SHARE, CLOCK_SHARE, QUOTES_SHARE = 0.2, 0.4, 0.85, 0.3, 0.5


def drawn_daemon(chance: Random, market: Market) -> dict[str, Any]:
    """Every section that matters; what the world knows better (port, folders) it puts in itself."""
    bar_s = weighted(chance, BARS_S if market.lasts_s else WHOLE_BARS_S)
    closes_flat = not market.eve_s and whether(chance, FLAT_SHARE)
    names = ("one", "two") if whether(chance, SECOND_SHARE) else ("one",)
    return {
        "broker": {
            "follow_gateway_clock": whether(chance, CLOCK_SHARE),
            "connect_timeout_s": chance.choice((5.0, 10.0, 20.0)),
            "request_timeout_s": chance.choice((3.0, 10.0, 20.0)),
            "quotes": whether(chance, QUOTES_SHARE),
        },
        "session": _session(chance, closes_flat=closes_flat),
        "universe": {"symbols": list(market.symbols)},
        "bars": {
            "interval_s": bar_s,
            "warm_up": chance.choice((0, 10, 30, 60)),
            "row_grace_s": chance.choice((0.5, 2.0, 4.0)),
        },
        "strategy": [_strategy(chance, name, market, bar_s, len(names)) for name in names],
        "execution": _execution(chance),
        "risk": drawn_limits(chance, bar_s),
        "runtime": {
            "heartbeat_every_s": weighted(chance, HEARTBEATS_S) if not market.eve_s else 60.0,
            "reconcile_every_s": weighted(chance, RECONCILED_S) if not market.eve_s else 300.0,
            "snapshot_every_events": chance.choice((50, 300, 1000)),
        },
        "reconcile": {
            "foreign": weighted(chance, {"report": 0.6, "adopt": 0.25, "reduce": 0.15}),
            "adopted_stop_pct": chance.choice((1.0, 2.0, 5.0)),
        },
        "mqtt": {"enabled": True, "commands": True} if whether(chance, MQTT_SHARE) else {"enabled": False},
    }


def spacing_of(daemon: dict[str, Any]) -> float:
    """Seconds between two decisions that are likely to trade."""
    params = [one["params"]["every"] for one in daemon["strategy"] if "every" in one["params"]]
    return float(min(params) * daemon["bars"]["interval_s"]) if params else float(QUIET_SPACING_S)


def _session(chance: Random, *, closes_flat: bool) -> dict[str, Any]:
    flatten_s = chance.choice((60, 120, 300, 600)) if closes_flat else 0
    return {
        "calendar": "XNYS",
        "entry_after_open_s": chance.choice((0, 0, 60, 300)),
        "entry_before_close_s": max(chance.choice((60, 300, 900)), flatten_s),
        "flatten_before_close_s": flatten_s,
    }


def _strategy(chance: Random, name: str, market: Market, bar_s: int, count: int) -> dict[str, Any]:
    kind = weighted(chance, STRATEGIES)
    if kind == "cross_momentum" and len(market.symbols) == 1:
        kind = "restless.py"  # there is nothing to rank
    symbols = [market.symbols[0]] if kind == "threshold.py" else []
    if count > 1 and len(market.symbols) > 1 and not symbols and whether(chance, 0.5):
        symbols = list(market.symbols[1:]) if name == "two" else [market.symbols[0]]
    return {
        "name": name,
        "kind": kind,
        "symbols": symbols,
        "params": _params(chance, kind, market, bar_s),
        "allocation": 1.0 / count,
        "sizing": _sizing(chance),
        "exits": _exits(chance, bar_s),
    }


def _params(chance: Random, kind: str, market: Market, bar_s: int) -> dict[str, Any]:
    match kind:
        case "restless.py":
            spacing_s = max(weighted(chance, SPACINGS_S if market.lasts_s else WHOLE_SPACINGS_S), bar_s)
            return {"every": max(spacing_s // bar_s, 1), "views": chance.choice(VIEWS)}
        case "threshold.py":
            opens = opening_price(market, market.symbols[0])
            long_from = round(opens * (1 + chance.uniform(-0.001, 0.001)), 2)
            short_to = round(long_from * (1 - chance.choice((0.0005, 0.002))), 2) if whether(chance, 0.6) else 0.0
            return {"long_from": long_from, "short_to": short_to}
        case "sma_cross":
            fast = chance.randint(1, 5)
            return {"fast": fast, "slow": fast + chance.randint(1, 15), "long_only": whether(chance, 0.5)}
        case _:
            return {"lookback": chance.randint(1, 20), "rebalance_every": chance.randint(1, 10), "top": 1}


def _sizing(chance: Random) -> dict[str, Any]:
    if whether(chance, 0.75):
        return {"method": "fixed_fraction", "fraction": between(chance, 0.005, 0.12)}
    return {
        "method": "atr",
        "risk_fraction": between(chance, 0.0001, 0.0008, 5),
        "atr_period": chance.choice((3, 14)),
        "atr_multiple": chance.choice((1.0, 2.0, 4.0)),
    }


def _exits(chance: Random, bar_s: int) -> dict[str, Any]:
    """Stops from inside a quarter of an hour's move to those of a day; the holding may end by time."""
    held_s = max(chance.choice((60, 600, 3600)), bar_s) if whether(chance, 0.3) else 0
    if whether(chance, 0.65):
        stop = between(chance, 0.1, 2.0, 2)
        return {
            "method": "percent",
            "stop_pct": stop,
            "target_pct": chance.choice((0.0, stop, 2 * stop)),
            "trail_pct": between(chance, 0.1, 1.0, 2) if whether(chance, 0.35) else 0.0,
            "max_holding_s": held_s,
        }
    return {
        "method": "atr",
        "atr_period": chance.choice((3, 14)),
        "stop_atr": between(chance, 1.0, 8.0, 1),
        "target_atr": chance.choice((0.0, 2.0, 6.0)),
        "trail_atr": between(chance, 1.0, 6.0, 1) if whether(chance, 0.35) else 0.0,
        "max_holding_s": held_s,
    }


def _execution(chance: Random) -> dict[str, Any]:
    return {
        "entry": chance.choice(("market", "limit")),
        "limit_offset_bps": chance.choice((0.0, 1.0, 5.0, 20.0)),
        "entry_timeout_s": chance.choice((10.0, 60.0, 120.0, 600.0)),
        "acknowledge_within_s": chance.choice((2.0, 5.0, 10.0)),
        "good_till_slack_s": chance.choice((5.0, 30.0, 300.0)),
        "entries_on_reconnect": chance.choice(("cancel", "keep")),
        "targets_on_reconnect": chance.choice(("keep", "cancel")),
        "self_trade": chance.choice(("refuse", "allow")),
    }
