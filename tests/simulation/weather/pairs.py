"""What comes together and kills real daemons: recipes after RELIABILITY.md 3 (F1 to F22) and ANCHORS.md 1e (holes).

Each recipe puts its incidents around one moment, mostly one at which orders work. A weather draws those whose worst
fault it would draw by itself, too.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from brokers.simulated.gateway.faults.fault import Severity
from tests.simulation.plan import Incident
from tests.simulation.weather.chances import between, whether
from tests.simulation.weather.gateway_rules import OTHER_ACCOUNT, OWN_ACCOUNT, gateway_fault
from tests.simulation.weather.persons import ROUND_S, Verb, order_and_back, patience_s, settled
from tests.simulation.weather.single import Where, clock_steps, crash, disk_fault, mqtt_fault, network_fault, stop
from tests.simulation.weather.stage import Stage

SPAN_S = 900.0
"""So much time a recipe leaves itself before everything has to be over."""
QUICK_S = (0.1, 1.5)


class Recipe(Struct, frozen=True, kw_only=True):
    """`of` names what it is for, `severity` the worst of its faults."""

    of: str
    severity: Severity
    draw: Callable[[Stage, float], list[Incident]]


def drawn_pair(stage: Stage, severities: frozenset[Severity]) -> list[Incident]:
    """One of the recipes, at its moment."""
    recipe = stage.chance.choice([one for one in RECIPES if one.severity in severities])
    return recipe.draw(stage, float(stage.moment(SPAN_S)))


def _soon(stage: Stage, within_s: float = 5.0) -> float:
    return round(stage.chance.uniform(0.0, within_s), 3)


def _settled_later(stage: Stage, at_s: float) -> list[Incident]:
    """Somebody notices the break and takes the broker's quantity for true."""
    needs_s = ROUND_S * (len(stage.symbols) + 1)
    return [*settled(stage, float(stage.within(at_s + patience_s(stage), needs_s)))]


# ------------------------------------------------------------------ orders and their answers


def _old_ids(stage: Stage, at: float) -> list[Incident]:
    """F1: the gateway restarts, forgets our orders and gives their ids out again; perhaps we restart, too."""
    found: list[Incident] = [gateway_fault(stage, "restart_with_old_ids", at, for_s=stage.lasting(1.0, 60.0))]
    return [*found, crash(stage, at + _soon(stage, 60.0))] if whether(stage.chance, 0.4) else found


def _away_at_the_open(stage: Stage, _at: float) -> list[Incident]:
    """F2: 1100 two seconds after the open; fills and cancels of the broker meanwhile."""
    opens = float(stage.daemon["session"]["entry_after_open_s"] + 2)
    away_s = stage.lasting(20.0, 300.0)
    name = stage.chance.choice(("fill_in_parts", "broker_cancels"))
    return [
        gateway_fault(stage, "lose_server", opens, for_s=away_s),
        gateway_fault(stage, name, opens + stage.chance.uniform(2.0, away_s)),
    ]


def _filled_while_away(stage: Stage, at: float) -> list[Incident]:
    """F2: an order fills while the servers are away or our line is cut."""
    first: Incident = (
        gateway_fault(stage, "lose_server", at, for_s=stage.lasting(10.0, 200.0))
        if whether(stage.chance, 0.5)
        else network_fault(stage, at, stage.chance.choice(("reset", "deaf", "stall")), "orders")
    )
    return [first, gateway_fault(stage, "fill_in_parts", at + 1 + _soon(stage))]


def _cut_with_the_fill(stage: Stage, at: float) -> list[Incident]:
    """F2: the connection ends with the very message of a fill."""
    return [
        gateway_fault(stage, "drop_connection", at, message="execDetails", nth=stage.chance.randint(1, 2)),
        gateway_fault(stage, "fill_part_and_drop", at + 60),
    ]


