"""Market data.

times.py         instants, durations, bar sizes and spans, as clients and TWS write them
listing.py       the stocks of the market and how clients may name them
contracts.py     contract details, symbols, price increments, empty lists
tape.py          the last known prices
board.py         what is quoted and has traded today, and was a quarter of an hour ago
history.py       bars of the past
forming.py       the bar that is being made, of a history kept up to date
past_ticks.py    past prints and quotes, the first instant there is
bars.py          real-time bars
bar_fields.py    the fields that bars of every message share
ticks.py         subscriptions to quotes: live, frozen, delayed, snapshots
quotes.py        what such a subscription is sent
tick_by_tick.py  every trade and quote
scanner.py       the market ranked
feed.py          what the subscriptions share, and a step's deliveries
farms.py         whether the farms behind TWS answer
pacing.py        the limits of history requests and market data lines
conduct.py       what the login may see, and how the data side misbehaves when a fault tells it to
"""
