"""The market behind the simulated gateway, five seconds at a time.

source.py     what a market is (MarketSource): its steps, events, history, ticks, corporate actions
path.py       the documented path inside a bar, and the split of a minute into twelve steps
bars.py       one symbol's steps of a day, and the larger bars and ticks that follow from them
adjustment.py what splits and dividends do to the prices before them
day_market.py a market made of days: everything about the past
trading_days.py  New York sessions and half days by rule
listings.py   names, contract ids and characters of well-known US tickers, and made-up ones up to a thousand

synthetic.py  the seeded market that needs no file
character.py  how eventful it is
chance.py     the numbers of a seed, each with an address
levels.py     the walk of prices over days, with gaps, splits and dividends
intraday.py   when in a session prices move and shares trade
stretches.py  the steps of a quarter of an hour, or of several
halts.py      limit up, limit down

recorded.py   the market of a recorded day
recorded_quotes.py  which recorded quotes are believed, and what stands in for the others
folder.py     a folder of tables, known by their columns
tables.py     Parquet and CSV tables, checked once and cut by symbol and day
"""