def _changed_while_away(stage: Stage, at: float) -> list[Incident]:
    """F3: a change is refused or doubled while the link is bad."""
    return [
        network_fault(stage, at, stage.chance.choice(("slow", "stall")), "orders"),
        gateway_fault(stage, "duplicate_live", at + 2 + _soon(stage)),
        gateway_fault(stage, "refuse_change", at, probability=1.0),
        *_settled_later(stage, at),
    ]


def _lists_without_end(stage: Stage, at: float) -> list[Incident]:
    """F4, hole 2: what is asked after a reconnect does not come to its end."""
    name = stage.chance.choice(("swallow_position_end", "swallow_executions_end"))
    return [
        gateway_fault(stage, name, at, for_s=stage.lasting(30.0, 300.0), probability=1.0),
        network_fault(stage, at + 1 + _soon(stage), "reset", "orders"),
    ]


def _killed_between(stage: Stage, at: float) -> list[Incident]:
    """F5: killed around a commit or a send, something odd at the gateway in the same seconds."""
    name = stage.chance.choice(
        ("fill_in_parts", "duplicate_executions", "status_order", "placement_warning", "reject_order")
    )
    return [gateway_fault(stage, name, at), crash(stage, at + _soon(stage))]


def _warned(stage: Stage, at: float) -> list[Incident]:
    """F6, hole 11: every new order draws a warning; the status of its fill is late or never comes."""
    lasts_s = stage.lasting(300.0, 1800.0)
    return [
        gateway_fault(stage, "placement_warning", at, for_s=lasts_s, probability=1.0),
        gateway_fault(stage, "status_order", at, for_s=lasts_s, probability=1.0),
    ]


def _swallowed(stage: Stage, at: float) -> list[Incident]:
    """F7: orders without an answer; perhaps a restart before anybody asked."""
    lasts_s = stage.lasting(300.0, 900.0)
    found: list[Incident] = [gateway_fault(stage, "hold_order", at, for_s=lasts_s, probability=1.0)]
    return [*found, crash(stage, at + _soon(stage, lasts_s))] if whether(stage.chance, 0.3) else found


def _muddled_reports(stage: Stage, at: float) -> list[Incident]:
    """F10: fills twice, commissions first, late or senseless, all in the same stretch."""
    names = ("duplicate_executions", "commission_first", "commission_late", "status_order", "placement_warning")
    lasts_s = stage.lasting(120.0, 1200.0)
    chosen = stage.chance.sample(names, stage.chance.randint(2, 4))
    return [gateway_fault(stage, name, at, for_s=lasts_s, probability=1.0) for name in chosen]


def _id_in_use(stage: Stage, at: float) -> list[Incident]:
    """F11: back within a second or so, and the id is still taken; an order id is refused, too."""
    return [
        crash(stage, at, stage.chance.choice(("sending", "after_commit")), between(stage.chance, *QUICK_S)),
        gateway_fault(stage, "close_on_connect", at, for_s=stage.lasting(2.0, 60.0), reason="326"),
        gateway_fault(stage, "duplicate_order_id", at + 5, probability=1.0),
    ]


def _gone_before_flushed(stage: Stage, at: float) -> list[Incident]:
    """F12: the process ends while its orders are under way, in good order or not."""
    slow = network_fault(stage, at, "slow", "orders")
    if whether(stage.chance, 0.5):
        return [slow, crash(stage, at + _soon(stage), "sending")]
    return [slow, stop(stage, at + _soon(stage, 20.0))]


def _lost_leg(stage: Stage, at: float) -> list[Incident]:
    """Hole 5: an entry without its stop, and then something worse."""
    worse: Incident = (
        crash(stage, at + _soon(stage, 20.0))
        if whether(stage.chance, 0.5)
        else gateway_fault(stage, "lose_server", at + 1 + _soon(stage, 20.0), for_s=stage.lasting(5.0, 120.0))
    )
    return [gateway_fault(stage, "lose_stop_leg", at, for_s=900.0, probability=1.0), worse]


