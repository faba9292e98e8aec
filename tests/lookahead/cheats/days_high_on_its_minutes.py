"""A daily bar resampled with its label at the left edge: each minute knows the high of its whole day."""

import numpy as np


def days_high_on_its_minutes(panel):
    day = panel.opened_at // 86_400_000_000_000
    highs = {one: np.nanmax(panel.high[day == one], axis=0) for one in np.unique(day)}
    return panel.close / np.array([highs[one] for one in day])
