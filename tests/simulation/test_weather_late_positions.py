"""Old positions in the weather: part of the lags, and nothing else of a day changes."""

from tests.simulation.weather.draw import drawn
from tests.simulation.weather.late_positions import OLD_SHARE


def lags_of(plan):
    return [one.rule for one in plan.incidents if getattr(one, "rule", {}).get("name") == "position_lag"]


def test_a_part_of_the_position_lags_shows_what_was_held_before():
    lags = [rule for seed in range(400) for rule in lags_of(drawn(seed, "brutal"))]
    old = [rule for rule in lags if rule["how"] == "old"]
    assert abs(len(old) / len(lags) - OLD_SHARE) < 0.15
    assert all("message" not in rule and rule["probability"] == 1.0 for rule in old)
    assert {rule["how"] for rule in lags} == {"old", "lag", "disagree"}