def _cancelled_without_answer(stage: Stage, at: float) -> list[Incident]:
    """Hole 3: people stop trading, and the cancels that follow are answered by nothing, by 161 or by a fill."""
    name = stage.chance.choice(("cancel_unanswered", "cancel_too_late"))
    verbs: tuple[Verb, ...] = ("halt", "flatten", "reduce")
    fault = gateway_fault(stage, name, at, for_s=stage.lasting(60.0, 600.0), probability=1.0)
    return [fault, *order_and_back(stage, at + _soon(stage, 20.0), stage.chance.choice(verbs))]


def _located(stage: Stage, at: float) -> list[Incident]:
    """A short sale waits for its shares while people pull it back."""
    fault = gateway_fault(stage, "locate_found", at, probability=1.0)
    return [fault, *order_and_back(stage, at + _soon(stage, 60.0), "halt")]


def _taken_back(stage: Stage, at: float) -> list[Incident]:
    """A fill is corrected or busted while nobody listens."""
    return [
        network_fault(stage, at, stage.chance.choice(("reset", "deaf")), "orders"),
        gateway_fault(stage, "correct_execution", at + 1),
        *_settled_later(stage, at),
    ]


# ------------------------------------------------------------------ connections, days, clocks


def _half_open(stage: Stage, at: float) -> list[Incident]:
    """F8, hole 6: the socket stands, nothing passes; an order fills meanwhile, or people want to be flat."""
    first: Incident = (
        network_fault(stage, at, "deaf", "both")
        if whether(stage.chance, 0.6)
        else gateway_fault(stage, "freeze", at, for_s=stage.lasting(15.0, 120.0))
    )
    if whether(stage.chance, 0.5):
        return [first, gateway_fault(stage, "fill_in_parts", at + 2 + _soon(stage, 10.0))]
    return [first, *order_and_back(stage, at + _soon(stage, 10.0), stage.chance.choice(("flatten", "halt")))]


def _flatten_while_away(stage: Stage, at: float) -> list[Incident]:
    """I14: people want to be flat between 1100 and 1102; now and then the process dies before the link is back."""
    away_s = stage.lasting(20.0, 300.0)
    name = stage.chance.choice(("lose_server", "lose_data"))
    found: list[Incident] = [
        gateway_fault(stage, name, at, for_s=away_s),
        *order_and_back(stage, at + 1 + _soon(stage, away_s), stage.chance.choice(("flatten", "halt"))),
    ]
    return [*found, crash(stage, at + away_s / 2)] if whether(stage.chance, 0.3) else found


def _nightly_reset(stage: Stage, at: float) -> list[Incident]:
    """F9: the flapping of the nightly reset at an hour at which it hurts, or a gateway that is gone for long."""
    if whether(stage.chance, 0.5):
        return [gateway_fault(stage, "nightly_reset", at, for_s=stage.lasting(120.0, 600.0))]
    lasts_s = stage.lasting(90.0, 600.0)
    return [
        gateway_fault(stage, "refuse_connections", at, for_s=lasts_s, drop=True),
        crash(stage, at + _soon(stage, 90)),
    ]


def _at_the_edges(stage: Stage, _at: float) -> list[Incident]:
    """F13, F14: killed, stopped or cut off just before the last entry, the flatten or the first entry."""
    session, length_s = stage.daemon["session"], stage.day.length_s
    edge = stage.chance.choice((0.0, session["entry_after_open_s"], length_s - session["entry_before_close_s"]))
    at = float(stage.within(edge - stage.chance.uniform(-5.0, 30.0), SPAN_S))
    return [
        crash(stage, at) if whether(stage.chance, 0.5) else stop(stage, at),
        network_fault(stage, at + _soon(stage)),
    ]


