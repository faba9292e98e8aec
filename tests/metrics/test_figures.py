"""Every figure against a heartbeat and events whose numbers are known by hand."""

import json
import math
import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from daemon.alerts.catalogue import ALERTS
from daemon.engine.assembly import build_engine
from daemon.metrics.figures import SYMBOLS_MAX, Figures
from tests.runtime.builders import a_config, a_morning, a_report, a_row, at, bars

GRAFANA = Path(__file__).resolve().parents[2] / "docs" / "grafana"
FACTS = {
    "verdict": "degraded",
    "state": "REDUCING, strategy:sma HALTED",
    "connection": "up",
    "market_at": at(660).isoformat(),
    "queue": 3,
    "lag_ms": 250.0,
    "memory_mb": 120.5,
    "tasks": 17,
    "disk_free_mb": 5000.0,
    "uptime_s": 90,
    "reconnects": 2,
    "probe_age_s": None,
    "clock_offset_s": -0.5,
    "equity": 1e6,
    "day_profit": -120.0,
    "gross_exposure": 1660.0,
    "exposure_limit": 1e6,
    "slippage": 3.5,
    "round_trips": 4,
    "unknown": 1,
    "unprotected": 0,
    "reconciled": True,
    "session_open": True,
    "locks": {"SPY": "x"},
    "latches": {"account": ["a", "b"]},
    "positions": [{"symbol": "SPY"}],
    "working": ["OB1:sma:20131008:SPY-1:S working 10", "OB1:sma:20131008:SPY-2:E unknown 5"],
    "alerts": {"mail": {"sent": 5, "failed": 1, "waiting": 0, "last_success_age_s": 60}},
}


def values(figures):
    """What Prometheus reads: (name, labels) to value."""
    families = text_string_to_metric_families(generate_latest(figures.registry).decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def beaten(**changes):
    figures = Figures(["SPY", "IBM"])
    figures.on_beat(FACTS | changes)
    return values(figures)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("queue_events", 3.0),
        ("loop_lag_seconds", 0.25),
        ("memory_bytes", 120.5e6),
        ("tasks", 17.0),
        ("disk_free_bytes", 5e9),
        ("reconnects", 2.0),
        ("clock_offset_seconds", -0.5),
        ("equity", 1e6),
        ("day_profit", -120.0),
        ("gross_exposure", 1660.0),
        ("exposure_limit", 1e6),
        ("unknown_orders", 1.0),
        ("unprotected_positions", 0.0),
        ("broker_up", 1.0),
        ("locks", 1.0),
        ("latches", 1.0),
        ("positions", 1.0),
    ],
)
def test_a_heartbeat_fills_the_figures(name, value):
    assert beaten()[f"openbell_{name}", ()] == value


def test_what_is_not_known_is_not_zero():
    assert math.isnan(beaten()["openbell_probe_age_seconds", ()])


def test_state_and_verdict_are_told_as_one_of_their_words():
    read = beaten()
    assert read["openbell_verdict", (("openbell_verdict", "degraded"),)] == 1.0
    assert read["openbell_verdict", (("openbell_verdict", "ok"),)] == 0.0
    assert read["openbell_trading_state", (("openbell_trading_state", "REDUCING"),)] == 1.0


def test_orders_are_counted_by_state_and_a_state_that_empties_reads_zero():
    figures = Figures(["SPY"])
    figures.on_beat(FACTS)
    assert values(figures)["openbell_orders", (("state", "unknown"),)] == 1.0
    figures.on_beat(FACTS | {"working": []})
    assert values(figures)["openbell_orders", (("state", "unknown"),)] == 0.0


def test_alert_channels_are_told_by_name():
    read = beaten()
    assert read["openbell_alerts_sent", (("channel", "mail"),)] == 5.0
    assert read["openbell_alert_channel_age_seconds", (("channel", "mail"),)] == 60.0


def a_morning_of(figures, tmp_path):
    """The figures after a morning that the real engine has decided."""
    engine = build_engine(a_config(tmp_path))
    for event in a_morning():
        figures.on_durable([(event, engine.handle(event))], 0.003)
    figures.on_beat(FACTS)
    return values(figures)


