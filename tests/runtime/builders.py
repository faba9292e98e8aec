"""What the tests of the rim are made of."""

import asyncio
from datetime import UTC, datetime, timedelta

import numpy as np

from daemon.engine.assembly import build_engine
from shared.account import Account
from shared.config import Config
from shared.events import (
    BarsClosed,
    BrokerReported,
    ConnectionRestored,
    OrderAccepted,
    OrderFilled,
    RunStarted,
    SessionScheduled,
)
from shared.ids import leg_ref
from shared.io.journal import Journal, Run
from shared.market import BarRow
from shared.orders import Fill, Leg, Side
from tests.fakes.limits import LIFTED, PERSON

OPEN = datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
CLOSE = datetime(2013, 10, 8, 20, 0, tzinfo=UTC)
ACCOUNT = "DU1234567"


def at(seconds):
    return OPEN + timedelta(seconds=seconds)


async def eventually(holds, within_s=5.0):
    """Let the loop work until the condition holds."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is awaited is a belief of the code under test
            await asyncio.sleep(0.001)


def a_config(folder, **changes):
    """Two instruments, one moving-average cross of 2 and 3 minutes; a changed section is given as a dict."""
    data = {
        "session": {
            "calendar": "XNYS",
            "entry_after_open_s": 0,
            "entry_before_close_s": 900,
            "flatten_before_close_s": 300,
        },
        "broker": {"follow_gateway_clock": True, "request_timeout_s": 0.5},
        "universe": {"symbols": ["SPY", "IBM"]},
        "bars": {"interval_s": 60, "warm_up": 5, "row_grace_s": 0.05},
        "strategy": [
            {
                "name": "sma",
                "kind": "sma_cross",
                "params": {"fast": 2, "slow": 3},
                "allocation": 0.5,
                "sizing": {"method": "fixed_fraction", "fraction": 0.1},
                "exits": {"method": "percent", "stop_pct": 1.0, "target_pct": 2.0},
            }
        ],
        "execution": {
            "entry": "market",
            "limit_offset_bps": 5.0,
            "entry_timeout_s": 120.0,
            "acknowledge_within_s": 10.0,
        },
        "risk": {
            "max_order_quantity": 1000,
            "max_order_notional": 100_000.0,
            "max_position_quantity": 2000,
            "max_position_notional": 200_000.0,
            "max_gross_exposure": 1.0,
            "price_collar_pct": 5.0,
            "price_jump_pct_max": 20.0,
            "price_age_max_s": 300.0,
            "protect_within_s": 5.0,
            **LIFTED,
            **PERSON,
        },
        "runtime": {"heartbeat_every_s": 0.05, "reconcile_every_s": 30.0, "snapshot_every_events": 1000},
    }
    for key, change in changes.items():
        before = data.get(key)
        data[key] = {**before, **change} if isinstance(before, dict) and isinstance(change, dict) else change
    return Config.model_validate(data).based_at(folder)


def a_row(spy, ibm=185.0):
    prices = np.array([spy, ibm])
    return BarRow(open=prices, high=prices, low=prices, close=prices, volume=np.array([1000.0, 1000.0]))


def bars(minute, spy, *, warm_up=False):
    closed_at = at(60 * minute)
    return BarsClosed(received_at=closed_at, closed_at=closed_at, interval_s=60, row=a_row(spy), warm_up=warm_up)


def a_report(seconds, **parts):
    account = Account(account_id=ACCOUNT, net_liquidation=1e6, cash=1e6, buying_power=4e6)
    nothing = {"positions": (), "open_orders": (), "completed_orders": (), "fills": ()}
    return BrokerReported(received_at=at(seconds), asked_at=at(seconds), account=account, **{**nothing, **parts})


def a_morning():
    """Events that lead the engine of `a_config` to one bracket in SPY, filled and protected."""
    plan = "OB1:sma:20131008:SPY-1"
    fill = Fill(
        ref=leg_ref(plan, Leg.ENTRY),
        exec_id="0001.01.01.01",
        symbol="SPY",
        side=Side.BUY,
        quantity=10,
        price=166.0,
        filled_at=at(301),
    )
    return [
        RunStarted(received_at=at(0), run_id="r1"),
        SessionScheduled(received_at=at(0), session=OPEN.date(), opens_at=OPEN, closes_at=CLOSE),
        ConnectionRestored(received_at=at(0), account_id=ACCOUNT),
        a_report(1),
        *(bars(minute, price) for minute, price in enumerate([165.0, 164.0, 163.0, 164.0, 166.0], start=1)),
        OrderAccepted(received_at=at(300), ref=fill.ref, perm_id=1, broker_status="Submitted"),
        OrderFilled(received_at=at(301), fill=fill),
        *(bars(minute, price) for minute, price in enumerate([167.0, 168.0, 160.0, 150.0], start=6)),
    ]


def a_run(config, name="r1", code_version="test"):
    return Run(
        id=name,
        started_at=OPEN.isoformat(),
        mode=config.mode,
        config_json=config.model_dump_json(),
        base_dir=str(config.base_dir),
        code_version=code_version,
        strategy_hashes="{}",
    )


def journalled(path, config, events, *, snapshot_after=None):
    """A journal in which the real engine has handled the events; its state at the end and its commands."""
    engine = build_engine(config)
    commands = []
    with Journal.create(path, config.mode) as journal:
        journal.start_run(a_run(config), engine.snapshot())
        for number, event in enumerate(events, start=1):
            given = engine.handle(event)
            journal.append(event, given)
            commands += given
            if number == snapshot_after:
                journal.write_snapshot(engine.snapshot())
    return engine, commands
