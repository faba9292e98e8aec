"""How good was it, how sure are we, and how often did we try: the figures of a replay, its stamp, the trial ledger.

measured.py       the door: a ReplayResult -> Measures
series.py         figures of a daily return series: return, volatility, Sharpe, Sortino, tails
rolling.py        Sharpe ratio and beta over the last so many days, for curves
equity.py         an equity curve -> session closes and daily returns
drawdowns.py      depth, length and recovery of the falls of an equity curve
benchmark.py      alpha, beta and the rest against a benchmark
trading.py        what round trips and fills say: hit rate, profit factor, turnover, exposure, per strategy and symbol
capacity.py       how much money fits under a share of the traded volume
costs.py          what trading cost and what holding brought, line by line
predictions.py    convictions against what prices did next: information coefficient, directional accuracy
bootstrap.py      stationary block bootstrap: bands around return, Sharpe and drawdown
significance.py   probabilistic and deflated Sharpe ratio, minimum track record length
stamp.py          what a run was made of: hashes of config, data and code, versions, seed
ledger.py         the append-only file of trials
cli.py            `openbell trials`
"""
