"""A day on which the simulated gateway itself has failed is no day on which the daemon has held."""

import pytest

from tests.simulation.kills.day import busy_day
from tests.simulation.world.run import played_by
from tests.simulation.world.site import GatewayFailed


def fails(*_, **__):
    raise ZeroDivisionError("on purpose")


def in_the_answer_to_a_request(site):
    site.gateway.session.on_request = fails


def in_the_middle_of_the_market(site):
    site.gateway.session.agenda.after(60.0, fails)


def in_a_fault(site):
    site.gateway.controls.lose_server = fails
    site.gateway.faults.inject("lose_server")


@pytest.mark.parametrize("fail", [in_the_answer_to_a_request, in_the_middle_of_the_market, in_a_fault])
def test_a_gateway_that_fails_of_itself_costs_the_day(fail):
    with pytest.raises(GatewayFailed, match=r"ZeroDivisionError: on purpose \(test_world_gateway.py:\d+, fails\)"):
        played_by(busy_day(600), fail)
