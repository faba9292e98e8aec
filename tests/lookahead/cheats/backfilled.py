"""Holes filled with the next print instead of the last one."""

import numpy as np


def backfilled(panel):
    filled = panel.close.copy()
    for row in range(len(filled) - 2, -1, -1):
        filled[row] = np.where(np.isnan(filled[row]), filled[row + 1], filled[row])
    return filled
