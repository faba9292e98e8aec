import pytest

from brokers.simulated.gateway.runtime.settings import Settings, settings_of
from brokers.simulated.gateway.server import SimulatedGateway
from shared.errors import ConfigError
from tests.brokers.simulated.gateway.scripted_market import ScriptedMarket, flat


def test_without_settings_the_defaults_hold():
    assert settings_of({}) == Settings()
    assert Settings().accounts == ("DU7654321",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"speed": 0.5}, "setting speed: 0.5, allowed is 1 to 5000"),
        ({"speed": float("nan")}, "setting speed: nan, allowed is 1 to 5000"),
        ({"port": 70000}, "setting port: 70000, allowed is 0 to 65535"),
        ({"port": "4010"}, "setting port: '4010', allowed is 0 to 65535"),
        ({"lead_in_s": -1}, "setting lead_in_s: -1, allowed is 0 or more seconds"),
        ({"cash": float("inf")}, "setting cash: inf, allowed is an amount of dollars"),
        ({"participation": 0.0}, "setting participation: 0.0, allowed is above 0, or None"),
        ({"commission_model": "free"}, "setting commission_model: 'free', allowed is ib_fixed or ib_tiered"),
        ({"master_client_id": -2}, "setting master_client_id: -2, allowed is None or 0 to 2147483647"),
        ({"pacing": "loud"}, "setting pacing: 'loud', allowed is off, silent, reject"),
        ({"sessions": 0}, "setting sessions: 0, allowed is 1 to 10000"),
        ({"night_speed": 9000}, "setting night_speed: 9000, allowed is None or 1 to 5000"),
        ({"date_format": "roman"}, "setting date_format: 'roman', allowed is operator, instrument, utc"),
        ({"accounts": ()}, "setting accounts: (), allowed is each id once"),
        ({"accounts": ("DU1", "DU1")}, "setting accounts: ('DU1', 'DU1'), allowed is each id once"),
        ({"accounts": ("U1234567",)}, "setting accounts: account 'U1234567': allowed is DU and digits"),
        ({"wait_for_slow_s": -0.1}, "setting wait_for_slow_s: -0.1, allowed is 0 or more seconds"),
        ({"sped": 3}, "setting sped: unknown, known are speed, port"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_is_allowed(given, said):
    with pytest.raises(ConfigError) as raised:
        settings_of(given)
    assert len(raised.value.faults) == 1
    assert raised.value.faults[0].startswith(said)


def test_all_wrong_settings_are_named_at_once():
    with pytest.raises(ConfigError) as raised:
        settings_of({"speed": 0, "port": -1, "nothing": 1})
    assert len(raised.value.faults) == 3


def test_a_live_id_is_taken_only_where_it_is_allowed():
    assert settings_of({"accounts": ("U1234567",), "allow_live_id": True}).accounts == ("U1234567",)


async def test_the_gateway_does_not_begin_with_a_wrong_setting():
    with pytest.raises(ConfigError, match="setting speed"):
        SimulatedGateway(ScriptedMarket([flat(100.0)]), speed=-3)
