"""The aimed days by safeguard: what goes wrong on them, and why that is what the safeguard is there for."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.simulation.plan import ClockStep, Crash, Incident, MqttFault, NetworkFault, Operator, Plan, Stop
from tests.simulation.safeguards.aimed import TURN_S, Aim, always, day_of, fault, turn

LIMIT: dict[str, Any] = {"entry": "limit", "limit_offset_bps": 0.0}
"""Entries at the last price: some rest for a while."""
FOR_GOOD: dict[str, Any] = {"params": {"every": 10_000, "views": "+"}}
"""Long from the first row on."""
LARGE: dict[str, Any] = {"sizing": {"method": "fixed_fraction", "fraction": 0.8}}
"""More than the market trades in a few seconds: an entry at the last price rests, part-filled, for a while."""


def _cut(at_s: float) -> NetworkFault:
    return NetworkFault(at_s=at_s, what="reset", line="orders")


def _said(at_s: float, verb: Any, scope: str = "account") -> Operator:
    return Operator(at_s=at_s, verb=verb, scope=scope)


# --- before an entry ------------------------------------------------------------------------------------------------


def _lists_without_end(chance: Random) -> list[Incident]:
    at = turn(chance)
    return [always(at - 40, "swallow_position_end", for_s=150.0), _cut(at - 20)]


def _orders_without_an_answer(chance: Random) -> list[Incident]:
    return [always(turn(chance) - 10, "hold_order", for_s=300.0)]


def _halted(chance: Random) -> list[Incident]:
    return [_said(turn(chance, 120, 300) - chance.uniform(1, 20), chance.choice(["halt", "block", "flatten"]))]


def _halted_and_restarted(chance: Random) -> list[Incident]:
    at = turn(chance, 120, 300)
    ends: list[Incident] = [Stop(at_s=at + 30, down_s=5.0), Crash(at_s=at + 30, where="step", nth=3, down_s=5.0)]
    return [_said(at, chance.choice(["halt", "block"])), chance.choice(ends)]


def _flatten_while_away(chance: Random) -> list[Incident]:
    at = turn(chance, 120, 300) + chance.uniform(10, 30)
    return [fault(at, "lose_server", for_s=20.0), _said(at + 8, "flatten")]


def _halted_while_entries_rest(chance: Random) -> list[Incident]:
    """An entry at the last price fills with the next step of the market, at the earliest."""
    return [_said(turn(chance, 120, 300) + chance.uniform(0.3, 1.0), "halt")]


def _silent_stream(chance: Random) -> list[Incident]:
    """A view is held back by a person; when it may go, its instrument has printed nothing for minutes."""
    silent_at = chance.uniform(40, 80)
    stopped = fault(silent_at, "stream_stops", symbol="SPY", for_s=400.0)
    return [_said(4, "block"), stopped, _said(silent_at + chance.uniform(100, 200), "resume")]


def _bad_quotes(chance: Random) -> list[Incident]:
    return [fault(turn(chance) - 20, "bad_ticks", how="crossed", probability=0.5, for_s=300.0)]


def _spikes(chance: Random) -> list[Incident]:
    return [fault(turn(chance) - 20, "bad_ticks", how="spike", probability=0.3, for_s=300.0)]


def _lost_and_restarted(chance: Random) -> list[Incident]:
    """Restarts over which a count or a latch has to live."""
    return [Crash(at_s=turn(chance, 180, 300), where="after_commit", nth=1, down_s=5.0)]


def _refused(at: float) -> Incident:
    """What latches by it is over by itself as soon as another order is accepted."""
    return fault(at - 2, "reject_order", probability=1.0, for_s=20.0)


def _refused_and_restarted(chance: Random) -> list[Incident]:
    at = turn(chance, 60, 180)
    return [_refused(at), Crash(at_s=at + 100, where="after_commit", nth=1, down_s=5.0)]


def _refused_and_resumed(chance: Random) -> list[Incident]:
    at = turn(chance, 60, 180)
    return [_refused(at), *(_said(at + TURN_S * n - 20, "resume") for n in (2, 3, 4))]


# --- what is believed -----------------------------------------------------------------------------------------------


def _told_twice(chance: Random) -> list[Incident]:
    return [always(turn(chance) - 10, "duplicate_executions", times=2)]


def _corrected(chance: Random) -> list[Incident]:
    return [fault(turn(chance) + chance.uniform(5, 20), "correct_execution", shares_times=0.5)]


def _busted(chance: Random) -> list[Incident]:
    """The broker takes an entry back; its legs stand behind nothing."""
    return [fault(chance.uniform(30, 90), "correct_execution", shares_times=0.0)]


def _partly_busted(chance: Random) -> list[Incident]:
    """The broker takes a part of an entry back; its legs are too large."""
    return [fault(chance.uniform(30, 90), "correct_execution", shares_times=0.4)]


def _exits_without_an_answer(chance: Random) -> list[Incident]:
    return [always(chance.uniform(90, 130), "hold_order")]


def _late_shares(chance: Random) -> list[Incident]:
    """An entry fills in part and is cancelled by the broker; its executions come long after that word."""
    at = turn(chance)
    told = always(at - 10, "status_order", how="status_first", delay_s=chance.uniform(4, 12))
    return [told, *(fault(at + TURN_S * n + chance.uniform(0.5, 1.5), "fill_in_parts", share=0.5) for n in range(2))]


def _filled_while_away(chance: Random) -> list[Incident]:
    at = turn(chance, 120, 300)
    return [fault(at - 1, "lose_server", for_s=25.0), fault(at + 2, "fill_in_parts", pieces=2, share=0.9)]


def _late_answers(chance: Random) -> list[Incident]:
    """What leaves takes longer to be answered than an order may stay unanswered."""
    return [NetworkFault(at_s=-5.0, what="slow", line="orders", for_s=300.0, size_s=chance.uniform(5.0, 9.0))]


def _warned(chance: Random) -> list[Incident]:
    return [always(turn(chance) - 10, "placement_warning", code=chance.choice([399, 10311, 10349]))]


def _changed_and_doubled(chance: Random) -> list[Incident]:
    return [fault(turn(chance) + chance.uniform(1, 10), "duplicate_live")]


# --- what is held ---------------------------------------------------------------------------------------------------


def _stops_lost(chance: Random) -> list[Incident]:
    return [always(turn(chance) - 10, "lose_stop_leg")]


def _stops_cancelled(chance: Random) -> list[Incident]:
    return [fault(turn(chance) + chance.uniform(5, 20), "broker_cancels")]


def _stops_refused(chance: Random) -> list[Incident]:
    """The stop goes, and every new order is refused."""
    at = turn(chance) + 5
    return [fault(at, "broker_cancels"), always(at - 2, "reject_order", for_s=200.0)]


def _overfilled(chance: Random) -> list[Incident]:
    return [fault(turn(chance) + chance.uniform(5, 20), "overfill_group")]


def _split(chance: Random) -> list[Incident]:
    return [fault(chance.uniform(60, 120), "split", symbol="SPY", ratio=chance.choice([2.0, 3.0, 0.5]))]


# --- around the engine ----------------------------------------------------------------------------------------------


def _killed_while_sending(chance: Random) -> list[Incident]:
    return [Crash(at_s=turn(chance) - 5, where="sending", nth=chance.randint(1, 4), down_s=10.0)]


def _halted_and_killed(chance: Random) -> list[Incident]:
    """What the broker cannot tell again after a restart: a person's word."""
    at = turn(chance, 120, 300)
    return [_said(at, "halt"), Crash(at_s=at + 30, where="step", nth=3, down_s=10.0)]


