"""Messages cost the garbage collector nothing: they hold values, and never each other in a circle."""

from typing import get_args

import pytest

from research.backtest.result import CostedFill, Decision
from shared.commands import Command
from shared.events import Event
from shared.orders import BracketOrder, Fill, Order, OrderIntent, RiskVerdict

MESSAGES = (*get_args(Event), *get_args(Command), Order, BracketOrder, Fill, OrderIntent, RiskVerdict)


@pytest.mark.parametrize("message", [*MESSAGES, Decision, CostedFill], ids=lambda message: message.__name__)
def test_the_garbage_collector_does_not_look_through_a_message(message):
    assert not message.__struct_config__.gc
