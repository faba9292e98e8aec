"""The 54 faults of TWS.md 4 as rules of the gateway's scripts, with parameters over the range that a day survives.

What a fault does not say here is drawn from its own type: every choice, every switch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import inspect

from brokers.simulated.gateway.faults.catalogue import BY_NAME, CATALOGUE
from brokers.simulated.gateway.faults.fault import CLIENT, SYMBOL, Act, Fault, Severity, Touch
from tests.simulation.plan import GatewayFault
from tests.simulation.weather.chances import between, weighted, whether
from tests.simulation.weather.stage import Stage

ORDERS_CLIENT, DATA_CLIENT = 7, 8
"""As in the configuration's defaults."""
OWN_ACCOUNT, OTHER_ACCOUNT = "DU7654321", "DU9999999"
SELDOM = {11: 0.5, 12: 0.25, 16: 0.3, 17: 0.2, 33: 0.6, 35: 0.5, 37: 0.6, 38: 0.6, 49: 0.5, 50: 0.5, 51: 0.25}
"""Faults after which less of the day is left, and how often they come compared to the others."""
REASONS = ("The exchange is closed.", "Insufficient margin", "Price too far through the market", "Unknown contract")
TAGS = ("BuyingPower", "NetLiquidation", "TotalCashValue", "ExcessLiquidity", "AvailableFunds")
RATIOS = (2.0, 3.0, 1.5, 0.1, 0.5)

Draw = Callable[[Stage], Any]


def _real(lowest: float, highest: float) -> Draw:
    return lambda stage: between(stage.chance, lowest, highest)


def _sometimes(share: float, otherwise: object, drawn: Draw) -> Draw:
    return lambda stage: drawn(stage) if whether(stage.chance, share) else otherwise


def _whole(lowest: int, highest: int) -> Draw:
    return lambda stage: round(between(stage.chance, lowest, highest))


def _signed(lowest: float, highest: float) -> Draw:
    return lambda stage: between(stage.chance, lowest, highest) * stage.chance.choice((-1, 1))


def _one_of(*values: object) -> Draw:
    return lambda stage: stage.chance.choice(values)


PARAMETERS: dict[str, dict[str, Draw]] = {
    "mute_handshake": {"times": _whole(1, 5)},
    "withhold_on_connect": {"times": _whole(1, 4)},
    "restart_with_old_ids": {"roll_back_ids": _whole(1, 60)},
    "restart_as_another": {"account": _one_of(""), "port": _one_of(0)},
    "chop_frames": {"big_frame": _one_of(False)},  # 3 MB byte by byte are played for minutes
    "farm_storm": {"times": _whole(1, 15), "every_s": _real(0.5, 10.0), "farm": _one_of("usfarm", "hmdsfarm")},
    "reject_pace": {"limit": _whole(5, 60)},
    "clock_skew": {"seconds": _signed(1.0, 3600.0)},
    "duplicate_executions": {"times": _whole(1, 5), "after_s": _sometimes(0.6, 0.0, _real(0.1, 300.0))},
    "status_order": {"delay_s": _real(0.05, 120.0)},
    "commission_first": {"delay_s": _real(0.1, 30.0)},
    "commission_late": {"delay_s": _real(1.0, 1200.0)},
    "correct_execution": {"price_by": _signed(0.01, 0.5), "shares_times": _one_of(1.0, 1.0, 0.5, 0.0)},
    "fill_in_parts": {"pieces": _whole(1, 10), "share": _real(0.05, 1.0)},
    "reject_order": {"reason": _one_of(*REASONS)},
    "cancel_too_late": {"delay_s": _real(0.05, 60.0)},
    "locate_found": {"delay_s": _real(1.0, 300.0)},
    "broker_cancels": {"reason": _one_of(*REASONS)},
    "fill_part_and_drop": {"share": _real(0.05, 0.95)},
    "manual_order": {"quantity": lambda stage: float(_whole(1, 500)(stage)), "limit_price": _one_of(0.0)},
    "bar_disorder": {"delay_s": _real(0.5, 60.0)},
    "history_refused": {"delay_s": _real(5.0, 300.0)},
    "halt": {"gap_pct": _signed(0.1, 20.0)},
    "split": {"ratio": _one_of(*RATIOS)},
    "position_lag": {"how": _one_of("disagree", "lag"), "delay_s": _real(0.5, 60.0)},
    "odd_account_values": {"what": _one_of(*TAGS), "currency": _one_of("EUR", "GBP", "JPY")},
}
LASTS_S: dict[str, tuple[float, float]] = {
    "nightly_reset": (120.0, 1200.0),
    "wait_for_login": (300.0, 3600.0),
    "restart_with_old_ids": (1.0, 120.0),
    "restart_as_another": (1.0, 120.0),
    "refuse_connections": (1.0, 300.0),
    "freeze": (1.0, 120.0),
    "chop_frames": (5.0, 90.0),
    "halt": (60.0, 600.0),
    "queue_orders": (5.0, 900.0),
    "stream_stops": (10.0, 900.0),
}
"""Of acts; of what changes messages and meets requests in ROUTINE_S."""
ACT_S, ROUTINE_S = (5.0, 600.0), (20.0, 1800.0)
DELAYS = ("delay_s", "after_s")
RESET_RESTART_S = 70.0
"""A nightly reset ends with a restart of a minute."""
PROBABILITIES = (0.02, 0.1, 0.3, 0.6, 1.0)
MEETINGS = (0.3, 0.6, 1.0)
OCCASIONS = ("execDetails", "orderStatus", "openOrder", "commissionReport")
"""Messages behind which an act may strike, at the very moment."""
SPOILED = (
    "execDetails", "orderStatus", "openOrder", "commissionReport", "position", "accountValue", "realTimeBar",
    "tickPrice", "error", "nextValidId", "currentTime", "historicalData", "completedOrder", "openOrderEnd",
    "positionEnd",
)  # fmt: skip
"""What malformed messages are made of."""