def _nobody_logs_in(stage: Stage, at: float) -> list[Incident]:
    """F15: the login is gone until somebody comes; the daemon is started anew meanwhile."""
    lasts_s = stage.lasting(300.0, 1800.0)
    return [gateway_fault(stage, "wait_for_login", at, for_s=lasts_s), stop(stage, at + _soon(stage, lasts_s))]


def _split(stage: Stage, at: float) -> list[Incident]:
    """F16: the position jumps; somebody accepts it, perhaps after a restart."""
    found: list[Incident] = [gateway_fault(stage, "split", at, symbol=stage.symbol()), *_settled_later(stage, at)]
    return [*found, crash(stage, at + _soon(stage, 60.0))] if whether(stage.chance, 0.4) else found


def _too_much(stage: Stage, at: float) -> list[Incident]:
    """F17, hole 4: filled more than was asked for, and a hand in TWS; settled once, and once more."""
    side, other = stage.chance.choice((("BUY", "SELL"), ("SELL", "BUY")))
    symbol = stage.symbol()
    return [
        gateway_fault(stage, "overfill_group", at),
        gateway_fault(stage, "manual_order", at + 60, symbol=symbol, side=side),
        *_settled_later(stage, at + 60),
        gateway_fault(stage, "manual_order", at + 120, symbol=symbol, side=other),
        *_settled_later(stage, at + 120),
    ]


def _frozen_feed(stage: Stage, at: float) -> list[Incident]:
    """F18: streams go silent, or stay so after a 1102 that lies."""
    name = stage.chance.choice(("stream_stops", "lose_data"))
    found = [
        gateway_fault(stage, name, at),
        gateway_fault(stage, "bad_ticks", at, how=stage.chance.choice(("frozen", "crossed", "spike")), probability=1.0),
    ]
    return [*found]


def _wrong_clocks(stage: Stage, at: float) -> list[Incident]:
    """F19: the wall's clock jumps, the broker's is wrong, and a start falls into it."""
    found: list[Incident] = [*clock_steps(stage, at), gateway_fault(stage, "clock_skew", at)]
    return [*found, stop(stage, at + _soon(stage, 60.0))] if whether(stage.chance, 0.5) else found


def _new_start(stage: Stage, at: float) -> list[Incident]:
    """F20: a start in mid-session whose history is refused, odd or empty."""
    name = stage.chance.choice(("history_refused", "odd_history", "bar_disorder"))
    begin = crash(stage, at) if whether(stage.chance, 0.5) else stop(stage, at)
    return [gateway_fault(stage, name, at, for_s=900.0, probability=stage.chance.choice((0.3, 1.0))), begin]


def _dead_unnoticed(stage: Stage, at: float) -> list[Incident]:
    """F21: dead for minutes while the way to people is cut."""
    down_s = stage.lasting(120.0, 600.0)
    return [mqtt_fault(stage, at - 5, "channel_down"), crash(stage, at, down_s=down_s)]


def _disk_in_commit(stage: Stage, at: float) -> list[Incident]:
    """F22: the disk is full, broken or slow, and the process dies around a write."""
    places: tuple[Where, ...] = ("before_commit", "after_commit")
    return [disk_fault(stage, at), crash(stage, at + _soon(stage, 60.0), stage.chance.choice(places))]


def _other_account(stage: Stage, at: float) -> list[Incident]:
    """The gateway comes back on another account, and later on ours again."""
    return [
        gateway_fault(stage, "restart_as_another", at, account=OTHER_ACCOUNT, for_s=10.0),
        gateway_fault(stage, "restart_as_another", at + stage.lasting(20.0, 120.0), account=OWN_ACCOUNT, for_s=10.0),
    ]


def _late_positions(stage: Stage, at: float) -> list[Incident]:
    """What is asked after a reconnect lags behind the fills."""
    return [
        gateway_fault(stage, "position_lag", at, for_s=300.0, probability=1.0),
        network_fault(stage, at + 2, "reset", "orders"),
        gateway_fault(stage, "fill_in_parts", at + 3),
    ]