def _deaf_line(chance: Random) -> list[Incident]:
    return [NetworkFault(at_s=turn(chance) - 5, what="deaf", line="orders", for_s=250.0)]


def _gateway_away(chance: Random) -> list[Incident]:
    return [fault(turn(chance), "refuse_connections", for_s=20.0)]


def _strangers_shares(chance: Random) -> list[Incident]:
    """Nothing but a report tells of them, and nothing gives cause to ask."""
    return [fault(turn(chance), "manual_order", symbol="SPY", quantity=float(chance.randint(10, 300)))]


def _clock_set_back(chance: Random) -> list[Incident]:
    """The first entry is held without a word while the wall's clock is set back: its time runs all the same."""
    step = ClockStep(at_s=chance.uniform(18, 40), by_s=chance.choice([-3600.0, -600.0]))
    return [fault(5, "hold_order", probability=1.0, for_s=60.0), step]


def _alarms(chance: Random) -> list[Incident]:
    return _stops_lost(chance)


def _forged(chance: Random) -> list[Incident]:
    at = chance.uniform(30, 100)
    return [_said(at, "halt"), MqttFault(at_s=at + 5, what="forged", for_s=0.0)]


def _replayed(chance: Random) -> list[Incident]:
    """A person frees what was halted, halts again, and somebody sends the freeing once more."""
    at = chance.uniform(30, 100)
    freed = Operator(at_s=at, verb="resume", scope="account", by="mqtt")
    return [freed, _said(at + 2, "halt"), MqttFault(at_s=at + 4, what="replayed", for_s=0.0)]


def _retained(chance: Random) -> list[Incident]:
    at = chance.uniform(30, 100)
    return [Stop(at_s=at, down_s=6.0), MqttFault(at_s=at + 4, what="retained", for_s=0.0)]


