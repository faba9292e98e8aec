"""The scores of the session's plan scale what strategies want, never beyond their capital or the gate's limits."""

from datetime import timedelta

import pytest

from daemon.engine.settings import SizingPolicy
from shared.commands import PlaceBracket
from shared.events import DayPlanChecked, SessionScheduled
from tests.engine.builders import (
    CLOSE,
    OPEN,
    a_desk,
    a_started,
    a_universe,
    an_engine,
    at,
    bars,
    of_kind,
    says,
    some_limits,
    some_settings,
)


def an_engine_told(scores, *, strength=0.2, sizing=None, limits=None, targets=None):
    """One whose plan for the session brings these scores."""
    universe = a_universe()
    settings = some_settings(limits, insider_strength=strength)
    engine = a_started(an_engine(universe=universe, desks=[a_desk(universe, sizing=sizing)], settings=settings))
    plan = DayPlanChecked(received_at=at(10), session=OPEN.date(), targets=targets, insider_scores=scores)
    return engine, engine.handle(plan)


def ordered(engine, view=1.0, seconds=60):
    says(engine, SPY=view)
    brackets = of_kind(engine.handle(bars(seconds, SPY=100.0, IBM=185.0)), PlaceBracket)
    return [placed.bracket.entry.quantity for placed in brackets]


@pytest.mark.parametrize(("score", "quantity"), [(1.0, 600), (0.5, 550), (-1.0, 400), (0.0, 500)])
def test_the_score_scales_the_entry(score, quantity):
    engine, _ = an_engine_told({"SPY": score})
    assert ordered(engine) == [quantity]


def test_an_instrument_without_a_score_is_not_scaled_and_counted():
    engine, commands = an_engine_told({"IBM": 1.0})
    assert "insider scores of 1 instruments, 1 without one are not scaled" in commands[0].text
    assert ordered(engine) == [500]


def test_without_a_strength_scores_change_nothing_and_are_not_spoken_of():
    engine, commands = an_engine_told({"SPY": 1.0}, strength=0.0)
    assert "insider" not in commands[0].text
    assert ordered(engine) == [500]


def test_the_scores_of_a_session_end_with_it():
    engine, _ = an_engine_told({"SPY": 1.0})
    day = timedelta(days=1)
    engine.handle(
        SessionScheduled(
            received_at=OPEN + day, session=(OPEN + day).date(), opens_at=OPEN + day, closes_at=CLOSE + day
        )
    )
    ordered(engine, seconds=86_400 + 60)
    assert engine.book.target("s", "SPY") == 500


def test_a_scaled_position_is_never_worth_more_than_the_strategy_s_capital():
    everything = SizingPolicy(method="fixed_fraction", fraction=0.9)
    wide = some_limits(max_order_quantity=50_000, max_order_notional=5e6, max_position_quantity=50_000,
                       max_position_notional=5e6, max_gross_exposure=5.0)  # fmt: skip
    engine, _ = an_engine_told({"SPY": 1.0}, strength=0.5, sizing=everything, limits=wide)
    assert ordered(engine) == [10_000]  # a million at 100, and not 13,500


def test_the_gate_has_the_last_word_on_a_scaled_entry():
    engine, _ = an_engine_told({"SPY": 1.0}, limits=some_limits(max_order_quantity=550))
    assert ordered(engine) == [550]


def test_scores_without_expected_targets_lead_to_no_comparison():
    engine, _ = an_engine_told({"SPY": 1.0}, targets=None)
    says(engine, SPY=1.0)
    commands = engine.handle(bars(60, SPY=100.0, IBM=185.0))
    assert "plan_differs" not in [getattr(command, "code", "") for command in commands]


def test_a_restored_engine_scales_as_before():
    engine, _ = an_engine_told({"SPY": 1.0})
    universe = a_universe()
    twin = an_engine(universe=universe, desks=[a_desk(universe)], settings=some_settings(insider_strength=0.2))
    twin.restore(engine.snapshot())
    assert ordered(twin) == ordered(engine) == [600]
