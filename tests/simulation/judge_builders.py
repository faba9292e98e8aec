"""Histories made by hand as the judge's tests begin them."""

from typing import Any

from tests.simulation.judge.story import Story, ref


def a_running_daemon(**settings: Any) -> Story:
    story = Story(**settings)
    story.start()
    story.wait(60)
    return story


def enter(story, quantity=100.0, number=1, **sent):
    """A bracket that is durable, sent and at the broker."""
    entry, stop = story.order("E", quantity, number=number), story.order("S", quantity, number=number)
    story.row()
    story.journal("BarsClosed", entry, stop, warm_up=False, close=[100.0, 100.0], bid=None, ask=None)
    story.send(entry, **sent)
    story.send(stop)
    story.hold(entry)
    story.hold(stop)


def a_bare_position(**settings):
    """Long 100 whose stop has been cancelled by the broker."""
    story = a_running_daemon(**settings)
    story.long()
    story.wait(60)
    story.gone(ref("S"))
    return story


def a_long_position(**settings):
    story = a_running_daemon(**settings)
    story.long()
    story.wait(60)
    return story