MQTT = {"mqtt": {"enabled": True, "commands": True}}
FLAT = {"session": {"flatten_before_close_s": 300, "entry_before_close_s": 300}}
TRAILING = {"exits": {"method": "percent", "stop_pct": 0.1, "target_pct": 0.1}}
AIMS: dict[str, Aim] = {
    "reconciled_before_entries": Aim(trouble=_lists_without_end),
    "complete_report": Aim(trouble=_lists_without_end),
    "halt_blocks_entries": Aim(trouble=_halted),
    "entry_window": Aim(daemon={"session": {"entry_after_open_s": 300}}, lasts_s=400),
    "half_days": Aim(session="2026-11-27", daemon=FLAT, lasts_s=12_600),
    "flat_before_the_close": Aim(session="2026-11-27", daemon=FLAT, strategy=FOR_GOOD, lasts_s=0),
    "instrument_lock": Aim(trouble=_split, strategy={"params": {"every": 8, "views": "h+"}}),
    "fresh_data": Aim(trouble=_silent_stream, strategy=FOR_GOOD),
    "sane_quotes": Aim(trouble=_bad_quotes),
    "believable_prices": Aim(trouble=_spikes),
    "price_collar": Aim(daemon={"execution": {"entry": "limit", "limit_offset_bps": 500.0}}, lasts_s=300),
    "order_rate": Aim(daemon={"risk": {"max_orders_per_min": 1}}, lasts_s=300),
    "order_size": Aim(daemon={"risk": {"max_order_quantity": 20}}, lasts_s=300),
    "position_size": Aim(
        second={}, daemon={"risk": {"max_position_quantity": 100, "max_order_quantity": 100}}, lasts_s=300
    ),
    "gross_exposure": Aim(daemon={"risk": {"max_gross_exposure": 0.01}}, lasts_s=300),
    "working_orders_count": Aim(
        second={}, daemon={"risk": {"max_position_quantity": 100, "max_order_quantity": 100}}, lasts_s=400
    ),
    "latches_hold": Aim(daemon={"risk": {"max_losses_in_a_row": 1}}),
    "latches_survive_restart": Aim(daemon={"risk": {"max_rejects_in_a_row": 1}}, trouble=_refused_and_restarted),
    "latches_need_a_reset": Aim(daemon={"risk": {"max_rejects_in_a_row": 1}}, trouble=_refused_and_resumed),
    "caps_survive_restart": Aim(daemon={"risk": {"max_orders_per_day": 4}}, trouble=_lost_and_restarted),
    "halt_survives_restart": Aim(trouble=_halted_and_restarted),
    "halt_pulls_entries": Aim(trouble=_halted_while_entries_rest, daemon={"execution": LIMIT}, strategy=LARGE),
    "wishes_are_kept": Aim(trouble=_flatten_while_away),
    "executions_once": Aim(trouble=_told_twice),
    "corrections_replace": Aim(trouble=_corrected),
    "late_executions_count": Aim(trouble=_late_shares, daemon={"execution": LIMIT}, strategy=LARGE),
    "executions_are_asked": Aim(trouble=_filled_while_away),
    "unanswered_is_not_empty": Aim(trouble=_lists_without_end),
    "silence_is_not_the_end": Aim(
        trouble=_late_answers,
        strategy={"params": {"every": 10_000, "views": "+"}},
        daemon={
            "bars": {"interval_s": 5, "row_grace_s": 0.5},
            "broker": {"request_timeout_s": 30.0},
            "execution": {"acknowledge_within_s": 2.0},
            "risk": {"max_position_quantity": 200, "max_order_quantity": 200},
        },
        lasts_s=300,
    ),
    "no_blind_resend": Aim(trouble=_orders_without_an_answer),
    "warnings_end_nothing": Aim(trouble=_warned),
    "double_perm_id": Aim(trouble=_changed_and_doubled, strategy=FOR_GOOD),
    "bare_shares_get_a_stop": Aim(trouble=_stops_cancelled, strategy=FOR_GOOD),
    "unprotectable_is_closed": Aim(trouble=_stops_refused, strategy=FOR_GOOD),
    "legs_shrink": Aim(trouble=_partly_busted, strategy=FOR_GOOD),
    "legs_end_with_the_plan": Aim(trouble=_busted, strategy=FOR_GOOD),
    "oca_group": Aim(strategy=TRAILING),
    "oca_overfill_protection": Aim(strategy=TRAILING),
    "overfills_are_given_back": Aim(trouble=_overfilled, strategy=FOR_GOOD),
    "exits_count_once": Aim(trouble=_exits_without_an_answer, strategy={"params": {"every": 8, "views": "+0"}}),
    "splits_wait_for_a_person": Aim(trouble=_split, strategy={"params": {"every": 40, "views": "+"}}),
    "journal_before_bytes": Aim(trouble=_killed_while_sending),
    "recovery_reads_the_tail": Aim(trouble=_halted_and_killed),
    "silence_is_a_loss": Aim(trouble=_deaf_line, lasts_s=700),
    "tries_for_ever": Aim(trouble=_gateway_away),
    "reports_by_the_clock": Aim(trouble=_strangers_shares, strategy={"symbols": ["IBM"], **FOR_GOOD}),
    "monotonic_time": Aim(trouble=_clock_set_back, strategy=FOR_GOOD, lasts_s=300),
    "alerts_leave": Aim(trouble=_alarms),
    "redaction": Aim(lasts_s=200),
    "signatures": Aim(trouble=_forged, daemon=MQTT, lasts_s=200),
    "nonces": Aim(trouble=_replayed, daemon=MQTT, lasts_s=200),
    "retained_commands": Aim(trouble=_retained, daemon=MQTT, lasts_s=200),
}


def aimed(name: str, seed: int) -> Plan:
    """The day of a seed that is aimed at a safeguard. Raises KeyError where none is."""
    return day_of(name, AIMS[name], seed)
