"""A rolling mean labelled at its middle: it knows the two rows after the row."""

import numpy as np


def centred_mean(panel):
    padded = np.pad(panel.close, ((2, 2), (0, 0)), constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0).mean(axis=-1)
