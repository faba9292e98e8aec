"""The limits are the [risk] section, all of it, with nothing assumed."""

from pathlib import Path

import pytest

from risk.limits import Limits
from shared.config import load_config
from shared.config_sections import RiskConfig

SHIPPED = Path(__file__).resolve().parents[2] / "config.toml"


def test_the_limits_are_the_keys_of_the_risk_section():
    about_people = {"owner", "reviewed_on", "reason", "groups_file"}
    assert list(Limits.__struct_fields__) == [key for key in RiskConfig.model_fields if key not in about_people]


def test_the_shipped_limits_arrive():
    limits = Limits.of(load_config(SHIPPED).risk)
    assert (limits.max_order_quantity, limits.max_gross_exposure, limits.price_collar_pct) == (
        2_000,
        1.0,
        3.0,
    )


def test_a_limit_left_out_is_an_error():
    with pytest.raises(TypeError, match="max_order_notional"):
        Limits(max_order_quantity=1)  # type: ignore[call-arg]  # the mistake tested
