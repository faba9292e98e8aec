"""Market data.

times.py       instants, durations and bar sizes as clients write them
listing.py     the stocks of the market and how clients may name them
marketdata.py  answers about contracts, history, ticks and bars
"""
