"""A ranking from which everything is left out that no longer prints at the end."""

import numpy as np


def rank_of_survivors(panel):
    alive = ~np.isnan(panel.close[-1])
    priced = np.where(alive, np.nan_to_num(panel.close), 0.0)
    return np.argsort(np.argsort(-priced, axis=1), axis=1).astype(float)
