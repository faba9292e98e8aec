"""Where past data come from: one small protocol, one file per source.

source.py               the protocol: what is wanted, chunks of bars and actions, the errors
offers.py               what each source can give, and the source itself from [data.sources]
alpha_vantage.py        daily and minute bars as printed, dividends and splits
alpaca.py               minute and daily bars as printed, page by page
yahoo.py                daily bars through yfinance (an extra), made raw again with the splits that came with them
bar_folder.py           .parquet and .csv files that somebody has already
interactive_brokers.py  history of TWS or IB Gateway: trades, bid, ask, midpoint; brokers/ib asks, this file plans
edgar.py                SEC documents: tickers, submissions, company facts, Form 4

http_client.py          one GET: within a time and a size, what a status means, no secrets in errors
response_cache.py       answers on disk, each with its age
retrying.py             back-off with jitter
token_bucket.py         a source's own rate
clock.py                the time they wait by       following_clock.py  that of a simulated gateway
bar_rows.py             rows of an answer as bars   one_action.py       one action per ex-date
history_pace.py         IB's pace over runs         tickers.py          how a share class is written
"""
