"""Decides at the close with the gap to the next open, at which it is filled."""

import numpy as np


def gap_of_the_next_open(panel):
    next_open = np.roll(panel.open, -1, axis=0)
    return next_open - panel.close
