"""An indicator that knows tomorrow, kept to show that the check sees it."""

import numpy as np


class PeeksAtTheLastRow:
    """The close against the last close there is."""

    def update_many(self, closes):
        last = np.nan_to_num(closes[-1], nan=1.0)
        return closes / last
