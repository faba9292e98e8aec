"""I5, cash: on histories made by hand."""

import pytest

from tests.simulation.judge_builders import a_long_position


@pytest.mark.parametrize(("looks", "broken"), [(10, []), (11, ["I5"])])
def test_cash_that_a_fault_has_hidden_is_in_the_book_once_the_account_was_asked_again(looks, broken):
    """storm 10383: the figure of a sale was not told, and would not be again before the question every 300 s."""
    story = a_long_position(rules={"reconcile_every_s": 300.0})
    story.fault(54, "odd_account_values")
    for _ in range(looks):
        story.wait(30)
        story.look(cash=999_000.0)
    assert story.broken() == broken


def test_cash_that_stood_for_minutes_is_in_the_book():
    story = a_long_position()
    for _ in range(10):
        story.wait(30)
        story.look(cash=999_000.0)
    assert story.broken() == ["I5"]
