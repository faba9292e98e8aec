"""The market behind the simulated gateway, five seconds at a time.

source.py     what a market is (MarketSource), its step and its history
path.py       the documented path inside a bar, and the split of a minute into twelve steps
grid.py       one session as arrays: steps, larger bars, history
listings.py   names, contract ids and the character of well-known US tickers
trading_days.py  New York sessions by rule
synthetic.py  the seeded market that needs no file
tables.py     Parquet tables, checked once and cut by symbol and day
recorded.py   the market of a recorded day
"""
