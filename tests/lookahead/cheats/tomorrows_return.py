"""The classic: shift(-1)."""

import numpy as np


def tomorrows_return(panel):
    tomorrow = np.vstack((panel.close[1:], np.full((1, panel.close.shape[1]), np.nan)))
    return tomorrow / panel.close - 1