def drawn_fault(stage: Stage, severities: frozenset[Severity]) -> GatewayFault:
    """Any of those as bad as that, at a moment that suits it."""
    faults = {fault.name: SELDOM.get(fault.number, 1.0) for fault in CATALOGUE.values() if fault.severity in severities}
    return gateway_fault(stage, weighted(stage.chance, faults))


def gateway_fault(stage: Stage, name: str, at_s: float | None = None, **given: object) -> GatewayFault:
    """The fault of that name; what is not given is drawn."""
    fault = BY_NAME[name]
    parameters = _parameters(stage, fault, given)
    match fault.way:
        case Act():
            timing = _act_timing(stage, fault, fault.way, given)
        case Touch():
            timing = _touch_timing(stage, fault, given)
        case _:
            timing = _meet_timing(stage, given)
    rule = {"name": name} | timing | parameters | given
    needs_s = lasts_s_of(rule)
    if at_s is None:
        at_s = stage.early_moment() if "message" in rule and isinstance(fault.way, Act) else _when(stage, needs_s)
    if at_s >= 0:
        at_s = stage.within(at_s, needs_s)
    return GatewayFault(rule=rule | {"day": stage.number_of(at_s), "at": stage.hour_of(at_s)})


def lasts_s_of(rule: dict[str, Any]) -> float:
    """Seconds from a rule's beginning to the last that is heard of it, if its occasion comes at once."""
    delay_s = max((float(rule[key]) for key in DELAYS if key in rule), default=0.0)
    repeats = rule["times"] if "after_s" in rule else 1
    storm_s = float(rule["every_s"]) * rule["times"] if "every_s" in rule else 0.0
    down_s = RESET_RESTART_S if rule["name"] == "nightly_reset" else 0.0
    return max(float(rule.get("for_s", 0.0)), storm_s) + delay_s * repeats + down_s


def _when(stage: Stage, needs_s: float) -> float:
    """On the eve only while the market is open and if it ends there."""
    at_s = stage.eve_moment()
    closed_s = stage.day.eve_closes_at - stage.day.opens_at
    if at_s is not None and at_s + needs_s < closed_s:
        return at_s
    return stage.moment(needs_s)


def _act_timing(stage: Stage, fault: Fault, way: Act, given: dict[str, Any]) -> dict[str, Any]:
    """An instant, or a stretch; what is over at once may wait for a message about orders."""
    chance = stage.chance
    timing: dict[str, Any] = {}
    if way.lasts_s is not None:
        timing["for_s"] = stage.lasting(*LASTS_S.get(fault.name, ACT_S))
    elif fault.name != "manual_order" and "message" not in given and whether(chance, 0.3):
        timing |= {"message": chance.choice(OCCASIONS), "nth": chance.randint(1, 4)}
    if CLIENT in way.aims and fault.name in {"drop_connection", "close_on_connect"}:
        timing |= _client(stage)
    if SYMBOL in way.aims and whether(chance, 0.6):
        timing["symbol"] = stage.symbol()
    return timing


def _touch_timing(stage: Stage, fault: Fault, given: dict[str, Any]) -> dict[str, Any]:
    chance = stage.chance
    timing: dict[str, Any] = {"for_s": stage.lasting(*ROUTINE_S)}
    if fault.name == "malformed_message":
        timing |= {"message": chance.choice(SPOILED)}
    elif len(fault.kinds) > 1 and whether(chance, 0.5):
        timing |= {"message": chance.choice([kind for kind in fault.kinds if not kind.endswith("End")])}
    if "nth" not in given and ("probability" in given or whether(chance, 0.8)):
        timing["probability"] = chance.choice(PROBABILITIES)
        if whether(chance, 0.3):
            timing["count"] = _whole(1, 30)(stage)
    else:
        timing["nth"] = chance.randint(1, 5)
    if whether(chance, 0.15):
        timing |= _client(stage)
    return timing


def _meet_timing(stage: Stage, given: dict[str, Any]) -> dict[str, Any]:
    chance = stage.chance
    timing: dict[str, Any] = {"for_s": stage.lasting(*ROUTINE_S)}
    if "nth" not in given and ("probability" in given or whether(chance, 0.8)):
        timing |= {"probability": chance.choice(MEETINGS), "count": _whole(1, 6)(stage)}
    else:
        timing["nth"] = chance.randint(1, 3)
    if whether(chance, 0.2):
        timing["symbol"] = stage.symbol()
    return timing


def _client(stage: Stage) -> dict[str, Any]:
    return {"client": stage.chance.choice((ORDERS_CLIENT, DATA_CLIENT))} if whether(stage.chance, 0.7) else {}


def _parameters(stage: Stage, fault: Fault, given: dict[str, Any]) -> dict[str, Any]:
    drawn: dict[str, Any] = {}
    known = PARAMETERS.get(fault.name, {})
    for field in inspect.type_info(fault.parameters).fields:  # type: ignore[attr-defined]  # of structs
        if field.name in given:
            continue
        if field.name in known:
            drawn[field.name] = known[field.name](stage)
        elif isinstance(field.type, inspect.LiteralType):
            drawn[field.name] = stage.chance.choice(field.type.values)
        elif isinstance(field.type, inspect.BoolType):
            drawn[field.name] = whether(stage.chance, 0.5)
    return drawn
