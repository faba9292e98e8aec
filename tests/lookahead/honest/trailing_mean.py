"""A mean of the last five prints of the panel's rows, and a score by all rows so far."""

import numpy as np

from shared.indicators.sma import sma


def trailing_mean(panel):
    return sma(panel.close, 5)


def score_so_far(panel):
    count = np.cumsum(~np.isnan(panel.close), axis=0)
    mean = np.nancumsum(panel.close, axis=0) / np.maximum(count, 1)
    return panel.close - mean
