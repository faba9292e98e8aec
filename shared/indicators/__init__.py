"""Indicators as numba kernels: `step(state, row)` writes the values of a row; batch loops over that kernel.

Values of batch and stream are therefore bit-identical, and a live bar costs the same after any history.

indicator.py       what they share: the NaN contract, the shape of rows, how kernels are compiled
sma.py             simple moving average, without drift
ema.py             exponential moving average
atr.py             Wilder's average true range
rate_of_change.py  relative change over n prints
lockstep.py        the driver of most rows; lockstep_drive.py: its compiled half; live_plan.py: many at once
kalman.py          what the Kalman filters share; kalman_level.py, kalman_trend.py, kalman_regression.py: the filters
kalman_features.py the same of log prices, without a unit, for the registry
gaussian_hmm.py    hidden Markov model, forward only
regimes.py         volatility regime, average correlation
volume.py, volatility.py, statistic.py  rows of the registry; their kernels: volume_flow.py,
                   volatility_estimators.py, order_statistics.py, persistence.py
moments.py, regression.py  kernels and rows: sums around the mean, least squares, correlations
oscillators.py     AC, KDJ, SMI and their like; oscillator_table.py: their rows
moving_average.py  averages by number, MACD and bands of any of them; average_of_periods.py: a period with every bar
candles.py         what candlestick patterns measure; candle_pattern.py the indicator; candle_patterns_*.py the rules
cross_section.py   transforms of a row across its instruments
feature_name.py    features by name, `rank(rsi(14))`; feature_transforms.py what stands around them
feature_set.py     the features that a strategy asks for, row by row and for whole panels
"""
