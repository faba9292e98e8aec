"""Faults 1 to 54 of TWS.md 4, each with its name, its parameters and how it is brought about."""

from __future__ import annotations

from brokers.simulated.gateway.faults.account_faults import ACCOUNT_FAULTS
from brokers.simulated.gateway.faults.connection_faults import CONNECTION_FAULTS
from brokers.simulated.gateway.faults.data_faults import DATA_FAULTS
from brokers.simulated.gateway.faults.fault import Fault
from brokers.simulated.gateway.faults.order_faults import ORDER_FAULTS
from brokers.simulated.gateway.faults.report_faults import REPORT_FAULTS

CATALOGUE: dict[int, Fault] = {
    fault.number: fault
    for fault in sorted(
        (*CONNECTION_FAULTS, *REPORT_FAULTS, *ORDER_FAULTS, *DATA_FAULTS, *ACCOUNT_FAULTS),
        key=lambda fault: fault.number,
    )
}
BY_NAME = {fault.name: fault for fault in CATALOGUE.values()}


def fault_of(wanted: object) -> Fault | None:
    """The fault of this name or number; None where there is none."""
    if isinstance(wanted, int):
        return CATALOGUE.get(wanted)
    return BY_NAME.get(wanted) if isinstance(wanted, str) else None