def _closed_by_the_broker(stage: Stage, at: float) -> list[Incident]:
    """Our orders are cancelled, our positions closed, and the message of it is lost."""
    return [
        network_fault(stage, at, stage.chance.choice(("reset", "stall")), "orders"),
        gateway_fault(stage, "broker_cancels", at + 1, liquidates=whether(stage.chance, 0.5)),
        *_settled_later(stage, at),
    ]


def _stormy_feed(stage: Stage, at: float) -> list[Incident]:
    """Farms, frames and bars at once; the order lane must not notice."""
    names = ("farm_storm", "bar_disorder", "chop_frames", "malformed_message", "history_refused")
    return [gateway_fault(stage, name, at + n) for n, name in enumerate(stage.chance.sample(names, 3))]


def _nobody_hears(stage: Stage, at: float) -> list[Incident]:
    """MQTT flaps while people command by it."""
    return [mqtt_fault(stage, at + 5, "down"), *order_and_back(stage, at), *order_and_back(stage, at + 30)]


def _halted_with_a_gap(stage: Stage, at: float) -> list[Incident]:
    """The exchange pauses a stock, it opens elsewhere, and its stop is filled there."""
    return [
        gateway_fault(stage, "halt", at, symbol=stage.symbol(), for_s=stage.lasting(60.0, 300.0)),
        network_fault(stage, at + _soon(stage, 60.0)),
    ]


RECIPES = (
    Recipe(of="F1", severity="brutal", draw=_old_ids),
    Recipe(of="F2", severity="rough", draw=_away_at_the_open),
    Recipe(of="F2", severity="mild", draw=_filled_while_away),
    Recipe(of="F2", severity="rough", draw=_cut_with_the_fill),
    Recipe(of="F3", severity="brutal", draw=_changed_while_away),
    Recipe(of="F4", severity="rough", draw=_lists_without_end),
    Recipe(of="F5", severity="mild", draw=_killed_between),
    Recipe(of="F6", severity="mild", draw=_warned),
    Recipe(of="F7", severity="rough", draw=_swallowed),
    Recipe(of="F8", severity="mild", draw=_half_open),
    Recipe(of="F9", severity="rough", draw=_nightly_reset),
    Recipe(of="F10", severity="mild", draw=_muddled_reports),
    Recipe(of="F11", severity="rough", draw=_id_in_use),
    Recipe(of="F12", severity="mild", draw=_gone_before_flushed),
    Recipe(of="F13, F14", severity="mild", draw=_at_the_edges),
    Recipe(of="F15", severity="brutal", draw=_nobody_logs_in),
    Recipe(of="F16", severity="brutal", draw=_split),
    Recipe(of="F17, hole 4", severity="brutal", draw=_too_much),
    Recipe(of="F18", severity="rough", draw=_frozen_feed),
    Recipe(of="F19", severity="mild", draw=_wrong_clocks),
    Recipe(of="F20", severity="rough", draw=_new_start),
    Recipe(of="F21", severity="mild", draw=_dead_unnoticed),
    Recipe(of="F22", severity="mild", draw=_disk_in_commit),
    Recipe(of="hole 3", severity="rough", draw=_cancelled_without_answer),
    Recipe(of="hole 5", severity="rough", draw=_lost_leg),
    Recipe(of="I14", severity="mild", draw=_flatten_while_away),
    Recipe(of="fault 12", severity="brutal", draw=_other_account),
    Recipe(of="fault 24", severity="rough", draw=_taken_back),
    Recipe(of="fault 33", severity="rough", draw=_located),
    Recipe(of="fault 34", severity="rough", draw=_closed_by_the_broker),
    Recipe(of="fault 48", severity="rough", draw=_halted_with_a_gap),
    Recipe(of="fault 53", severity="mild", draw=_late_positions),
    Recipe(of="the feed", severity="rough", draw=_stormy_feed),
    Recipe(of="people", severity="mild", draw=_nobody_hears),
)
