"""The nightly replay: the daemon's own engine over stored bars.

timeline.py        which rows are replayed, in which exchange session each lies; moments.py instants and days of them
session_driver.py  THE order of events per row, shared by both drivers
bar_drive.py       driver 1: a plain loop in this process (simulated broker, bar mode)
replay.py          driver 2: backtrader's cerebro; mirror.py our orders as backtrader's analyzers see them
lean_backtrader.py backtrader without what it imports for nothing
run.py             the way to run a replay from Python; assembly.py from config and panel to something that runs
sleeper.py         which rows are looked at; foresight.py, recital.py what prices and strategies tell beforehand
memory.py          strategies that read stored features (research/features)
carrying.py        what a night does: interest, borrow fees, splits as live is told of them, dividends
corporate_actions.py  the action table over the sessions; session_bars.py what it is held against
liquidity.py       spread, volatility, volume known before a session; cost_model.py all of it out of [replay]
cost_lines.py      every cost of a result, a line each
result.py          what a replay leaves: decisions, fills, equity per row
round_trips.py     fills -> from entry to flat
summary.py         return, Sharpe, drawdown, turnover, costs, win rate, exposure
report.py          a replay as text; picture.py the tear sheet as a PNG; artifacts.py everything as files
production.py      what `openbell replay` does, from files to a result and its record (research/tear_sheet)
cli.py             `openbell replay` and `openbell report`
"""
