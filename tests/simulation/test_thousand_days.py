"""What no commit may break: a thousand brutal days, those of `make simulate`."""

import pytest

from tests.simulation.thousand_days import Campaign


def test_days_that_nobody_waits_for_end_with_the_tests():
    assert Campaign().left() != 0


@pytest.mark.campaign
def test_a_thousand_brutal_days_with_twenty_thousand_faults_break_no_invariant(thousand_days):
    code, summary, said = thousand_days.ended()
    assert code == 0, said
    assert summary["breaches"] == summary["lost"] == []
    assert summary["faults"] >= 20_000 or summary["ended"] == "budget"