def test_fills_and_the_time_from_decision_to_fill_are_measured(tmp_path):
    read = a_morning_of(Figures(["SPY", "IBM"]), tmp_path)
    assert read["openbell_fills_total", ()] == 1.0
    assert read["openbell_fill_latency_seconds_count", ()] == 1.0
    assert read["openbell_fill_latency_seconds_sum", ()] == 1.0  # decided at 300 s, filled at 301 s


def test_every_durable_write_is_in_the_histogram(tmp_path):
    read = a_morning_of(Figures(["SPY", "IBM"]), tmp_path)
    events = float(len(a_morning()))
    assert read["openbell_commit_seconds_count", ()] == events
    assert read["openbell_commit_seconds_bucket", (("le", "0.002"),)] == 0.0
    assert read["openbell_commit_seconds_bucket", (("le", "0.005"),)] == events


def test_ages_are_of_the_market_and_of_each_symbol():
    figures = Figures(["SPY", "IBM"])
    silent = a_row(100.0)
    silent.close[1] = math.nan
    figures.on_durable([(a_report(30.0), []), (bars(9, 100.0), []), (replace(bars(10, 100.0), row=silent), [])], 0.001)
    figures.on_beat(FACTS)
    read = values(figures)
    assert read["openbell_data_age_seconds", (("symbol", "SPY"),)] == 60.0
    assert read["openbell_data_age_seconds", (("symbol", "IBM"),)] == 120.0
    assert read["openbell_data_age_max_seconds", ()] == 120.0
    assert read["openbell_reconcile_age_seconds", ()] == 630.0


def test_an_incomplete_report_has_reconciled_nothing():
    figures = Figures(["SPY", "IBM"])
    figures.on_durable([(a_report(30.0, unanswered=("positions",)), [])], 0.001)
    figures.on_beat(FACTS)
    assert values(figures)["openbell_reconcile_age_seconds", ()] == 0.0


def test_labels_are_bounded_whatever_the_universe():
    figures = Figures([f"S{number}" for number in range(SYMBOLS_MAX + 300)])
    figures.on_beat(FACTS)
    assert sum(name == "openbell_data_age_seconds" for name, _ in values(figures)) == SYMBOLS_MAX


def test_a_fault_in_a_figure_stays_in_the_figures():
    figures = Figures(["SPY"])
    figures.on_durable([(bars(1, 100.0), [])], 0.001)  # a row of two instruments for a universe of one
    figures.on_beat(FACTS)
    assert values(figures)["openbell_commit_seconds_count", ()] == 1.0


def exported():
    return {name for name, _ in beaten()} | {"openbell_fills_total", "openbell_events_total"}


@pytest.mark.parametrize("file", ["openbell.json", "alert_rules.json"])
def test_board_and_rules_name_only_figures_that_are_exported(file):
    named = set(re.findall(r"\bopenbell_\w+", " ".join(_expressions(json.loads((GRAFANA / file).read_text())))))
    assert len(named) >= 15
    assert sorted(named - exported()) == []


def test_every_figure_is_on_the_board_or_in_a_rule():
    text = "".join((GRAFANA / file).read_text() for file in ("openbell.json", "alert_rules.json"))
    stems = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in exported()}
    assert sorted(stem for stem in stems if stem not in text) == []


def test_the_rules_are_yaml_as_prometheus_reads_it_and_each_has_a_runbook_page():
    yaml = pytest.importorskip("yaml")
    rules = yaml.safe_load((GRAFANA / "alert_rules.json").read_text())["groups"][0]["rules"]
    pages = {f"docs/runbook.md#{kind.code}" for kind in ALERTS}
    assert {rule["annotations"]["runbook"] for rule in rules} <= pages
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "notice"}
    assert [rule["alert"] for rule in rules if not re.fullmatch(r"\d+[smh]", rule["for"])] == []


def _expressions(node):
    match node:
        case dict():
            found = [node["expr"]] if isinstance(node.get("expr"), str) else []
            return found + [text for value in node.values() for text in _expressions(value)]
        case list():
            return [text for value in node for text in _expressions(value)]
    return []
