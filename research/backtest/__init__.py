"""The nightly replay: the daemon's own engine over stored bars.

timeline.py        which rows are replayed, in which exchange session each lies, which rows warm up
session_driver.py  THE order of events per row, shared by both drivers
bar_drive.py       driver 1: a plain loop in this process (simulated broker, bar mode)
replay.py          driver 2: backtrader's cerebro; the one file that imports backtrader
result.py          what a replay leaves: decisions, fills, equity per row
round_trips.py     fills -> from entry to flat
summary.py         return, Sharpe, drawdown, turnover, costs, win rate, exposure
report.py          the summary as text; picture.py the same as a PNG; artifacts.py everything as files
cli.py             `openbell replay`
"""
