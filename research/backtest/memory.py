"""Strategies that read stored features: what the desks of a replay will be shown, and from which rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from daemon.engine.desk import Desk
from research.backtest.foresight import Foresight
from research.backtest.timeline import Timeline
from research.features.recalled import Shown, recall
from shared.io.bar_store import BarPanel


def recall_at(desks: Sequence[Desk], laid: tuple[BarPanel, Timeline, Foresight], folder: Path) -> None:
    """Hand the features of `folder` to the strategies of the desks; errors as `recall`."""
    panel, timeline, foresight = laid
    places = np.concatenate((timeline.warm_up.places, timeline.rows.places))
    opened_at = panel.opened_at[places]
    shown = [(desk.strategy, Shown(opened_at=opened_at, rows=desk.mine(foresight.rows))) for desk in desks]
    recall(shown, panel, folder)
