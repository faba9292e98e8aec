"""Market data.

times.py         instants, durations and bar sizes as clients write them
listing.py       the stocks of the market and how clients may name them
contracts.py     contract details, symbols, price increments, empty lists
history.py       bars, kept up to date or not, the first instant, past ticks
bars.py          real-time bars
ticks.py         top-of-book ticks, live and delayed, snapshots
tick_by_tick.py  every trade and quote
scanner.py       the market ranked
feed.py          what the subscriptions share, and a step's deliveries
pacing.py        the limits of history requests and market data lines
conduct.py       how the data side misbehaves when a fault tells it to
"""
