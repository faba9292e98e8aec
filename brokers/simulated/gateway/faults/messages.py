"""The names of all messages that a client may get, as the protocol tables have them."""

from __future__ import annotations

from brokers.simulated.gateway.protocol import data_layouts, layouts, order_layouts
from brokers.simulated.gateway.protocol.layout import Layout

TO_SERVER = frozenset({"placeOrder"})
MESSAGES: tuple[str, ...] = tuple(
    sorted(
        {
            table.name
            for module in (layouts, order_layouts, data_layouts)
            for table in vars(module).values()
            if isinstance(table, Layout)
        }
        - TO_SERVER
    )
)
