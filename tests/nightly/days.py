"""A day that was lived: the real engine over rows, filled by a broker that keeps its word; and its config.toml."""

from pathlib import Path

import numpy as np

from daemon.engine.assembly import build_engine
from shared.commands import Flatten, PlaceBracket
from shared.config import load_config
from shared.events import BarsClosed, ConnectionRestored, OrderAccepted, OrderFilled, RunStarted, SessionScheduled
from shared.io.journal import Journal
from shared.io.journal_place import journal_place
from shared.market import BarRow
from shared.orders import Fill
from tests.backtest.test_cli import CONFIG
from tests.runtime.builders import CLOSE, OPEN, a_report, a_run, at

CLOSES = (100.0, 99.0, 98.0, 99.0, 101.0, 102.0, 102.0, 100.0, 98.0, 97.0, 97.5, 99.0, 100.5)
"""The fast average crosses the slow one upward at the fifth, downward at the eighth, upward at the last rows."""


def a_config_file(folder, *, nightly="", text=CONFIG):
    path = folder / "config.toml"
    path.write_text(f"{text}\n{nightly}\n")
    return path


def a_lived_day(config_path, *, closes=CLOSES, worse=0.02, changed=False):
    """The journal of a session in which every order filled `worse` than the close it was decided on.

    `changed`: the journal lacks a command that the engine gave.
    """
    config = load_config(config_path)
    engine = build_engine(config)
    place = journal_place(config)
    assert isinstance(place, Path)
    place.parent.mkdir(parents=True, exist_ok=True)
    with Journal.create(place, config.mode) as journal:
        journal.start_run(a_run(config), engine.snapshot())
        waiting = [
            RunStarted(received_at=at(0), run_id="r1"),
            SessionScheduled(received_at=at(0), session=OPEN.date(), opens_at=OPEN, closes_at=CLOSE),
            ConnectionRestored(received_at=at(0), account_id="DU1234567"),
            a_report(1),
            *(a_bar(number, close) for number, close in enumerate(closes, start=1)),
        ]
        number = 0
        while waiting:
            event = waiting.pop(0)
            commands = engine.handle(event)
            journal.append(event, commands[:-1] if changed and isinstance(event, BarsClosed) else commands)
            for command in commands:
                order = command.bracket.entry if isinstance(command, PlaceBracket) else getattr(command, "order", None)
                if isinstance(command, PlaceBracket | Flatten):
                    number += 1
                    waiting[:0] = answers(order, number, event, worse)
    return config


def answers(order, number, event, worse):
    """The broker confirms after a quarter of a second and fills after two."""
    close = float(event.row.close[0])
    fill = Fill(
        ref=order.ref,
        exec_id=f"0001.{number:04d}.01.01",
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=round(close + order.side.sign * worse, 4),
        filled_at=at((event.closed_at - OPEN).total_seconds() + 2),
    )
    seconds = (event.closed_at - OPEN).total_seconds()
    return [
        OrderAccepted(received_at=at(seconds + 0.25), ref=order.ref, perm_id=number, broker_status="Submitted"),
        OrderFilled(received_at=at(seconds + 2.1), fill=fill),
    ]


def a_bar(minute, close):
    prices = np.array([close])
    row = BarRow(open=prices, high=prices + 0.5, low=prices - 0.5, close=prices, volume=np.array([1e6]))
    return BarsClosed(received_at=at(60 * minute), closed_at=at(60 * minute), interval_s=60, row=row)
