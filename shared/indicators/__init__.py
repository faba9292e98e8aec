"""Indicators as numba kernels: `step(state, row)` writes the values of a row; batch loops over that kernel.

Values of batch and stream are therefore bit-identical, and a live bar costs the same after any history.

indicator.py       what they share: the NaN contract, the shape of rows, how kernels are compiled
sma.py             simple moving average, without drift
ema.py             exponential moving average
atr.py             Wilder's average true range
rate_of_change.py  relative change over n prints
"""
